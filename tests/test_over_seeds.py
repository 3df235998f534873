"""The stored tables of the page "Stop in time": complete, made by this code, and what it computes today."""

import numpy as np
import over_seeds
import pytest
from stored_results import code_hash

import nnlib as nn
from nnlib.course import datasets

X, Y = datasets.load_digits(flat=True)


@pytest.mark.parametrize("name", ["epochs", "reliability"])
def test_the_stored_tables_were_made_by_this_code(name):
    assert over_seeds.made(name)["code"] == code_hash(*over_seeds.CODE)


def test_the_stored_tables_are_complete():
    table = over_seeds.stored("epochs")
    runs = table.groupby(["split", "seed"])
    assert len(runs) == 2 * len(over_seeds.SEEDS)
    for _, rows in runs:
        assert tuple(rows[rows.run == "recipe"].epoch) == over_seeds.EPOCHS
        assert sorted(rows[rows.run != "recipe"].run) == ["lowest", "stopped"]
    counts = over_seeds.stored("reliability")
    for (split, run), rows in counts.groupby(["split", "run"]):
        of = table[(table.split == split) & (table.run == ("recipe" if run.startswith("after") else run))]
        if run.startswith("after"):
            of = of[of.epoch == int(run.split()[1])]
        assert rows.digits.sum() == of.digits.sum()
        assert rows.right.sum() == pytest.approx((of.accuracy * of.digits).sum(), abs=0.1)


@pytest.mark.parametrize("split", over_seeds.SPLITS)
def test_the_stored_table_is_what_the_library_computes_today(split):
    """The page would speak of networks that nobody gets any more."""
    kept, test = over_seeds.parts(split, 3, np.arange(len(X)))
    watch = over_seeds.Snapshots(np.concatenate([X[test], over_seeds.turned(X[test])]))
    over_seeds.train(3, (X[kept], Y[kept]), (X[test], Y[test]), 10, [watch])
    table = (
        over_seeds.stored("epochs").query(f"split == '{split}' and seed == 3 and run == 'recipe'").set_index("epoch")
    )
    assert sorted(watch.said) == [1, 2, 5, 10]
    for epoch, said in watch.said.items():
        again = over_seeds.readings(said[: len(test)], Y[test], said[len(test) :])
        for name in ("loss", "accuracy", "confidence", "calibration_error", "turned_confidence"):
            # rounding differs from one processor to another
            assert again[name] == pytest.approx(table.loc[epoch, name], rel=0.02, abs=0.004)


def test_parts_are_disjoint_and_writers_stay_whole():
    rows = np.arange(len(X))
    for seed in range(3):
        kept, apart = over_seeds.parts("writers", seed, rows)
        assert sorted([*kept, *apart]) == list(rows)
        writers = datasets.digit_writers()
        assert not set(writers[kept]) & set(writers[apart])
        learn, watch = over_seeds.parts("writers", seed, kept)
        assert len(set(writers[watch])) == 3  # the page says three
        assert set(learn) | set(watch) == set(kept)
        kept, apart = over_seeds.parts("rows", seed, rows)
        assert (len(kept), len(apart)) == (1437, 360)
        assert not set(kept) & set(apart)


def test_turning_four_times_is_not_turning():
    once = over_seeds.turned(X[:5])
    assert np.array_equal(once[0].reshape(8, 8), np.rot90(X[0].reshape(8, 8)))
    assert np.array_equal(over_seeds.turned(over_seeds.turned(over_seeds.turned(once))), X[:5])


def test_readings_by_hand():
    p = np.array([[0.9, 0.1], [0.6, 0.4]])
    y = np.array([[1.0, 0.0], [0.0, 1.0]])
    found = over_seeds.readings(p, y, p[:, ::-1])
    assert found["loss"] == pytest.approx(-(np.log(0.9) + np.log(0.4)) / 2)
    assert (found["accuracy"], found["turned_accuracy"]) == (0.5, 0.5)
    assert found["confidence"] == found["turned_confidence"] == pytest.approx(0.75)
    assert (found["turned_answer"], found["turned_share"]) == (1, 1)
    table = over_seeds.bins(p, y)
    assert [row["digits"] for row in table] == [0, 0, 0, 0, 0, 1, 0, 0, 1, 0]
    assert [row["right"] for row in table] == [0, 0, 0, 0, 0, 0, 0, 0, 1, 0]


def test_snapshots_keep_the_lowest():
    model = over_seeds.network(0).build(64)
    watch = over_seeds.Snapshots(X[:2], epochs=[2])
    for epoch, loss in enumerate((3.0, 1.0, 2.0), start=1):
        model.params[...] += 0.01
        watch.on_epoch_end(model, epoch, {"val_loss": loss})
        if epoch == 2:
            expected = model.predict(X[:2])
    assert (watch.lowest, list(watch.said)) == (2, [2])
    assert np.array_equal(watch.said_at_lowest, expected)
    assert isinstance(watch, nn.Callback)
