"""A sweep loses nothing, repeats nothing, says what failed, and gives the same table on every backend."""

import functools
import hashlib
import importlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import threadpoolctl

import nnlib
from nnlib.sweep import sweep

sys.path.insert(0, str(Path(__file__).parent))  # workers look there too
import sweep_driver

TRAININGS = len(sweep_driver.GRID["rate"]) * len(sweep_driver.GRID["batch"])
RESULTS = TRAININGS * len(sweep_driver.GRID["epochs"])
quiet = functools.partial(sweep, progress=False)
sweep_module = sys.modules["nnlib.sweep"]


def product(a, b, log=None):
    if log is not None:
        with open(log, "a") as file:
            file.write(f"{a} {b}\n")
    if a == 2 and b == 10:
        raise ZeroDivisionError("two and ten")
    return {"product": a * b}


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def results_in(directory):
    return sorted(path for path in directory.glob("*.json") if path.name != "manifest.json")


# --- the table


@pytest.mark.parametrize("workers", [1, 2])
def test_rows_follow_the_grid_and_hold_grid_results_seconds_error(tmp_path, workers):
    table = quiet(product, {"a": [3, 1], "b": [10, 20]}, directory=tmp_path, workers=workers)
    assert list(table.columns) == ["a", "b", "product", "seconds", "error"]
    assert table[["a", "b", "product"]].values.tolist() == [
        [3, 10, 30],
        [3, 20, 60],
        [1, 10, 10],
        [1, 20, 20],
    ]
    assert table["product"].dtype.kind == "i"
    assert table["error"].isna().all()


def test_seconds_are_the_time_of_the_run(tmp_path):
    def nap(duration):
        time.sleep(duration)

    begun = time.perf_counter()
    table = quiet(nap, {"duration": [0.05, 0.2]}, directory=tmp_path, workers=1)
    assert (table["seconds"] >= table["duration"]).all()
    assert table["seconds"].sum() <= time.perf_counter() - begun


def test_a_table_read_back_equals_the_table_of_the_run_down_to_nan_inf_and_types(tmp_path):
    def values(a):
        return {
            "nan": np.nan,
            "inf": -np.inf,
            "third": np.float64(1) / 3,
            "single": np.float32(0.1),
            "int": np.int64(2**53 + 1),
            "flag": np.bool_(a > 0),
            "text": "ünï\n",
            "curve": [0.1, np.float64(0.2)],
        }

    fresh = quiet(values, {"a": [0, 1]}, directory=tmp_path, workers=1)
    stored = quiet(values, {"a": [0, 1]}, directory=tmp_path, workers=1)
    pd.testing.assert_frame_equal(fresh, stored)
    assert list(stored.columns[1:-2]) == list(values(0))
    row = stored.iloc[1]
    assert np.isnan(row["nan"])
    assert row["inf"] == -np.inf
    assert row["third"] == 1 / 3
    assert row["single"] == np.float32(0.1)
    assert row["int"] == 2**53 + 1
    assert stored["flag"].dtype == bool
    assert row["text"] == "ünï\n"
    assert row["curve"] == [0.1, 0.2]


def test_run_may_take_one_dict_and_return_one_value(tmp_path):
    table = quiet(lambda config: config["a"] + 1, {"a": [1, 2]}, directory=tmp_path, workers=1)
    assert table["result"].tolist() == [2, 3]


def test_numpy_arrays_are_values_and_run_gets_plain_numbers(tmp_path):
    grid = {"rate": np.logspace(-3, -1, 3), "units": np.array([8, 16])}
    kinds = quiet(lambda rate, units: f"{type(rate).__name__} {type(units).__name__}", grid, directory=tmp_path)
    assert set(kinds["result"]) == {"float int"}
    again = quiet(lambda **config: "not run", {k: v.tolist() for k, v in grid.items()}, directory=tmp_path)
    assert set(again["result"]) == {"float int"}


def test_a_value_may_be_a_list_that_holds_numbers_of_numpy(tmp_path):
    call = functools.partial(quiet, sum_of, {"sizes": [[np.int64(1), np.int64(2)], [np.float32(0.5)]]})
    for _ in range(2):  # the second reads what the first has stored
        assert call(directory=tmp_path, workers=1)["result"].tolist() == [3, 0.5]


def sum_of(sizes):
    return sum(sizes)


