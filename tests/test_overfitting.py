"""The stored tables of the pages "Overfit on purpose" and "Hold it back": complete, made by this code, true today."""

import numpy as np
import overfitting
import pytest
from stored_results import code_hash

import nnlib as nn
from nnlib.course import datasets

TABLES = ("sizes", "batches", "remedies")


@pytest.mark.parametrize("name", TABLES)
def test_the_stored_tables_were_made_by_this_code(name):
    assert overfitting.made(name)["code"] == code_hash(*overfitting.CODE)


def test_the_stored_tables_are_complete():
    seeds = len(overfitting.SEEDS)
    sizes, batches, remedies = (overfitting.stored(name) for name in TABLES)
    assert len(sizes) == len(overfitting.DEPTHS) * len(overfitting.WIDTHS) * seeds
    assert len(batches) == len(overfitting.BATCHES) * len(overfitting.STOPS) * seeds
    for name, doses in overfitting.DOSES.items():
        part = remedies[remedies.name == name]
        assert sorted(set(part.dose)) == sorted(doses)
        assert (part.groupby("dose").seed.nunique() == seeds).all()
    for table in (sizes, batches, remedies):
        assert not table.duplicated(subset=[c for c in table if table[c].dtype != float or c == "dose"]).any()
        assert np.isfinite(table.select_dtypes("number")).all(axis=None)


@pytest.mark.parametrize("batch_size", [32, 240])
def test_the_stored_table_is_what_the_library_computes_today(batch_size):
    """The pages would speak of networks that nobody gets any more."""
    again = overfitting.run_batch(batch_size, 3, (5, 10))
    table = overfitting.stored("batches").query(f"batch_size == {batch_size} and seed == 3").set_index("epochs")
    for epochs, readings in again.items():
        for part, value in readings.items():  # rounding differs from one processor to another
            assert value == pytest.approx(table.loc[epochs, part], rel=0.02), (epochs, part)


def test_three_sets_are_disjoint_and_hold_every_fifth():
    y = np.log(datasets.outbreak(seed=5).table["R"].to_numpy())
    rows = overfitting.three_sets(y, 5)
    assert sorted(np.concatenate(list(rows.values()))) == list(range(400))
    fifth = np.argsort(np.argsort(y, kind="stable")) // 80
    for part, size in zip(overfitting.PARTS, (240, 80, 80), strict=True):
        counts = np.bincount(fifth[rows[part]], minlength=5)
        assert counts.sum() == size
        assert (abs(counts - size / 5) <= 2).all()  # equal R at the borders


def test_columns_say_what_the_table_says():
    table = datasets.outbreak(seed=1).table
    X, logs = overfitting.columns(table), overfitting.columns(table, logs=True)
    assert X.shape == (400, 14)
    assert np.array_equal(X[:, 5:11].sum(1), np.ones(400))
    assert np.array_equal(X[:, 11:].sum(1), np.ones(400))
    assert np.allclose(np.exp(logs[:, [0, 2]]), X[:, [0, 2]])
    assert np.array_equal(np.delete(logs, [0, 2], 1), np.delete(X, [0, 2], 1))
    assert overfitting.CATEGORIES["province"][X[7, 5:11].argmax()] == table["province"][7]


def test_only_training_regions_scale_and_only_they_grow():
    few, many = overfitting.regions(2), overfitting.regions(2, more=100)
    assert np.allclose(few.X["training"][:, :5].mean(0), 0)
    assert np.allclose(few.X["training"][:, :5].std(0), 1)
    assert abs(few.X["validation"][:, :5].mean(0)).max() > 1e-3
    assert (len(few.X["training"]), len(many.X["training"])) == (240, 340)
    for part in ("validation", "test", "new"):
        assert np.array_equal(few.y[part], many.y[part])
    assert few.floor == pytest.approx(28.17, abs=0.01)


def test_penalized_adam_adds_the_penalty_to_weights_only():
    params, grads = np.array([2.0, -1.0, 3.0]), np.array([0.5, 0.5, 0.5])
    plain, penalized = nn.Adam(0.1), overfitting.Penalized(0.1, 0.4)
    for optimizer in (plain, penalized):
        optimizer.init(3, decayed=2)
    by_hand, held = params.copy(), params.copy()
    plain.step(by_hand, grads + 0.4 * np.array([2.0, -1.0, 0.0]))
    penalized.step(held, grads.copy())
    assert np.allclose(by_hand, held)


def test_early_stopping_is_that_of_the_library():
    """`Follow` reads where it would have ended a training, and lets it go on."""
    data = overfitting.regions(4)
    _, follow = overfitting.train(data, overfitting.network(8, seed=4), epochs=120)
    y = data.y["training"]
    stop = nn.EarlyStopping(patience=overfitting.PATIENCE)
    model = overfitting.network(8, seed=4)
    model.fit(
        data.X["training"],
        (y - y.mean()) / y.std(),
        loss="mse",
        optimizer=nn.Adam(0.003),
        epochs=120,
        batch_size=overfitting.BATCH,
        validation_data=(data.X["validation"], (data.y["validation"] - y.mean()) / y.std()),
        callbacks=[stop],
    )
    assert follow.stopped["epoch"] == stop.best_epoch
    said = y.mean() + y.std() * model.predict(data.X["new"])
    assert follow.stopped["new"] == pytest.approx(overfitting.thousandths(said, data.y["new"]))
