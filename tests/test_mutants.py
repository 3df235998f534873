"""The tool that plants faults, on a library of two functions: one is tested well, the other hardly at all."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.mutants import PATIENCE, Repository
from tools.mutations import mutants

ROOT = Path(__file__).parent.parent
MODULE = '''
def clip(x, low):
    """Return x, or 1 + 1 where it is lower."""
    if x < low:
        return low
    return x


def double(x):
    return 2 * x


def table(size=2):
    return size * [5]


TABLE = table()
'''
WEAK = """
from nnlib.toy import TABLE, clip, double

def test_clip():
    assert [clip(1, 2), clip(2, 2), clip(3, 2)] == [2, 2, 3]

def test_double():
    assert double(0) == 0

def test_table():
    assert clip(TABLE, TABLE) == [5, 5]
"""
STRONG = WEAK.replace("double(0) == 0", "double(3) == 6")
EQUAL = """
[[mutant]]
file = "nnlib/toy.py"
function = "clip"
before = "if x < low:"
after = "if (x <= low):"
reason = "Where they are equal it does not matter which one is returned."
"""


@pytest.fixture
def toy(tmp_path):
    for name in ("nnlib", "tests"):
        (tmp_path / name).mkdir()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)  # what pytest reads there must be understood
    (tmp_path / "nnlib" / "__init__.py").touch()
    (tmp_path / "nnlib" / "toy.py").write_text(MODULE)
    (tmp_path / "tests" / "test_toy.py").write_text(WEAK)
    return tmp_path


def run(toy):
    command = [sys.executable, "-m", "tools.mutants", "--jobs", "2", "--root", str(toy)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def results(toy):
    return (toy / "_build" / "mutants" / "results.jsonl").read_text().splitlines()


def test_survivors_are_found_once_and_gone_when_tested_or_listed(toy):
    first = run(toy)
    assert first.returncode == 1, first.stderr
    # planted and found by a test: nothing is said of them
    assert "x >= low" not in first.stdout
    assert "return None" not in first.stdout
    # planted and not found: the weak test, and the change that changes nothing
    for after in ("return 3 * x", "return 1 * x", "if (x <= low):"):
        assert f'after = "{after}"' in first.stdout
    assert (toy / "nnlib" / "toy.py").read_text() == MODULE

    tried = results(toy)
    again = run(toy)
    assert again.stdout == first.stdout
    assert results(toy) == tried, "nothing has changed, so nothing need be tried again"

    (toy / "tests" / "test_toy.py").write_text(STRONG)
    (toy / "tests" / "equivalent_mutants.toml").write_text(EQUAL)
    better = run(toy)
    assert better.returncode == 0, better.stdout + better.stderr
    assert "[[mutant]]" not in better.stdout
    again = [json.loads(line) for line in results(toy)[len(tried) :]]
    by = {result["by"] for result in again} - {None}  # the module could not be imported: no test has said so
    assert by == {"tests/test_toy.py::test_double"}, "the other tests are as they were"

    (toy / "nnlib" / "toy.py").write_text(MODULE.replace("if x < low:", "if low > x:"))
    stale = run(toy)
    assert stale.returncode == 1
    assert "lists what is no mutant (any more):\nnnlib/toy.py\nclip\nif x < low:" in stale.stdout


def test_tests_that_fail_by_themselves_judge_nothing(toy):
    (toy / "tests" / "test_toy.py").write_text(WEAK.replace("== 0", "== 1"))
    refused = run(toy)
    assert refused.returncode == 1
    assert (
        "tests/test_toy.py must pass before anything is changed; ['tests/test_toy.py::test_double']" in refused.stderr
    )


def test_an_entry_without_a_reason_is_refused(toy):
    (toy / "tests" / "equivalent_mutants.toml").write_text(EQUAL.split("reason")[0])
    assert "must give a reason for" in run(toy).stderr


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", ["(a <= b)", "(a >= b)"]),
        ("a + b", ["(a - b)"]),
        ("a and b", ["(b)", "(a)"]),
        ("not a", ["(a)"]),
        ("f(a)", ["pass", "(a)"]),
        ("f(a, k=b)", ["pass", "f(a)"]),
        ("x = y[order]", ["x = y"]),
        ("x = 0.5", ["x = 1.0"]),
        ("x[0] += y", ["x[0] -= y", "pass", "x[1] += y"]),
        ("b if a or c else d", ["b if (not (a or c)) else d", "b if (c) else d", "b if (a) else d"]),
        ("def f(x: int = 1) -> int: return x", ["def f(x: int = 2) -> int: return x"]),
        ("def f(x, y=1, *, z=1): return y", ["def f(x, y=2, *, z=1): return y", "def f(x, y=0, *, z=1): return y"]),
        ("def f(x, y=1, *, z=1): return z", ["def f(x, y=1, *, z=2): return z", "def f(x, y=1, *, z=0): return z"]),
        ("def f(x, y=1, *, z=1): return x", ["def f(x, y=1, *, z=1): return None"]),
        ("def f(x, *, z=1): return x", ["def f(x, *, z=1): return None"]),
        ("y = x.reshape(2, -1)", ["y = x.reshape(3, -1)", "y = x.reshape(1, -1)", "y = x.reshape(2, (1))"]),
        ("y = x.sum(-1)", ["y = (-1)", "y = x.mean(-1)", "y = x.sum((1))", "y = x.sum(-2)", "y = x.sum(-0)"]),
        ("raise ValueError(f'{1 + a}')", ["pass"]),
        ("'''1 + 1'''", []),
        ("from a import b", []),
    ],
)
def test_what_is_changed(source, expected):
    found = [mutant.after for mutant in mutants("toy.py", source)]
    assert found[: len(expected)] == expected if source.startswith("def") else found == expected


def test_every_change_is_python_and_a_change():
    """Greek letters included: places in the source are counted in bytes."""
    source = (ROOT / "nnlib" / "losses.py").read_text(encoding="utf-8")
    data, original = source.encode(), ast.dump(ast.parse(source))
    found = mutants("losses.py", source)
    for mutant in found:
        changed = data[: mutant.start] + mutant.text.encode() + data[mutant.stop :]
        assert ast.dump(ast.parse(changed)) != original, mutant
    assert len(found) > 100


def test_what_only_importing_runs_is_first_judged_by_tests_that_run_no_line_themselves(toy):
    """They read a docstring, say; were they asked last, those that run the rest would use up the time."""
    repository, module = Repository(toy), "nnlib/toy.py"
    table = next(mutant for mutant in mutants(module, MODULE) if mutant.before == "return size * [5]")
    line = table.scopes[0][0]
    repository.heavy, repository.imported = set(), {module: {line}}
    repository.ran = {module: {line: {"tests/test_a.py::slow", "tests/test_a.py::slower"}}}
    runs = {"lines": {module: [line]}, "starts": False}
    repository.tests = {
        "tests/test_a.py::slow": runs | {"seconds": PATIENCE - 1, "lasts": 30},
        "tests/test_a.py::slower": runs | {"seconds": PATIENCE, "lasts": 30},
        "tests/test_b.py::reads": {"lines": {}, "starts": False, "seconds": 0.5, "lasts": 20},
        "tests/test_b.py::starts": {"lines": {}, "starts": True, "seconds": 0.1, "lasts": 1},
    }
    # what counts against the patience is how long they compute, what bounds a test how long it lasts: it may wait
    assert repository.stages(table) == [{"tests/test_b.py::reads": 20, "tests/test_a.py::slow": 30}]
