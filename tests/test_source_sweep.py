"""The sweep of the insurance project: what `train_source` reads off one training, and the same sweep on a cluster."""

import datetime
import functools
import warnings

import compare_models
import joblib
import numpy as np
import pandas as pd
import pytest
import source_sweep
from insurance_project import prepare, source_network, split
from source_sweep import GRID, train_source
from stored_results import code_hash, made, stored, swept

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
def test_the_stored_table_is_complete(source):
    """The chapter would speak of trainings that nobody ran."""
    table = stored(f"sweep_{source}")
    seeds = table[table.loss == "mse"].groupby(["target", "seed"])
    assert len(seeds) == 2 * 11
    wanted = pd.MultiIndex.from_product(GRID.values(), names=GRID)
    for _, rows in seeds:
        there = pd.MultiIndex.from_frame(rows[list(GRID)])
        assert there.is_unique
        assert wanted.isin(there).all()


def test_the_stored_table_is_what_the_library_computes_today(data):
    """The chapter's text speaks of these rows; after a change of nnlib that leaves them it would lie."""
    table = stored("sweep_twin").query("loss == 'mse' and epochs == 64 and trained < 20").dropna()
    sample = table.sort_values("cpu_seconds").groupby(["target", "optimizer"]).head(1)
    assert len(sample) == 4
    for row in sample.itertuples():
        setting = {"optimizer": row.optimizer, "learning_rate": row.learning_rate, "batch_size": row.batch_size}
        again = train_source(data, **setting, epochs=[64], target=row.target, seed=row.seed)[64]
        assert again["trained"] == row.trained
        found, expected = ([source[name] for name in READINGS] for source in (again, row._asdict()))
        np.testing.assert_allclose(found, expected, rtol=0.02)  # rounding differs from one processor to another


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("sweep_real", source_sweep.CODE),
        ("sweep_twin", source_sweep.CODE),
        ("comparison_real", compare_models.CODE),
        ("comparison_twin", compare_models.CODE),
    ],
)
def test_stored_tables_were_made_by_this_code(name, code):
    """A table of other code than the one beside it; `make sweep` or `make compare` renews it."""
    about = made(name)
    assert about["code"] == code_hash(*code)
    assert datetime.date.fromisoformat(about["date"])


def test_the_hash_of_code_sees_what_it_does_and_not_how_it_looks():
    """One that sees less calls a stale table fresh, one that sees more asks for half an hour after every comment."""
    plain = "def f(x):\n    return 2 * x\n"
    same = '    def f(x):\n        """Double."""\n        # twice\n        return (2 *\n                x)\n'
    assert code_hash(plain) == code_hash(same)
    assert code_hash(plain) != code_hash(plain.replace("2", "3"))
    assert code_hash(plain, plain) != code_hash(plain)


def test_a_run_that_returns_rows_loses_none_when_the_sweep_is_stopped(tmp_path):
    done, stop = [], 3

    def run(n, kind):
        if len(done) == stop:
            raise KeyboardInterrupt
        done.append((n, kind))
        return [{"k": k, "n": n, "found": k / n if k else float("nan")} for k in range(n)]

    grid = {"n": [2, 0, 1], "kind": ["a", "b"]}
    with pytest.raises(KeyboardInterrupt):
        swept(run, grid, tmp_path / "stopped")
    stop = None
    resumed = swept(run, grid, tmp_path / "stopped")
    configurations = [(n, kind) for n in grid["n"] for kind in grid["kind"]]
    assert done == configurations  # none of them twice
    nan = float("nan")
    rows = [(2, "a", 0, nan), (2, "a", 1, 0.5), (2, "b", 0, nan), (2, "b", 1, 0.5), (1, "a", 0, nan), (1, "b", 0, nan)]
    pd.testing.assert_frame_equal(resumed, pd.DataFrame(rows, columns=["n", "kind", "k", "found"]))
    pd.testing.assert_frame_equal(resumed, swept(run, grid, tmp_path / "at once"))
    nothing = swept(run, {"n": [0], "kind": ["a"]}, tmp_path / "nothing")
    assert (*nothing.columns, len(nothing)) == ("n", "kind", 0)


def test_a_row_does_not_contradict_its_configuration_and_a_list_of_others_is_left(tmp_path):
    with pytest.raises(ValueError, match=r"other: \{'n': 1\} has the row \{'n': 2\}"):
        swept(lambda n: [{"n": n}, {"n": n + 1}], {"n": [1]}, tmp_path / "other")
    numbers = swept(lambda n: [{"k": n}, n], {"n": [1]}, tmp_path / "numbers")
    assert numbers["result"].tolist() == [[{"k": 1}, 1]]


def test_the_stored_results_lie_where_those_of_keras_lie():
    """Eight settings, ten seeds, three readings, two programs that share no random number: the means must agree.

    Of 24 differences the largest is expected at 2 or 3 standard errors. With the running variance of the paper in place
    of that of Keras the largest was 10.
    """
    keras = stored("keras_real")
    setting = ["target", "optimizer", "learning_rate", "batch_size"]
    ours = stored("sweep_real").query("loss == 'mse' and epochs == 512 and seed < 10")
    assert keras[[*setting, "seed"]].drop_duplicates().shape[0] == len(keras) == 80
    tables = [table.set_index([*setting, "seed"])[READINGS[:3]].sort_index() for table in (keras, ours)]
    tables[1] = tables[1].loc[tables[0].index]
    groups = [table.groupby(setting) for table in tables]
    error = np.sqrt(sum(group.var() for group in groups) / 10)
    assert ((groups[0].mean() - groups[1].mean()).abs() < 4 * error).to_numpy().all()


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
        distributed.LocalCluster(processes=True, n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        there = nn.sweep(train, grid, directory=tmp_path / "there", shared="epochs", progress=False)
    assert not here["error"].any()
    assert here["diverged"].tolist() == [False] * 8 + [True, True, False, False] * 2
    columns = here.columns.drop("seconds")
    pd.testing.assert_frame_equal(here[columns], there[columns], rtol=1e-6)
