"""What participants of a workshop get: a zip without a solution, started by one command, that loses no answer."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from tools import handouts, notebooks

IMPORT = re.compile(r"^\s*(?:import (\w+)|from (\w+) import)", re.MULTILINE)
SOLUTION = re.compile(r"✓ Right|[Ff]olded solution|[Ss]olutions?\s+(is|are)\s+folded|[Uu]nfold\w*\s+(the|a)\s+solution")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("room")
    with zipfile.ZipFile(handouts.write(folder / "handouts.zip")) as archive:
        archive.extractall(folder)
    return folder / handouts.FOLDER


def test_zip_holds_every_chapter_what_it_reads_and_no_solution(unpacked):
    copies = sorted((unpacked / "originals").rglob("*.ipynb"))
    assert len(copies) == len(notebooks.notebooks())
    for copy in copies:
        cells = notebooks.load(copy)["cells"]
        assert not [cell["id"] for cell in cells if {"solution", "withheld"} & {*notebooks.tags(cell)}]
        found = [
            cell["id"] for cell in cells if SOLUTION.search(json.dumps(cell, ensure_ascii=False).replace("\\n", " "))
        ]
        assert found == [], copy.name
        assert "model_solution" not in copy.read_text(encoding="utf-8"), copy.name
    assert not [*unpacked.rglob("model_solution*")]
    kept = [path for path in (notebooks.ROOT / "data").rglob("*.*") if path.suffix not in (".md", ".txt")]
    assert len(kept) > 100
    assert [path for path in kept if not (unpacked / path.relative_to(notebooks.ROOT)).is_file()] == []
    for place in (
        "start.py",
        "requirements.lock",
        "LICENSE",
        "nnlib/sequential.py",
        "nnlib/course/datasets/registry.json",
        "nnlib/course/datasets/covid.csv",
        "nnlib/course/recogniser/page.js",
        "originals/chapters/3-insurance/insurance_project.py",
        "data/insurance/sweep_twin.csv",
        "data/insurance/keras_real.json",
    ):
        assert (unpacked / place).is_file(), place
    assert not [path for path in unpacked.rglob("*") if path.suffix in (".pyc", ".png")]


def test_what_a_chapter_imports_is_in_the_zip(unpacked):
    """Also by way of another module."""
    ours = {path.stem for path in (notebooks.ROOT / "chapters").rglob("*.py")}
    held = {path.stem: path.read_text(encoding="utf-8") for path in (unpacked / "originals").rglob("*.py")}

    def missing(text, seen):
        named = {one or other for one, other in IMPORT.findall(text)} & ours - seen
        seen |= named
        return [name for name in named if name not in held or missing(held[name], seen)]

    for copy in (unpacked / "originals").rglob("*.ipynb"):
        code = [notebooks.text_of(c["source"]) for c in notebooks.load(copy)["cells"] if c["cell_type"] == "code"]
        assert missing("\n".join(code), set()) == [], copy.name


@pytest.mark.parametrize("promise", handouts.PROMISES)
def test_promises_of_a_solution_are_taken_out(promise):
    """However the lines are broken; each of them stands in some chapter, or is not needed here any more."""
    broken = "Answer.\n" + promise.replace(" ", "\n", 3) + " Go on."
    notebook = {"cells": [{"cell_type": "markdown", "metadata": {}, "source": broken}]}
    assert promise.split()[-1] not in handouts.without_solutions(notebook)["cells"][0]["source"]
    everything = " ".join(
        notebooks.text_of(cell["source"]) for path in notebooks.notebooks() for cell in notebooks.load(path)["cells"]
    )
    assert promise in " ".join(everything.split())


def test_zip_is_the_same_each_time(tmp_path):
    with zipfile.ZipFile(handouts.write(tmp_path / "a.zip")) as archive:
        assert archive.namelist() == sorted(archive.namelist())  # and not as the disk happens to list them
    assert handouts.write(tmp_path / "a.zip").read_bytes() == handouts.write(tmp_path / "b.zip").read_bytes()


def started(folder, *arguments):
    """Run start.py where the environment is there already, with a program in JupyterLab's place."""
    lock = (folder / "requirements.lock").read_bytes()
    program = (
        "import runpy, subprocess, sys\n"
        "subprocess.call = lambda command, **_: print('opens', *command[3:]) or 0\n"
        "sys.argv[:] = [sys.argv[1] + '/start.py', *sys.argv[2:]]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    (folder / ".venv").mkdir(exist_ok=True)
    (folder / ".venv" / "ready").write_text(hashlib.sha256(lock).hexdigest())
    run = subprocess.run([sys.executable, "-c", program, str(folder), *arguments], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_starting_again_keeps_what_was_written(unpacked, tmp_path):
    folder = shutil.copytree(unpacked, tmp_path / "mine")
    said = started(folder, "--port", "9999")
    assert "--LabApp.default_url=/lab/tree/chapters --port 9999" in said
    assert "left as they are" not in said
    chapter = next((folder / "chapters").rglob("01-meet-the-neuron.ipynb"))
    module = folder / "chapters" / "3-insurance" / "insurance_project.py"
    other = next((folder / "chapters").rglob("07-*.ipynb"))
    chapter.write_text("my answers")
    module.write_text("stale")
    other.unlink()
    said = started(folder)
    assert "left as they are: 1" in said
    assert chapter.read_text() == "my answers"
    assert other.is_file()
    assert module.read_bytes() == (folder / "originals/chapters/3-insurance/insurance_project.py").read_bytes()
    assert not list(folder.rglob("*.copying"))
