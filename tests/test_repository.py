"""What may never get into the repository: addresses of one machine or registry, things that are made."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

FORBIDDEN = {
    "address of a package registry": r"pypi\.org|pythonhosted\.org|npmjs\.(org|com)|npm[m]irror",
    "path of one machine": r"(?<![\w.])/(work|root|home|Users|opt)/\w|file:///\w",
    "folder beside the repository": r"\.\./shared",
}
ALLOWED = {".ci/run": {"folder beside the repository"}}


def tracked_files():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode:
        pytest.skip("not a git checkout: nothing tells which files belong to it")
    files = [ROOT / name for name in listing.stdout.split("\0") if name]
    return [file for file in files if file.is_file()]


def faults_in(text, name):
    kinds = {kind for kind, pattern in FORBIDDEN.items() if re.search(pattern, text)}
    return kinds - ALLOWED.get(name, set())


def test_no_file_names_a_registry_or_a_path_of_one_machine():
    """Such a file works here and fails on the newcomer's machine."""
    faults = {}
    for file in tracked_files():
        name = file.relative_to(ROOT).as_posix()
        found = faults_in(file.read_bytes().decode("utf-8", errors="ignore"), name)
        if found:
            faults[name] = found
    assert faults == {}


# the stroke keeps this file from failing its own test
@pytest.mark.parametrize(
    "text",
    ["https://files.python|hosted.org/x", "see /ho|me/ada/x.csv", "cp ../sha|red/x .", "file:|///tmp/a"],
)
def test_such_a_file_is_found(text):
    assert faults_in(text.replace("|", ""), "README.md")


def test_nothing_built_and_no_large_file_is_tracked():
    """Git keeps every version of a large file for ever."""
    made = {"_build", "node_modules", ".venv", "__pycache__", ".ipynb_checkpoints"}
    for file in tracked_files():
        assert not made & set(file.relative_to(ROOT).parts), file
        assert file.stat().st_size < 500_000, f"{file} has {file.stat().st_size} bytes"


def test_the_real_insurance_table_is_not_tracked():
    """Its licence is not ours to give; the loader downloads and verifies it."""
    assert not [file for file in tracked_files() if file.name == "insurance.csv"]


def pinned(name):
    """Return the packages of a lock with their versions; one may have several, for several kinds of systems."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {line.partition(";")[0].strip() for line in lines if line and not line.startswith("#")}


def test_book_and_tests_are_locked_to_the_same_versions_and_the_book_needs_no_test():
    """A reader, or a room of thirty, should not download frameworks and browsers to open a notebook."""
    book, everything = pinned("requirements.lock"), pinned("requirements-test.lock")
    assert book < everything
    names = {line.partition("==")[0] for line in book}
    assert not names & {"jax", "keras", "optax", "playwright", "pytest", "dask", "distributed", "mypy", "ruff", "nbval"}
    assert {"jupyter-book", "jupyterlab", "scikit-learn", "ipywidgets"} <= names


def test_nothing_builds_parsers_for_seconds_when_it_starts():
    """Every tool that reads a notebook imports jsonschema, which compiled a grammar of addresses each time."""
    listing = "import nbformat, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", listing], check=True, capture_output=True, text=True).stdout.split()
    assert "jsonschema" in loaded
    assert not {"lark", "rfc3987_syntax"} & {*loaded}


def test_each_target_installs_what_its_recipe_calls():
    """From a fresh clone, and alone: `make test-notebooks` once had no pytest."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    rules = re.findall(r"^([a-z-]+):([^\n#]*)##[^\n]*\n((?:\t[^\n]*\n)+)", makefile, re.MULTILINE)
    testing = {name: needs for name, needs, recipe in rules if re.search(r"-m (pytest|ruff|mypy)", recipe)}
    assert {"test-library", "test-notebooks", "test-site", "lint", "format"} <= set(testing)
    assert {name for name, needs in testing.items() if "$(READY)" not in needs} == set()


def test_python_keeps_what_it_has_compiled_wherever_make_runs():
    """Else a hundred processes compile the same packages, which took a third of all tests' time."""
    show = "show: ; @$(PY) -c 'import sys; print(sys.dont_write_bytecode)'"
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = ["make", "--no-print-directory", f"PY={sys.executable}", f"--eval={show}", "show"]
    shown = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    assert shown.stdout == "False\n"


def test_each_reference_is_there_once_and_complete():
    """Two of one key, or one without a title, stop the build of the book after everything else has been run."""
    entries = re.split(r"^@", (ROOT / "references.bib").read_text(encoding="utf-8"), flags=re.M)[1:]
    keys = Counter(re.match(r"\w+\{([^,]+),", entry)[1] for entry in entries)
    assert [key for key, times in keys.items() if times > 1] == []
    assert [entry for entry in entries if not re.search(r"^ +title *=", entry, re.M)] == []
    assert [entry for entry in entries if entry.count("{") != entry.count("}")] == []


def test_each_stored_table_is_described():
    """Nobody trusts numbers whose rows and columns nobody explains."""
    readme = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    stored = [
        file for file in tracked_files() if file.parent.parent == ROOT / "data" and file.suffix in (".csv", ".npz")
    ]
    assert len(stored) > 50
    explained = [file for file in stored if file.parent.name != "verification"]  # those are described together
    assert [file.name for file in explained if f"`{file.name}`" not in readme] == []