def test_what_run_returns_is_not_changed(tmp_path):
    """It may be something that run keeps and returns again."""
    kept = {"third": np.float64(1) / 3, "pair": (1, 2)}
    table = quiet(lambda a: kept, {"a": [1]}, directory=tmp_path, workers=1)
    assert table["pair"][0] == [1, 2]
    assert type(kept["third"]) is np.float64
    assert kept["pair"] == (1, 2)


# --- resuming


def test_a_grid_that_grows_runs_only_what_is_new_and_one_that_shrinks_nothing(tmp_path):
    log = tmp_path / "log"
    run = functools.partial(product, log=str(log))
    quiet(run, {"a": [1], "b": [10, 20]}, directory=tmp_path / "d", workers=1)
    table = quiet(run, {"b": [20, 30], "a": [1, 3]}, directory=tmp_path / "d", workers=1)
    assert sorted(lines(log)) == ["1 10", "1 20", "1 30", "3 20", "3 30"]
    assert table["product"].tolist() == [20, 60, 30, 90]
    table = quiet(run, {"a": [3], "b": [30]}, directory=tmp_path / "d", workers=1)
    assert len(lines(log)) == 5
    assert table["product"].tolist() == [90]


@pytest.mark.parametrize(("victim", "workers"), [("group", 2), ("parent", 2), ("group", 1), ("interrupt", 2)])
def test_a_killed_sweep_resumes_with_nothing_lost_and_nothing_done_twice(tmp_path, victim, workers):
    """SIGKILL to all processes, to the parent alone (its workers go on for a while), or Ctrl-C."""
    directory, log = tmp_path / "results", tmp_path / "log"
    command = [sys.executable, sweep_driver.__file__, str(directory), str(log), str(workers)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    slow = [*command, "0.3"]  # thirteen seconds in all and more
    process = subprocess.Popen(slow, env=environment, start_new_session=True, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while len(results_in(directory)) < 20:
            assert time.monotonic() < deadline, process.communicate()
            time.sleep(0.01)
        if victim == "parent":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGINT if victim == "interrupt" else signal.SIGKILL)
        process.wait(60)
        finished = {path: path.read_bytes() for path in results_in(directory)}
        assert 20 <= len(finished) < RESULTS
        subprocess.run([*command, "0"], env=environment, check=True, stderr=subprocess.PIPE)
    finally:
        os.killpg(process.pid, signal.SIGKILL) if victim == "parent" else None
        process.stderr.close()

    assert len(results_in(directory)) == RESULTS
    assert all(path.read_bytes() == content for path, content in finished.items())
    trained = lines(log)
    assert len(set(trained)) == TRAININGS
    # Only a training that the kill hit between its log line and its file, a millisecond, may be there twice.
    assert len(trained) <= TRAININGS + (workers if victim != "parent" else 0)
    in_flight = [line for line in trained if trained.count(line) > 1]
    done = {(c["rate"], c["batch"]) for c in (json.loads(text)["config"] for text in finished.values())}
    assert not {tuple(map(float, line.split())) for line in in_flight} & done
    assert {path.name for path in directory.iterdir() if path.suffix != ".json"} == set()

    expected = {}
    for rate, batch in itertools.product(sweep_driver.GRID["rate"], sweep_driver.GRID["batch"]):
        for epochs, result in sweep_driver.run(rate, batch, sweep_driver.GRID["epochs"]).items():
            expected[rate, batch, epochs] = result["loss"]
    stored = [json.loads(path.read_text()) for path in results_in(directory)]
    losses = {tuple(r["config"][name] for name in sweep_driver.GRID): r["result"]["loss"] for r in stored}
    assert losses == expected


def with_(**changes):
    return lambda text: json.dumps(json.loads(text) | changes)


DAMAGES = {
    "half": lambda text: text[: len(text) // 2],
    "empty": lambda _: "",
    "a list": lambda _: "[1, 2]",
    "deep": lambda _: "[" * 100_000,
    "result a list": with_(result=[1]),
    "result a number": with_(result=3),
    "result with a column of the grid": with_(result={"a": 7}),
    "seconds a string": with_(seconds="1"),
    "error a list": with_(error=[]),
    "config a list": with_(config=[1]),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_reported_and_runs_again(tmp_path, capsys, damage):
    log = tmp_path / "log"
    run = functools.partial(product, log=str(log))
    call = functools.partial(quiet, run, {"a": [1, 3], "b": [10, 20]}, directory=tmp_path / "d", workers=1)
    before = call()
    victim = results_in(tmp_path / "d")[2]
    victim.write_text(damage(victim.read_text()))
    after = call()
    assert victim.name in capsys.readouterr().err
    assert len(lines(log)) == 5
    pd.testing.assert_frame_equal(before.drop(columns="seconds"), after.drop(columns="seconds"))
    assert victim.with_suffix(".damaged").exists()
    call()
    assert len(lines(log)) == 5


def test_a_file_under_another_configurations_name_is_not_believed(tmp_path):
    call = functools.partial(quiet, product, {"a": [1, 3], "b": [20]}, directory=tmp_path, workers=1)
    call()
    first, second = results_in(tmp_path)
    second.write_bytes(first.read_bytes())
    assert call()["product"].tolist() == [20, 60]


def test_two_sweeps_in_one_directory_share_the_work(tmp_path):
    log = tmp_path / "log"
    command = [sys.executable, sweep_driver.__file__, str(tmp_path / "d"), str(log), "1", "0.02"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    both = [subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert len(lines(log)) == len(set(lines(log))) == TRAININGS


# --- whose directory


def test_a_directory_of_another_run_version_names_or_shared_is_refused(tmp_path):
    grid = {"a": [1], "b": [20]}
    call = functools.partial(quiet, directory=tmp_path, workers=1)
    call(product, grid, version=1)
    call(product, grid, version=1)
    with pytest.raises(ValueError, match=r"results of run = '.*product'; this call has '.*other'"):
        call(other, grid, version=1)
    with pytest.raises(ValueError, match="version = 1; this call has 2"):
        call(product, grid, version=2)
    with pytest.raises(ValueError, match="shared = None; this call has 'b'"):
        call(product, grid, version=1, shared="b")
    with pytest.raises(ValueError, match="names"):
        call(product, {**grid, "log": [None]}, version=1)
    manifest = tmp_path / "manifest.json"
    before, stored = manifest.read_text(), results_in(tmp_path)
    for damaged in ('{"for', "[]", "3", "", "[" * 100_000):
        manifest.write_text(damaged)
        with pytest.raises(ValueError, match=r"manifest\.json is damaged .* delete that one file"):
            call(product, grid, version=1)
    assert results_in(tmp_path) == stored
    manifest.unlink()  # as the message says
    call(product, grid, version=1)
    assert manifest.read_text() == before


def other(a, b):
    return {"product": a + b}


def test_every_file_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    """Else a power cut leaves a name with nothing behind it, and the results of a day are empty files."""
    synced, renamed = {}, []

    def fsync(fd):
        synced[os.fstat(fd).st_ino] = os.fstat(fd).st_size

    def replace(source, target):
        assert synced[os.stat(source).st_ino] == os.stat(source).st_size > 0
        renamed.append(Path(target).name)
        rename(source, target)

    rename = os.replace
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    quiet(product, {"a": [1, 3], "b": [20]}, directory=tmp_path, workers=1)
    assert sorted(renamed) == sorted([path.name for path in results_in(tmp_path)] + ["manifest.json"])


# --- whose code

STUDY = """
import functools
import helper as tools

def study(a, log):
    with open(log, "a") as file:
        file.write(f"{a}\\n")
    return tools.double(a)
"""


def test_results_that_other_code_made_are_never_taken_silently(tmp_path, monkeypatch):
    """Neither the function's own file nor one beside it may change unnoticed; what it does not import may."""
    log, files = tmp_path / "log", {"study": STUDY, "helper": "from deep.er import n\ndef double(a): return n * a\n"}
    files |= {"er": "n = 2\n", "plots": "colour = 1\n"}
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "er.py").write_text("n = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def call(a=(1, 3), **options):
        for name in ("study", "helper", "deep", "deep.er"):
            sys.modules.pop(name, None)
        run = functools.partial(importlib.import_module("study").study, log=str(log))
        table = quiet(run, {"a": list(a)}, directory=tmp_path / "d", workers=1, **options)
        return table["result"].tolist()

    assert call() == call() == [2, 6]
    (tmp_path / "plots.py").write_text("colour = 2\n")
    assert call() == [2, 6]
    assert lines(log) == ["1", "3"]
    (tmp_path / "helper.py").write_text("def double(a): return 20 * a\n")
    with pytest.raises(
        ValueError, match=r"2 of the 3 results in .* made by other code, of study\.study, .*rerun.*keep"
    ):
        call(a=[1, 3, 5])
    assert lines(log) == ["1", "3"]
    assert call(a=[1, 3, 5], stale="keep") == [2, 6, 100]
    with pytest.raises(ValueError, match="2 of the 3 results"):  # kept once is not known for ever
        call(a=[1, 3, 5])
    assert call(a=[5]) == [100]
    assert call(a=[1, 3, 5], stale="rerun") == call(a=[1, 3, 5]) == [20, 60, 100]
    assert lines(log) == ["1", "3", "5", "1", "3"]
    (tmp_path / "study.py").write_text(STUDY.replace("double(a)", "double(a) + 1"))
    with pytest.raises(ValueError, match="3 of the 3 results"):
        call(a=[1, 3, 5])
    with pytest.raises(ValueError, match="stale must be one of keep, refuse, rerun; got 'yes'"):
        call(stale="yes")


def test_results_without_a_hash_are_those_of_other_code(tmp_path):
    call = functools.partial(quiet, product, {"a": [1, 3], "b": [20]}, directory=tmp_path, workers=1)
    call()
    first = results_in(tmp_path)[0]
    record = json.loads(first.read_text())
    del record["code"]
    first.write_text(json.dumps(record))
    with pytest.raises(ValueError, match="1 of the 2 results"):
        call()


def test_what_other_code_stores_while_a_sweep_runs_is_not_taken_either(tmp_path):
    def run(a):
        if a == 1:
            late.write_text(json.dumps(record | {"code": "another", "result": {"result": -1}}))
        return a

    quiet(run, {"a": [3]}, directory=tmp_path, workers=1)
    (late,) = results_in(tmp_path)
    record = json.loads(late.read_text())
    late.unlink()
    assert quiet(run, {"a": [1, 3]}, directory=tmp_path, workers=1)["result"].tolist() == [1, 3]


def test_failed_results_that_run_again_anyway_are_not_in_the_way(tmp_path):
    call = functools.partial(quiet, product, {"a": [2], "b": [10]}, directory=tmp_path, workers=1)
    call()
    path = results_in(tmp_path)[0]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"code": "another"}))
    with pytest.raises(ValueError, match="1 of the 1 results"):
        call()
    call(retry_failed=True)
    call()


def test_the_hash_covers_the_core_of_nnlib_and_not_where_it_lies(tmp_path):
    def code(folder):
        program = "from nnlib.sweep import _code; print(_code(len))"
        run = subprocess.run(
            [sys.executable, "-B", "-c", program], capture_output=True, text=True, check=True, cwd=folder
        )
        return run.stdout

    shutil.copytree(Path(nnlib.__file__).parent, tmp_path / "x" / "nnlib")
    before = code(tmp_path / "x")
    assert before == code(Path(nnlib.__file__).parents[1])
    for name, same in (("course/probe.py", True), ("sweep.py", True), ("layers/dense.py", False), ("losses.py", False)):
        path = tmp_path / "x" / "nnlib" / name
        text = path.read_text()
        path.write_text(text + "# another\n")
        assert (code(tmp_path / "x") == before) == same, name
        path.write_text(text)


CELL = """
def run(a):
    inner = lambda b: b + 2
    return inner(a) if a in {"x", "y", "z", 1} else 3
"""


def test_a_function_of_a_notebook_is_known_by_what_it_does(tmp_path):
    """It has no file; neither the cell around it nor its layout is part of it, and the order of a set never is."""

    def code(cell):
        namespace = {"__name__": "a notebook"}
        exec(cell, namespace)
        return sweep_module._code(namespace["run"])

    assert code(CELL) == code("grid = {'a': [1]}\n\n" + CELL.replace("    ", "  ") + "# a comment")
    changes = [("x", "x"), ("+ 2", "+ 4"), ("else 3", "else 5"), ("a in", "a not in"), ('"z"', '"w"')]
    assert len({code(CELL.replace(*change)) for change in changes}) == len(changes)
    (tmp_path / "cell.txt").write_text(CELL)
    program = (
        "import sys; from nnlib.sweep import _code; space = {'__name__': 'a notebook'}; "
        "exec(open(sys.argv[1]).read(), space); print(_code(space['run']))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "cell.txt")],
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(Path(__file__).parents[1])},
            capture_output=True,
            text=True,
            check=True,
        )
        for seed in range(3)
    ]
    assert {run.stdout.strip() for run in runs} == {code(CELL)}


