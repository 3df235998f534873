"""`make lab` shows what a chapter says, and lets people run chapters without changing the repository."""

import contextlib
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import TimeoutError

from tools.notebooks import dump, load, notebooks, stripped

ROOT = Path(__file__).parent.parent
CHAPTER = Path("chapters/2-foundations/13-choose-a-learning-rate.ipynb")


def as_saved_after_a_run(notebook):
    """Return the notebook as JupyterLab sends it when somebody has run all of it."""
    cells = []
    for count, cell in enumerate(notebook["cells"], start=1):
        cell = json.loads(json.dumps(cell))
        cell["metadata"] |= {"execution": {"iopub.status.busy": "2026-01-01T00:00:00Z"}, "editable": True}
        if cell["cell_type"] == "code":
            drawn = {"data": {"image/png": "iVBORw0KGgo="}, "metadata": {}, "output_type": "display_data"}
            cell |= {"execution_count": count, "outputs": [*cell["outputs"], drawn]}
            for output in cell["outputs"]:
                if output["output_type"] == "execute_result":
                    output["execution_count"] = count
        cells.append(cell)
    widgets = {"application/vnd.jupyter.widget-state+json": {"state": {}, "version_major": 2, "version_minor": 0}}
    metadata = {**notebook["metadata"], "language_info": {"name": "python", "version": "3.11.7"}, "widgets": widgets}
    return {**notebook, "cells": cells, "metadata": metadata}


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_chapter_that_was_only_run_is_stored_as_it_was(path):
    assert dump(stripped(as_saved_after_a_run(load(path)))) == path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start what `make lab` starts, in a copy of the repository; return its folder and how to ask it."""
    tmp_path = tmp_path_factory.mktemp("lab")
    for name in ("tools", "nnlib", CHAPTER.parent):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    recipe = subprocess.run(["make", "-n", "lab"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    command = next(line for line in recipe.splitlines() if "jupyterlab" in line and " -m " in line)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f" --allow-root --no-browser --ServerApp.port={port} --IdentityProvider.token=open"
    program = [sys.executable, *shlex.split(command + options)[1:]]
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "JUPYTER_PREFER_ENV_PATH": "1"}
    with open(tmp_path / "lab.log", "wb") as log:
        server = subprocess.Popen(program, cwd=tmp_path, env=environment, stdout=log, stderr=log)

    def ask(address, **request):
        full = f"http://127.0.0.1:{port}/{address}"
        with urlopen(Request(full, headers={"Authorization": "token open"}, **request), timeout=30) as answer:
            return answer.read().decode()

    try:
        for _ in range(300):
            try:
                ask("api")
                break
            except URLError:
                assert server.poll() is None, (tmp_path / "lab.log").read_text()
                time.sleep(0.2)
        yield tmp_path, f"http://127.0.0.1:{port}", ask
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:  # a busy machine ends kernels slowly
            server.kill()
            server.wait()


@pytest.fixture
def page(browser):
    """Return an empty page, and close it: JupyterLab would go on asking for its server."""
    opened = browser.new_page(viewport={"width": 1300, "height": 4000})
    yield opened
    opened.close()


def test_saving_in_jupyterlab_keeps_the_chapter_as_it_is_stored(lab):
    folder, _, ask = lab
    before = (folder / CHAPTER).read_bytes()
    saved = {"type": "notebook", "format": "json", "content": as_saved_after_a_run(load(folder / CHAPTER))}
    ask(f"api/contents/{CHAPTER}", method="PUT", data=json.dumps(saved).encode())
    assert (folder / CHAPTER).read_bytes() == before
    own = json.loads(json.dumps(saved))
    ask("api/contents/my-copy.ipynb", method="PUT", data=json.dumps(own).encode())
    assert "image/png" in (folder / "my-copy.ipynb").read_text(), "a reader's own notebook keeps its pictures"


def test_every_folder_of_the_repository_can_be_opened(lab):
    """Handouts lie in _build, which a server of chapters/ alone would not show."""
    folder, _, ask = lab
    shutil.copytree(folder / CHAPTER.parent, folder / "_build/handouts" / CHAPTER.parent)
    assert json.loads(ask(f"api/contents/_build/handouts/{CHAPTER}?content=0"))["type"] == "notebook"
    assert "/lab/tree/chapters" in (folder / "lab.log").read_text() or ask("lab/tree/chapters")


def test_roles_and_folds_of_a_chapter_are_rendered(lab, page):
    """Raw {term}`...` in the text, and folds that lie open, would make JupyterLab the poorer edition."""
    _, address, _ = lab
    page.goto(f"{address}/lab/tree/{CHAPTER}?token=open")
    shown = "[...document.querySelectorAll('.jp-MarkdownCell')].map(cell => cell.innerText).join('\\n')"
    raw = r"/\{(term|doc|ref|cite:\w)\}/"
    page.wait_for_function(f"{shown}.length > 3000 && !{raw}.test({shown})", timeout=120_000)
    assert page.locator(".jp-MarkdownCell details[open]").count() == 0


DRAWN = """
import nnlib as nn
from nnlib.course.recogniser import Recogniser
Recogniser(nn.Sequential([nn.Dense(10, "softmax")]).build((64,)))
"""


def test_a_digit_can_be_drawn_in_jupyterlab(lab, page):
    """JupyterLab runs the script of a fresh output; it has keys of its own, which the paper must keep from it."""
    folder, address, _ = lab
    cells = [{"cell_type": "code", "id": name, "metadata": {}, "source": source, "outputs": [], "execution_count": None}
             for name, source in (("figure", DRAWN.strip()), ("after", "1 + 1"))]  # fmt: skip
    notebook = {**load(folder / CHAPTER), "cells": cells}
    (folder / "chapters" / "draw.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    page.goto(f"{address}/lab/tree/chapters/draw.ipynb?token=open")
    page.get_by_text("Recogniser(nn").wait_for(timeout=120_000)
    canvas = page.locator(".recogniser-canvas")
    for _ in range(12):  # what is run before the kernel is there may be lost
        page.get_by_text("Recogniser(nn").click()
        page.keyboard.press("Control+Enter")
        with contextlib.suppress(TimeoutError):
            canvas.wait_for(timeout=10_000)
            break
    canvas.wait_for(timeout=10_000)
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 160, steps=5)
    page.mouse.up()
    for key in ("ArrowDown", "Space", "ArrowRight", "Space", "Enter", "ArrowDown"):
        page.keyboard.press(key)
    strokes = "document.querySelector('.recogniser').shown.strokes"
    # a busy JupyterLab takes the keys in one after the other
    page.wait_for_function(f"{strokes}.length === 2 && {strokes}[1].length === 2", timeout=10_000)
    assert page.evaluate(strokes)[1] == [[56, 72], [72, 72]]
    assert page.evaluate("document.activeElement.className") == "recogniser-paper"
    page.keyboard.press("Backspace")
    page.wait_for_function(f"{strokes}[1].length === 1")
