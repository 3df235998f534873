"""The stored tables of the page "Diagnose tissue": complete, made by this code, and what it computes today."""

import numpy as np
import pytest
import stored_tissue
from stored_results import code_hash

TABLES = ("tissue_rates", "tissue_activations", "tissue_plain", "tissue_learning", "tissue_histograms")
SHARES = ["training", "validation", "test", "alarms", "found_1", "found_2", "found_3", "found_4"]


@pytest.mark.parametrize("name", TABLES)
def test_the_stored_tables_were_made_by_this_code(name):
    assert stored_tissue.made(name)["code"] == code_hash(*stored_tissue.CODE)


def test_the_stored_tables_are_complete():
    rates, activations, plain, learning, histograms = (stored_tissue.stored(name) for name in TABLES)
    seeds, epochs = list(stored_tissue.SEEDS), list(stored_tissue.EPOCHS)
    for name, tried in stored_tissue.RATES.items():
        part = rates[(rates.activation == name) & rates.turned]
        assert sorted(zip(part.rate, part.seed, strict=True)) == [
            (rate, seed) for rate in tried for seed in stored_tissue.TO_CHOOSE
        ]
        part = activations[activations.activation == name]
        assert set(part.rate) == {stored_tissue.best_rates(rates)[name]}
        assert sorted(zip(part.seed, part.epochs, strict=True)) == [(s, e) for s in seeds for e in epochs]
    assert not set(stored_tissue.TO_CHOOSE) & set(seeds)
    assert sorted(zip(plain.seed, plain.epochs, strict=True)) == [(s, e) for s in seeds for e in epochs]
    assert set(plain.turned) == {False}
    assert set(plain.rate) == {stored_tissue.best_rates(rates, turned=False)["relu"]}
    for table in (learning, histograms):
        pairs = list(zip(table.pictures, table.seed, strict=True))
        assert sorted(pairs) == [(size, seed) for size in stored_tissue.SIZES for seed in seeds]
    assert dict(zip(learning.pictures, learning.epochs, strict=True)) == stored_tissue.SIZES
    for table in (rates, activations, plain, learning):
        assert table[SHARES].stack().between(0, 1).all()


def test_the_stored_answers_are_those_of_the_stored_shares():
    table = stored_tissue.stored("tissue_activations")
    test = stored_tissue.watched()[1]
    for row in table.itertuples():
        again = stored_tissue.readings(stored_tissue.unpacked(row.said), test)
        for name, value in again.items():
            assert getattr(row, name) == pytest.approx(value, abs=1e-5), (row.activation, row.seed, name)


def test_the_stored_table_is_what_the_library_computes_today():
    """The page would speak of networks that nobody gets any more."""
    table = stored_tissue.stored("tissue_learning").query("pictures == 100 and seed == 3").iloc[0]
    again = stored_tissue.run_falling(100, 3)
    for name in ("training", "validation", "test"):  # rounding differs from one processor to another, and adds up
        assert again[name] == pytest.approx(table[name], abs=0.025), name
    table = stored_tissue.stored("tissue_histograms").query("pictures == 100 and seed == 3").iloc[0]
    again = stored_tissue.run_histograms(100, 3)
    assert (again["validation"], again["test"]) == pytest.approx((table.validation, table.test), abs=0.003)


def test_answers_are_packed_without_loss():
    said = np.random.default_rng(0).random(2000) < 0.5
    assert np.array_equal(stored_tissue.unpacked(stored_tissue.packed(said)), said)
    assert np.array_equal(stored_tissue.unpacked(stored_tissue.packed(said[:13]), 13), said[:13])


def test_quarters_hold_a_quarter_each_and_readings_count_them():
    normal = np.random.default_rng(0).standard_normal(100_000)
    shares = np.bincount(stored_tissue.quarters(normal)) / len(normal)
    assert shares == pytest.approx(0.25, abs=0.005)
    assert stored_tissue.quarters([-2, -0.5, 0.5, 2]).tolist() == [0, 1, 2, 3]

    test = stored_tissue.watched()[1]
    lesion, seen = test.table["lesion"].to_numpy(), test.table["visibility"].to_numpy()
    found = stored_tissue.readings(lesion & (seen > 0), test)
    assert [found[f"found_{k}"] for k in (1, 2, 3, 4)] == [0, 0, 1, 1]
    assert found["alarms"] == 0
    assert found["test"] == pytest.approx(1 - (seen[lesion] <= 0).sum() / 2000)
    assert stored_tissue.readings(np.ones(2000, bool), test)["alarms"] == 1


def test_a_watched_network_is_read_when_due():
    class Model:
        def fit(self, X, *, epochs):
            self.X = X * epochs

    watched = stored_tissue.Watched(Model(), lambda model: model.X, (2, 3))
    for k in range(1, 5):
        watched.fit(10 * k, epochs=1)
    assert watched.readings == {2: 20, 3: 30}


def test_histograms_count_every_pixel_of_a_colour_and_no_place():
    X = np.random.default_rng(0).random((3, 28, 28, 3))
    X[0, 0, 0] = (0, 1, 0.5)
    shares = stored_tissue.histograms(X).reshape(3, 16, 3)
    assert np.allclose(shares.sum(axis=1), 1)
    assert np.allclose(shares[1, 4, 2], ((X[1, ..., 2] >= 0.25) & (X[1, ..., 2] < 0.3125)).mean())
    moved = np.random.default_rng(1).permutation(X.reshape(3, 784, 3), axis=1).reshape(X.shape)
    assert np.allclose(stored_tissue.histograms(moved).reshape(3, 16, 3), shares)


def test_the_rate_is_chosen_on_the_validation_pictures():
    table = stored_tissue.stored("tissue_rates")
    best = stored_tissue.best_rates(table)
    for name in stored_tissue.RATES:
        part = table[(table.activation == name) & table.turned].groupby("rate").validation.mean()
        assert part[best[name]] == part.max()
    worse = table.assign(validation=-table.validation, test=1 - table.test)
    assert stored_tissue.best_rates(worse) != best