@pytest.mark.parametrize(
    "run", [len, functools.partial(max, 3), type("Callable", (), {"__call__": lambda self, a: a})()]
)
def test_every_kind_of_callable_has_a_hash(run):
    assert len(sweep_module._code(getattr(run, "func", run))) == 16


# --- failures


@pytest.mark.parametrize("workers", [1, 2])
def test_one_failure_is_a_row_with_its_error_and_runs_again_only_when_asked(tmp_path, workers):
    log = tmp_path / "log"
    run = functools.partial(product, log=str(log))
    grid = {"a": [1, 2], "b": [10, 20]}
    call = functools.partial(quiet, run, grid, directory=tmp_path / "d", workers=workers)
    table = call()
    assert table["error"].fillna("").tolist() == ["", "", "ZeroDivisionError: two and ten", ""]
    assert table["product"].fillna(-1).tolist() == [10, 20, -1, 40]
    stored = [json.loads(path.read_text()) for path in results_in(tmp_path / "d")]
    traces = [record["traceback"] for record in stored if record["error"]]
    assert len(traces) == 1
    assert "in product" in traces[0]
    call()
    assert len(lines(log)) == 4
    call(retry_failed=True)
    assert len(lines(log)) == 5
    assert lines(log)[-1] == "2 10"


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"model": object()}, "TypeError: the result 'model' must be"),
        ({"weights": np.zeros(2)}, "TypeError: the result 'weights' must be"),
        ({"z": np.complex128(1j)}, "TypeError: the result 'z' must be"),
        ({"z": np.longdouble(1)}, "TypeError: the result 'z' must be"),
        ({1: 2}, "TypeError: run must return a dict whose keys are strings"),
    ],
)
def test_a_result_that_json_cannot_hold_is_an_error_that_names_it(tmp_path, result, message):
    table = quiet(lambda a: result if a else {"fine": 1}, {"a": [0, 1]}, directory=tmp_path, workers=1)
    assert table["error"][1].startswith(message)
    assert table["fine"][0] == 1


