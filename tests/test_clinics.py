"""The stored tables of the page "Go to another clinic": complete, made by this code, and what it computes today."""

import numpy as np
import pytest
import stored_clinics
import stored_costs
from stored_results import code_hash

from nnlib.course import datasets
from nnlib.course.datasets.tissue import CLINICS


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module in (stored_clinics, stored_costs) for name in module.TABLES]
)
def test_the_stored_tables_were_made_by_this_code(module, name):
    assert module.made(name)["code"] == code_hash(*module.CODE)


def test_the_stored_tables_are_complete():
    clinics = stored_clinics.stored("clinics")
    seeds = [*stored_clinics.SEEDS]
    assert not clinics.duplicated(["trained", "seed", "view"]).any()
    assert len(clinics) == len(stored_clinics.TRAINED) * len(stored_clinics.VIEWS) * len(seeds)
    assert sorted(set(clinics.seed)) == seeds
    tenths = stored_clinics.stored("clinics_tenths")
    assert (tenths.groupby(["seed", "view"]).pictures.sum() == 1000).all()
    for (seed, view), rows in tenths.groupby(["seed", "view"]):  # they say what the row of their network says
        row = clinics[(clinics.trained == "A") & (clinics.seed == seed) & (clinics["view"] == view)].iloc[0]
        lesions = np.where(rows.tenth >= 5, rows.lesions, rows.pictures - rows.lesions)
        assert lesions.sum() / 1000 == pytest.approx(row.accuracy)
    assert not stored_clinics.stored("clinics_says").duplicated(["trained", "view", "picture"]).any()
    labels = stored_clinics.stored("labels")
    assert (labels.groupby(["noise_on", "share"]).size() == len(seeds)).all()
    assert {*zip(labels.noise_on, labels.share, strict=True)} == {*stored_clinics.LABELS}
    costs = stored_costs.stored("costs")
    assert (costs.groupby("model").seed.nunique() == len(seeds)).all()
    assert {*costs.model} == {*stored_costs.MODELS[:-1]}
    assert (stored_costs.stored("times").groupby("at_once").size() == len(stored_costs.MODELS)).all()
    for table in (clinics, tenths, labels, costs):
        assert np.isfinite(table.select_dtypes("number")).all(axis=None)


def test_the_stored_table_is_what_the_library_computes_today():
    """The page would speak of networks that nobody gets any more."""
    table = stored_clinics.stored("clinics").set_index(["trained", "seed", "view"])
    for view in ("B", "B, shifted"):
        again = stored_clinics.run_view("50 of B", 3, view)
        for name in ("accuracy", "auc", "found", "alarms", "sure"):  # rounding differs between processors
            assert again[name] == pytest.approx(table.loc[("50 of B", 3, view), name], abs=0.02), (view, name)


def test_the_stored_costs_are_what_the_models_do_today():
    table = stored_costs.stored("costs").set_index(["model", "seed"])
    again = stored_costs.run_accuracy("histograms", 3)
    for name, value in again.items():
        assert value == pytest.approx(table.loc[("histograms", 3), name], abs=0.005), name


def test_between_reaches_both_clinics_and_goes_on():
    for share, name in ((0, "A"), (1, "B")):
        made = datasets.tissue(3, seed=1, clinic=stored_clinics.between(share)).X
        assert made == pytest.approx(datasets.tissue(3, seed=1, clinic=name).X)
    beyond, (a, b) = stored_clinics.between(2), (CLINICS[name]["light"] for name in "AB")
    assert beyond["light"] == pytest.approx(b + (b - a))
    parts = [key for keys in stored_clinics.PARTS.values() for key in keys]
    assert sorted(parts) == sorted(CLINICS["A"])  # nothing that B changes is left out


def test_recolouring_multiplies_densities():
    X = np.random.default_rng(0).random((5, 4, 4, 3)) * 0.9 + 0.05
    new = stored_clinics.recoloured(X, np.random.default_rng(1), 0.3)
    factors = np.log(new) / np.log(X)
    assert factors == pytest.approx(np.broadcast_to(factors[:, :1, :1], X.shape))
    assert len(np.unique(factors[:, 0, 0].round(9))) == 15  # one for each picture and colour
    many = stored_clinics.recoloured(np.full((4000, 1, 1, 3), 0.5), np.random.default_rng(2), 0.3)
    spread = np.log(np.log(many) / np.log(0.5))
    assert (spread.mean(), spread.std()) == (pytest.approx(0, abs=0.01), pytest.approx(0.3, abs=0.01))
    assert (stored_clinics.recoloured(np.ones((2, 2, 2, 3)), np.random.default_rng(3)) == 1).all()


def test_shift_leaves_the_order_and_meets_the_share():
    rng = np.random.default_rng(0)
    z, y = rng.normal(2, 3, (80, 1)), (rng.random((80, 1)) < 0.3).astype(float)
    b = stored_clinics.shift(z, y)
    assert stored_clinics.sigmoid(z + b).mean() == pytest.approx(y.mean())

    def loss(shift):
        p = stored_clinics.sigmoid(z + shift)
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    assert loss(b) < min(loss(b - 0.05), loss(b + 0.05))
    assert np.isfinite(stored_clinics.logits([0.0, 1.0])).all()
