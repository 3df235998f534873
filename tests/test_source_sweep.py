"""The sweep of the insurance project: what `train_source` reads off one training, and the same sweep on a cluster."""

import functools
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from insurance_project import prepare, source_network, split
from source_sweep import GRID, train_source
from stored_results import stored

import nnlib as nn
from nnlib.course.datasets import insurance_twin

READINGS = ["val_rmse", "test_rmse", "best_val_rmse", "best_test_rmse"]


@pytest.fixture(scope="module")
def data():
    return prepare(*split(insurance_twin()))


def test_one_training_gives_the_results_of_separate_ones(data):
    """A reader who trains each number of epochs by itself must find what the table says."""
    shared = train_source(data, "Adam", 0.01, 128, epochs=[2, 5, 9])
    for epochs in (2, 5, 9):
        assert train_source(data, "Adam", 0.01, 128, epochs=[epochs]) == {epochs: shared[epochs]}


@pytest.mark.parametrize("target", ["dollars", "standardized"])
def test_the_readings_are_errors_in_dollars_of_the_last_and_of_the_best_weights(data, target, tmp_path):
    """Against the library's own checkpoint and predictions turned back into dollars by hand."""
    epochs = 30
    (X, y), (X_val, y_val), (X_test, y_test) = data
    mean, unit = (y.mean(), y.std()) if target == "standardized" else (0.0, 1.0)
    network = source_network(seed=7)
    network.fit(
        X,
        (y - mean) / unit,
        loss="mse",
        optimizer=nn.Adam(0.01),
        epochs=epochs,
        batch_size=64,
        validation_data=(X_val, (y_val - mean) / unit),
        metrics=["rmse"],
        callbacks=[
            nn.ModelCheckpoint(tmp_path / "best.npz", monitor="val_rmse"),
            nn.ReduceLROnPlateau("val_rmse", factor=0.1, patience=5, min_delta=1e-4 / unit, min_learning_rate=1e-7),
        ],
    )

    def rmse(model, X, y):
        return np.sqrt(np.mean((mean + unit * model.predict(X) - y) ** 2))

    best = nn.load(tmp_path / "best.npz")
    expected = [rmse(network, X_val, y_val), rmse(network, X_test, y_test), rmse(best, X_val, y_val)]
    expected.append(rmse(best, X_test, y_test))
    result = train_source(data, "Adam", 0.01, 64, epochs=[epochs], target=target, seed=7)[epochs]
    assert result["trained"] == epochs
    np.testing.assert_allclose([result[name] for name in READINGS], expected, rtol=1e-4)


def test_a_diverged_training_is_nan_and_says_so(data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # one warning for each of 18 trainings would drown the table
        results = train_source(data, "SGD", 0.1, 32, epochs=[64, 512])
    for result in results.values():
        assert result["diverged"]
        assert result["trained"] == 1
        assert np.isnan(result["val_rmse"])
        assert np.isnan(result["test_rmse"])


def test_early_stopping_ends_a_training_ten_epochs_after_its_best(data):
    result = train_source(data, "Adam", 0.1, 256, epochs=[512], seed=42)[512]
    assert 11 <= result["trained"] < 512
    assert result["best_val_rmse"] < result["val_rmse"]


@pytest.mark.parametrize("source", ["real", "twin"])
def test_the_stored_table_is_complete_and_that_of_this_code(source, data):
    """The chapter's text speaks of these rows; after a change of the training that leaves them it would lie."""
    table = stored(f"sweep_{source}")
    seeds = table[table.loss == "mse"].groupby(["target", "seed"])
    assert len(seeds) == 2 * 11
    settings = ["optimizer", "learning_rate", "batch_size", "epochs"]
    wanted = pd.MultiIndex.from_product(GRID.values(), names=GRID)
    for _, rows in seeds:
        there = pd.MultiIndex.from_frame(rows[list(GRID)])
        assert there.is_unique
        assert wanted.isin(there).all()
    if source == "twin":
        row = table.query("loss == 'mse' and target == 'standardized' and seed == 42 and trained < 15").iloc[0]
        setting = {name: row[name] for name in settings}
        again = train_source(data, **setting | {"epochs": [row.epochs]}, target=row.target)[row.epochs]
        np.testing.assert_allclose(
            [again[name] for name in READINGS], row[READINGS].to_numpy(float), rtol=0.02
        )  # rounding differs from one processor to another


def test_the_sweep_runs_on_a_dask_cluster_of_processes_with_the_same_results(data, tmp_path):
    """What the chapter says of a larger machine: the same call, under another joblib backend."""
    distributed = pytest.importorskip("distributed")
    train = functools.partial(train_source, data)
    grid = {
        "optimizer": ["Adam", "SGD"],
        "learning_rate": [1e-3],
        "batch_size": [128, 256],
        "target": ["dollars", "standardized"],
        "epochs": [2, 4],
    }
    here = nn.sweep(train, grid, directory=tmp_path / "here", shared="epochs", workers=1, progress=False)
    with (
        distributed.LocalCluster(processes=True, n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        there = nn.sweep(train, grid, directory=tmp_path / "there", shared="epochs", progress=False)
    assert not here["error"].any()
    assert here["diverged"].tolist() == [False] * 8 + [True, True, False, False] * 2
    columns = here.columns.drop("seconds")
    pd.testing.assert_frame_equal(here[columns], there[columns], rtol=1e-6)