@pytest.mark.parametrize("name", ["a", "seconds", "error"])
def test_a_result_named_like_a_column_of_the_table_stops_the_sweep(tmp_path, name):
    with pytest.raises(ValueError, match=f"must not return '{name}'"):
        quiet(lambda a: {name: 1}, {"a": [1]}, directory=tmp_path, workers=1)
    assert results_in(tmp_path) == []


# --- arguments


@pytest.mark.parametrize(
    ("grid", "error", "message"),
    [
        ([1, 2], TypeError, "grid must be a dict"),
        ({}, TypeError, "grid must be a dict"),
        ({"a": []}, ValueError, r"grid\['a'\] must have at least one value"),
        ({"a": 3}, TypeError, r"grid\['a'\] must be a list"),
        ({"a": "relu"}, TypeError, r"grid\['a'\] must be a list"),
        ({"a": {1, 2}}, TypeError, r"grid\['a'\] must be a list"),
        ({"a": [1, 2, 1]}, ValueError, r"grid\['a'\] must have at least one value and none twice"),
        ({"a": [(1, 2), [1, 2]]}, ValueError, "none twice"),
        ({"a": [object()]}, TypeError, r"each value of grid\['a'\] must be"),
        ({"a": [len]}, TypeError, r"each value of grid\['a'\] must be"),
        ({1: [1]}, ValueError, "grid's names must be strings"),
        ({"error": [1]}, ValueError, "other than 'seconds' and 'error'"),
    ],
)
def test_a_bad_grid_is_refused_before_anything_runs(tmp_path, grid, error, message):
    with pytest.raises(error, match=message):
        quiet(lambda **config: 1, grid, directory=tmp_path / "d")
    assert not (tmp_path / "d").exists()


