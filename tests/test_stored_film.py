"""The stored tables of the page "Film the training": complete, made by this code, true today."""

import numpy as np
import pytest
import stored_film
from stored_results import code_hash

import nnlib as nn


@pytest.mark.parametrize("name", ["film_course", "film_frozen"])
def test_the_stored_tables_were_made_by_this_code(name):
    assert stored_film.made(name)["code"] == code_hash(*stored_film.CODE)


def test_the_stored_tables_are_complete():
    course, frozen = stored_film.stored("film_course"), stored_film.stored("film_frozen")
    seeds = len(stored_film.SEEDS)
    assert len(course) == seeds * (stored_film.EPOCHS + 1) * len(stored_film.LAYERS)
    assert not course.duplicated(["seed", "epoch", "layer"]).any()
    assert len(frozen) == seeds * len(stored_film.WIDTHS) * sum(map(len, stored_film.RATES.values()))
    assert not frozen.duplicated(["width", "frozen", "rate", "seed"]).any()
    for table in (course, frozen):
        assert np.isfinite(table.select_dtypes("number")).all(axis=None)


@pytest.mark.parametrize("seed", [3])
def test_the_film_is_what_the_library_computes_today(seed):
    """The page would speak of networks that nobody gets any more."""
    table = stored_film.stored("film_course").query(f"seed == {seed}").set_index(["epoch", "layer"])
    rows = stored_film.run_course(seed)
    assert len(rows) == len(table)
    for row in rows:
        for key in ("left", "turned", "likeness", "strangers", "put_back", "accuracy"):
            # rounding differs from one processor to another
            assert row[key] == pytest.approx(table.loc[(row["epoch"], row["layer"]), key], abs=0.02), (row, key)


@pytest.mark.parametrize(("width", "frozen", "rate"), [(8, 1, 0.03), (2, 2, 0.1), (2, 0, 0.01)])
def test_the_frozen_networks_are_what_the_library_computes_today(width, frozen, rate):
    again = stored_film.run_frozen(width, frozen, rate, 3)
    table = stored_film.stored("film_frozen").query(f"width == {width} and frozen == {frozen} and seed == 3")
    for part, value in again.items():
        assert value == pytest.approx(table.set_index("rate").loc[rate, part], abs=0.02), part


def test_the_sets_share_no_writer():
    for seed in (0, 7):
        rows = [set(map(bytes, X)) for X, _ in stored_film.digits(seed)]
        assert sum(map(len, rows)) > 1790  # a few digits are the same to the last pixel
        assert not any(one & other for one in rows for other in rows if one is not other)


def test_likeness_is_the_mean_correlation():
    rng = np.random.default_rng(0)
    now, end = rng.random((2, 5, 4, 4, 3))
    r = np.corrcoef(now.reshape(-1, 3).T, end.reshape(-1, 3).T)[:3, 3:]
    own, others = stored_film.likeness(now, end)
    assert own == pytest.approx(np.trace(r) / 3)
    assert others == pytest.approx((r.sum() - np.trace(r)) / 6)
    now[..., 1] = 0  # an empty map has no correlation
    assert stored_film.likeness(now, end)[0] == pytest.approx((r[0, 0] + r[2, 2]) / 2)


@pytest.mark.parametrize("frozen", [0, 1, 2])
def test_a_frozen_layer_stays_and_the_halves_are_the_network(frozen):
    model = stored_film.network(5, width=4)
    (X, y), *_ = stored_film.digits(5)
    X, y = X[:64], y[:64]
    before = model.params.copy()
    first, rest = stored_film.without(model, frozen, seed=5)
    assert np.allclose(rest.predict(first(X)), model.predict(X), rtol=0, atol=1e-12)
    assert rest.params.size == sum(
        part.size for layer in stored_film.weighted(model)[frozen:] for part in layer.params.values()
    )
    start = rest.params.copy()
    stored_film.train(rest, np.ascontiguousarray(first(X)), y, epochs=2)
    assert np.array_equal(model.params, before)
    assert not np.allclose(rest.params, start)


def test_freezing_is_training_with_the_first_layer_set_back_after_each_step():
    """The shortcut of the page, to train the rest on the frozen maps, against the long way."""
    (X, y), *_ = stored_film.digits(2)
    X, y = X[:96], y[:96]
    model = stored_film.network(2)
    kept = {name: part.copy() for name, part in model.layers[0].params.items()}
    first, rest = stored_film.without(model, 1, seed=2)
    fast, slow = nn.Adam(0.01), nn.Adam(0.01)
    maps = np.ascontiguousarray(first(X))
    for _ in range(3):
        for part in np.split(np.arange(96), 3):
            rest.train_on_batch(maps[part], y[part], loss="categorical_crossentropy", optimizer=fast)
            model.train_on_batch(X[part], y[part], loss="categorical_crossentropy", optimizer=slow)
            for name, values in kept.items():
                model.layers[0].params[name][...] = values
    assert np.allclose(rest.predict(maps), model.predict(X), rtol=0, atol=1e-10)


def test_the_film_keeps_the_start_and_each_epoch():
    (X, y), *_ = stored_film.digits(1)
    model = stored_film.network(1)
    start = model.params.copy()
    film = stored_film.train(model, X[:64], y[:64], epochs=3)
    assert len(film) == 4
    assert np.array_equal(film[0][0], start)
    assert np.array_equal(film[-1][0], model.params)
    assert not np.allclose(film[1][0], film[2][0])
