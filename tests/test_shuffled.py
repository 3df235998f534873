"""The stored tables of the page "Shuffle the pixels": complete, made by this code, and what it computes today."""

import numpy as np
import over_seeds
import pytest
import stored_shuffled
from stored_results import code_hash

import nnlib as nn
from nnlib.course import datasets


@pytest.mark.parametrize("name", stored_shuffled.TABLES)
def test_the_stored_tables_were_made_by_this_code(name):
    assert stored_shuffled.made(name)["code"] == code_hash(*stored_shuffled.CODE)


def test_the_stored_tables_are_complete():
    digits, columns = (stored_shuffled.stored(name) for name in stored_shuffled.TABLES)
    ends = stored_shuffled.SWAPS[0], stored_shuffled.SWAPS[-1]
    wanted = {
        (network, split, swapped, seed)
        for network in stored_shuffled.NETWORKS
        for split, swaps in (("rows", ends), ("writers", stored_shuffled.SWAPS))
        for swapped in swaps
        for seed in stored_shuffled.SEEDS
    }
    found = digits[["network", "split", "swapped", "seed"]].itertuples(index=False, name=None)
    assert sorted(found) == sorted(wanted)
    wanted = {(order, seed) for order in stored_shuffled.ORDERS for seed in stored_shuffled.WORLDS}
    assert sorted(columns[["order", "seed"]].itertuples(index=False, name=None)) == sorted(wanted)
    for table in (digits, columns):
        assert np.isfinite(table.select_dtypes("number")).all(axis=None)
    for name, rows in digits.groupby("network"):
        assert set(zip(rows.dropout, rows.learning_rate, strict=True)) <= set(stored_shuffled.SETTINGS[name])


@pytest.mark.parametrize(("network", "swapped"), [("dense", 32), ("windows", 0)])
def test_the_stored_table_is_what_the_library_computes_today(network, swapped, monkeypatch):
    """The page would speak of networks that nobody gets any more."""
    table = stored_shuffled.stored("shuffled")
    row = table[(table.network == network) & (table.split == "writers") & (table.swapped == swapped)]
    row = row.set_index("seed").loc[3]
    # only the setting that was chosen: to choose again would take four times as long
    monkeypatch.setitem(stored_shuffled.SETTINGS, network, ((row.dropout, row.learning_rate),))
    again = stored_shuffled.run_digits(network, "writers", swapped, 3)
    assert again["digits"] == row.digits
    for name in ("validation", "accuracy"):  # rounding differs from one processor to another
        assert again[name] == pytest.approx(row[name], abs=0.016), name


def test_the_stored_columns_are_what_the_library_computes_today():
    row = stored_shuffled.stored("shuffled_columns").set_index(["order", "seed"]).loc["shuffled", 3]
    again = stored_shuffled.run_columns("shuffled", 3)
    assert again == pytest.approx(dict(row), rel=0.02)


def test_settings_are_chosen_on_validation_rows_and_the_test_is_read_once(monkeypatch):
    X, y = datasets.load_digits()
    kept, test = over_seeds.parts("writers", 1, np.arange(len(X)))
    learn, watch = over_seeds.parts("writers", 1, kept)
    calls = []

    class Says:
        params = np.zeros(3)

        def __init__(self, right):
            self.right = right

        def predict(self, images):
            rows = {len(watch): watch, len(test): test}[len(images)]
            calls.append(("predict", len(images)))
            return y[rows] if self.right else 1 - y[rows]

    def trained(network, dropout, rate, images, targets, seed):
        calls.append((dropout, rate, len(images), np.array_equal(targets, y[learn])))
        return Says((dropout, rate) == stored_shuffled.SETTINGS["windows"][1])

    monkeypatch.setattr(stored_shuffled, "trained", trained)
    found = stored_shuffled.run_digits("windows", "writers", 32, 1)
    assert (found["dropout"], found["learning_rate"]) == stored_shuffled.SETTINGS["windows"][1]
    assert (found["validation"], found["accuracy"]) == (1, 1)
    tried = [(*setting, len(learn), True) for setting in stored_shuffled.SETTINGS["windows"]]
    assert calls[:-2:2] == tried
    assert calls[1:-2:2] == [("predict", len(watch))] * 3
    assert calls[-2:] == [(0.5, 0.003, len(kept), False), ("predict", len(test))]


def test_both_networks_have_as_many_parameters():
    sizes = [make().build((8, 8, 1)).params.size for make in stored_shuffled.NETWORKS.values()]
    assert sizes == [6090, 6085]
    assert max(sizes) / min(sizes) < 1.02


def test_pairs_change_places_and_nothing_is_lost():
    for seed in range(3):
        assert np.array_equal(stored_shuffled.new_order(0, seed), np.arange(64))
        before = np.arange(64)
        for swapped in stored_shuffled.SWAPS[1:]:
            order = stored_shuffled.new_order(swapped, seed)
            assert np.array_equal(order[order], np.arange(64))  # swapped twice is not swapped
            moved = order != np.arange(64)
            assert moved.sum() == 2 * swapped
            assert np.array_equal(order[before != np.arange(64)], before[before != np.arange(64)])
            before = order
    assert not np.array_equal(stored_shuffled.new_order(32, 0), stored_shuffled.new_order(32, 1))


def test_rearranged_pictures_hold_the_same_pixels_in_the_order_given():
    X = np.arange(2 * 4 * 4).reshape(2, 4, 4, 1)
    order = np.random.default_rng(0).permutation(16)
    moved = stored_shuffled.rearranged(X, order)
    assert np.array_equal(moved.reshape(2, 16), X.reshape(2, 16)[:, order])
    mirror = np.arange(16).reshape(4, 4)[:, ::-1].ravel()
    assert np.array_equal(stored_shuffled.rearranged(X, mirror), X[:, :, ::-1])


def test_a_dense_network_does_not_notice_a_shuffle_and_windows_do():
    """The same start in the new order is the same network for the one, and another for the other."""
    X, y = datasets.load_digits()
    order = stored_shuffled.new_order(32, 0)
    moved = stored_shuffled.rearranged(X, order)
    said = {}
    for name, make in stored_shuffled.NETWORKS.items():
        for images in (X, moved):
            model = make(seed=2).build((8, 8, 1))
            if name == "dense" and images is moved:
                W = model.layers[1].params["W"]
                W[...] = W[order]
            model.fit(images[:160], y[:160], loss="categorical_crossentropy", optimizer=nn.Adam(0.003), epochs=3)
            said[name, images is moved] = model.predict(images[-100:])
    assert np.abs(said["dense", True] - said["dense", False]).max() < 1e-4  # float32
    assert np.abs(said["windows", True] - said["windows", False]).max() > 0.1