def test_bad_arguments_are_refused(tmp_path):
    grid = {"a": [1], "name": ["x"]}
    with pytest.raises(ValueError, match="shared must be a name of the grid"):
        quiet(product, grid, directory=tmp_path, shared="epochs")
    with pytest.raises(TypeError, match="shared needs numbers"):
        quiet(product, grid, directory=tmp_path, shared="name")
    for workers in (0, -1, 1.5, True, "2"):
        with pytest.raises(ValueError, match="workers must be a positive integer or None"):
            quiet(product, grid, directory=tmp_path, workers=workers)
    with pytest.raises(TypeError, match="run must be callable"):
        quiet(3, grid, directory=tmp_path)
    with pytest.raises(TypeError, match=r"run must take the grid's names \['a', 'name'\]"):
        quiet(product, grid, directory=tmp_path)


# --- shared


def epochs_seen(rate, epochs, log=None):
    with open(log, "a") as file:
        file.write(f"{rate} {epochs}\n")
    if rate < 0:
        raise ValueError("rate")
    return {epoch: {"total": rate * epoch} for epoch in epochs}


def test_values_of_the_shared_parameter_come_from_one_call_and_only_missing_ones_are_asked_for(tmp_path):
    log, directory = tmp_path / "log", tmp_path / "d"
    run = functools.partial(epochs_seen, log=str(log))
    call = functools.partial(quiet, run, directory=directory, workers=1, shared="epochs")
    table = call({"epochs": [4, 1, 2], "rate": [1, -1]})
    assert lines(log) == ["1 (1, 2, 4)", "-1 (1, 2, 4)"]
    assert table["epochs"].tolist() == [4, 4, 1, 1, 2, 2]
    assert table["total"].fillna(0).tolist() == [4, 0, 1, 0, 2, 0]
    assert table["error"].notna().tolist() == [False, True] * 3
    table = call({"epochs": [8, 4, 16], "rate": [1]})
    assert lines(log)[2:] == ["1 (8, 16)"]
    assert table["total"].tolist() == [8, 4, 16]
    results_in(directory)[0].unlink()
    call({"epochs": [1, 2, 4], "rate": [1, -1]})
    call({"epochs": [8, 16], "rate": [1]})
    assert len(lines(log)) == 4


def test_a_shared_run_may_return_a_list(tmp_path):
    table = quiet(
        lambda epochs: [e * e for e in epochs],
        {"epochs": [3, 1]},
        directory=tmp_path,
        workers=1,
        shared="epochs",
    )
    assert table["result"].tolist() == [9, 1]


@pytest.mark.parametrize("result", [[1], {1: 1}, 5, {"1": 1, "2": 1}])
def test_a_shared_run_that_leaves_a_value_out_is_an_error(tmp_path, result):
    table = quiet(lambda epochs: result, {"epochs": [1, 2]}, directory=tmp_path, workers=1, shared="epochs")
    assert table["error"].str.contains(r"a result for each epochs of \(1, 2\)").all()


# --- where it runs


def blas_threads(a):
    np.ones((50, 50)) @ np.ones((50, 50))
    return {
        "pid": os.getpid(),
        "threads": max(pool["num_threads"] for pool in threadpoolctl.threadpool_info()),
    }


@pytest.fixture(scope="module")
def cluster():
    import dask
    import distributed

    threads = {f"{name}_NUM_THREADS": "2" for name in ("OMP", "OPENBLAS", "MKL")}  # its own default is 1
    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": threads, "distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(processes=True, n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster),
    ):
        yield cluster


def test_blas_has_one_thread_in_worker_processes(tmp_path, monkeypatch):
    for name in ("OMP", "OPENBLAS", "MKL"):
        monkeypatch.setenv(f"{name}_NUM_THREADS", "2")  # joblib hands these on: without a limit it would be 2
    table = quiet(blas_threads, {"a": list(range(8))}, directory=tmp_path, workers=2)
    assert set(table["threads"]) == {1}
    assert os.getpid() not in set(table["pid"])


@pytest.mark.parametrize("where", ["inline", "threads"])
def test_blas_has_one_thread_inside_this_process_and_its_own_number_afterwards(tmp_path, where):
    with threadpoolctl.threadpool_limits(2), joblib.parallel_config(backend="threading"):
        before = blas_threads(0)["threads"]
        table = quiet(blas_threads, {"a": list(range(8))}, directory=tmp_path, workers=1 if where == "inline" else 2)
        assert set(table["pid"]) == {os.getpid()}
        assert set(table["threads"]) == {1}
        assert blas_threads(0)["threads"] == before


def test_the_same_call_runs_on_a_dask_cluster_of_processes(tmp_path, cluster):
    grid = {"rate": [0.1, 0.2], "batch": [8, 16], "epochs": [4, 1, 2]}
    run = sweep_driver.run
    with joblib.parallel_config(backend="dask"):
        table = quiet(blas_threads, {"a": list(range(8))}, directory=tmp_path / "blas")
        shared = quiet(run, grid, directory=tmp_path / "dask", shared="epochs")
        failing = quiet(product, {"a": [2, 3], "b": [10]}, directory=tmp_path / "failing")
    assert os.getpid() not in set(table["pid"])
    assert set(table["threads"]) == {1}
    assert set(shared["pid"]) <= set(table["pid"])
    here = quiet(run, grid, directory=tmp_path / "here", shared="epochs", workers=1)
    same = ["rate", "batch", "epochs", "loss"]
    pd.testing.assert_frame_equal(shared[same], here[same])
    assert failing["error"][0] == "ZeroDivisionError: two and ten"
    assert failing["product"][1] == 30
    again = quiet(run, grid, directory=tmp_path / "dask", shared="epochs", workers=1)
    pd.testing.assert_frame_equal(shared, again)


class Unreadable:
    """What a function is to a cluster that does not have its module."""

    def __call__(self, a):
        return a

    def __reduce__(self):
        return (__import__, ("module_that_no_worker_has",))


def dies(a):
    os._exit(1) if a else None


def test_a_dask_worker_that_dies_or_lacks_the_module_is_an_error_not_a_wait(tmp_path, cluster):
    from distributed import KilledWorker

    with joblib.parallel_config(backend="dask"):
        with pytest.raises(RuntimeError, match="Error during deserialization"):
            quiet(Unreadable(), {"a": [0, 1]}, directory=tmp_path / "unreadable")
        with pytest.raises(KilledWorker):
            quiet(dies, {"a": [0, 1]}, directory=tmp_path / "dies")


def test_a_process_that_dies_ends_the_sweep_with_an_error_and_keeps_what_is_finished(tmp_path):
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    def dies_late(a):
        while a and not results_in(tmp_path):
            time.sleep(0.01)
        dies(a)

    with pytest.raises(TerminatedWorkerError):
        quiet(dies_late, {"a": [0, 1]}, directory=tmp_path, workers=2)
    assert [json.loads(path.read_text())["config"] for path in results_in(tmp_path)] == [{"a": 0}]


# of JAX, where other tests of this process have used it; nothing here does
@pytest.mark.filterwarnings(r"ignore:os\.fork\(\) was called")
@pytest.mark.parametrize("backend", ["threading", "multiprocessing", "sequential"])
def test_other_joblib_backends_give_the_same_table(tmp_path, backend):
    with joblib.parallel_config(backend=backend):
        table = quiet(product, {"a": [1, 3], "b": [10, 20]}, directory=tmp_path, workers=2)
    assert table["product"].tolist() == [10, 20, 30, 60]


def test_a_worker_knows_its_directory_by_what_is_in_it(tmp_path):
    """On another machine there may be none of that name, or one that belongs to another sweep."""
    make = functools.partial(sweep_module._Store, retry_failed=False, code="", stale="keep")
    store = make(tmp_path, {"run": "mine"})
    assert not store.is_here()
    store.open()
    assert store.is_here()
    assert not make(tmp_path, {"run": "another"}).is_here()


def test_results_come_back_from_workers_that_do_not_see_the_directory(tmp_path, monkeypatch):
    """Cluster nodes without a common file system: the caller writes what they return."""
    monkeypatch.setattr(sweep_module._Store, "is_here", lambda self: False)
    grid = {"a": [1, 2], "b": [10, 20]}
    table = quiet(product, grid, directory=tmp_path, workers=1)
    assert len(results_in(tmp_path)) == 4
    pd.testing.assert_frame_equal(table, quiet(other_name(product), grid, directory=tmp_path, workers=1))


def other_name(run):
    """Return a function under run's name that must not be called."""

    @functools.wraps(run)
    def fail(**config):
        raise AssertionError("ran again")

    return fail


def test_the_progress_bar_counts_stored_results_and_failures(tmp_path, capsys):
    grid = {"a": [1, 2], "b": [10, 20]}
    sweep(product, {"a": [1], "b": [10]}, directory=tmp_path, workers=1)
    assert "1/1" in capsys.readouterr().err
    sweep(product, grid, directory=tmp_path, workers=1)
    shown = capsys.readouterr().err
    assert "1/4" in shown
    assert "4/4" in shown
    assert re.findall(r"failed=(\d)", shown)[-1] == "1"
    assert re.search("run/s|s/run", shown)
    sweep(product, grid, directory=tmp_path, workers=1, progress=False)
    assert capsys.readouterr() == ("", "")


def test_importing_the_library_loads_nothing_that_only_a_sweep_needs():
    lazy = "{'pandas', 'joblib', 'tqdm', 'threadpoolctl', 'pathlib', 'traceback', 'hashlib', 'ast'}"
    code = (
        f"import sys, numpy; known = set(sys.modules); import nnlib; print(sorted({lazy} & set(sys.modules) - known))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "[]"


def test_the_directory_may_lie_in_one_that_is_not_there_yet(tmp_path):
    quiet(product, {"a": [1], "b": [10]}, directory=tmp_path / "some" / "where", workers=1)
    assert len(results_in(tmp_path / "some" / "where")) == 1


def test_files_are_found_again_by_later_versions(tmp_path):
    """Stored results outlive the library that made them: names and contents of the files are a contract."""
    quiet(product, {"a": [1], "b": [10]}, directory=tmp_path, workers=1, version="v")
    assert json.loads((tmp_path / "manifest.json").read_text()) == {
        "format": 1,
        "run": f"{product.__module__}.product",
        "names": ["a", "b"],
        "shared": None,
        "version": "v",
    }
    name = hashlib.sha256(b'{"a": 1, "b": 10}').hexdigest()[:16]
    assert [path.name for path in results_in(tmp_path)] == [f"{name}.json"]


def test_columns_are_in_order_also_where_the_first_run_has_failed(tmp_path):
    table = quiet(product, {"a": [2, 3], "b": [10]}, directory=tmp_path, workers=1)
    assert table["error"][0] == "ZeroDivisionError: two and ten"
    assert list(table.columns) == ["a", "b", "product", "seconds", "error"]


def test_failures_of_earlier_are_shown_from_the_start(tmp_path, capsys):
    grid = {"a": [2], "b": [10]}
    quiet(product, grid, directory=tmp_path, workers=1)
    sweep(product, grid, directory=tmp_path, workers=1)
    assert "failed=1" in capsys.readouterr().err


def test_one_number_among_words_is_no_shared_parameter(tmp_path):
    with pytest.raises(TypeError, match="shared needs numbers"):
        quiet(product, {"a": [1, "x"]}, directory=tmp_path, shared="a")


def test_as_many_processes_as_asked_for_and_no_more_than_there_is_work(tmp_path, monkeypatch):
    asked = []

    class Noted(joblib.Parallel):
        def __init__(self, n_jobs, **options):
            asked.append((n_jobs, options["return_as"]))
            super().__init__(n_jobs, **options)

    monkeypatch.setattr(joblib, "Parallel", Noted)
    with joblib.parallel_config(backend="threading"):
        for workers, count in ((3, 5), (3, 2)):
            quiet(blas_threads, {"a": list(range(count))}, directory=tmp_path / str(count), workers=workers)
    # and each is stored and counted as it comes, not all at the end
    assert asked == [(3, "generator_unordered"), (2, "generator_unordered")]


def test_values_may_be_words_that_no_file_could_be_named(tmp_path):
    table = quiet(lambda name: len(name), {"name": ["a/b", "x" * 300]}, directory=tmp_path, workers=1)
    assert table["result"].tolist() == [3, 300]


def test_a_run_that_goes_to_another_folder_takes_no_result_with_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()

    def wander(a):
        os.chdir(tmp_path / "elsewhere")
        return a

    quiet(wander, {"a": [1, 2]}, directory="results", workers=1)
    assert len(results_in(tmp_path / "results")) == 2
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_what_dask_is_told_about_tasks_holds_for_those_of_a_sweep(tmp_path, cluster):
    only = cluster.workers[0].worker_address
    with joblib.parallel_config(backend="dask", workers=[only]):
        table = quiet(blas_threads, {"a": list(range(8))}, directory=tmp_path)
    assert table["pid"].nunique() == 1
