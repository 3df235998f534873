"""A notebook that passes its tests is kept for the book, as the book would have executed it; no other is."""

import re
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbval import kernel

from tools import executed, notebooks

TESTED = ["nbval-check-output"]
RUN = """
import sys, pathlib, pytest
from tools import book
book.CACHE, book.forget_what_is_outdated = pathlib.Path(sys.argv[1], "cache"), lambda: None
sys.exit(pytest.main(["-q", "-p", "tools.executed", "-p", "no:cacheprovider", "-rA", "--nbval-lax", sys.argv[1]]))
"""


def stated(source, text):
    output = new_output("execute_result", {"text/plain": text}, execution_count=1)
    return new_code_cell(source, execution_count=1, metadata={"tags": TESTED}, outputs=[output])


ASKED = "from nnlib.course import exercises as ask; ask.question(n=ask.number(3), wrong=[1, 2])(...)"
PAGES = {
    "sound": [stated(ASKED, "… Not answered yet: replace the three dots."), new_code_cell("print(6 * 7)")],
    "another_output": [new_code_cell("print(1)"), stated("41 + 2", "42"), new_code_cell("2")],
    "error": [new_code_cell("print(2)"), new_code_cell("1 / 0"), new_code_cell("2")],
    "widget": [new_code_cell("import ipywidgets; display(ipywidgets.IntSlider())"), new_code_cell("2")],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Test these pages in one run; return what it says and the notebooks that are kept."""
    folder = tmp_path_factory.mktemp("pages")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for name, cells in PAGES.items():
        page = new_notebook(cells=[new_markdown_cell("# Page"), *cells], metadata={"kernelspec": kernel})
        nbformat.write(page, folder / f"{name}.ipynb")
    done = subprocess.run(
        [sys.executable, "-c", RUN, folder], cwd=notebooks.ROOT, timeout=200, capture_output=True, text=True
    )
    kept = [nbformat.read(file, 4) for file in (folder / "cache").glob("executed/*/base.ipynb")]
    return done.stdout, kept


def test_a_notebook_that_passes_is_kept_with_all_outputs(run):
    said, kept = run
    assert not re.search(r"^FAILED .*sound", said, re.MULTILINE)
    (found,) = kept
    first, second = found.cells  # texts are not
    assert "<form" in first.outputs[0].data["text/html"]  # as the page shows it, and Jupyter does not
    assert second.outputs[0].text == "42\n"


@pytest.mark.parametrize(("name", "verdict"), [("another_output", "FAILED"), ("error", "FAILED"), ("widget", "PASSED")])
def test_no_other_is_kept(run, name, verdict):
    said, kept = run
    assert re.search(rf"^{verdict} .*{name}\.ipynb::", said, re.MULTILINE)
    assert len(kept) == 1


@pytest.mark.parametrize(("failing", "starts"), [(0, 1), (1, 2)])
def test_a_kernel_that_does_not_start_gets_a_second_start(monkeypatch, failing, starts):
    tried, stopped = [], []

    def start(self, name, **settings):
        tried.append((name, settings))
        self.km = object()
        if len(tried) <= failing:
            raise RuntimeError("Kernel info request timed out after 10 seconds!")

    monkeypatch.setattr(kernel.RunningKernel, "__init__", start)
    monkeypatch.setattr(kernel.RunningKernel, "is_alive", lambda self: True)
    monkeypatch.setattr(kernel.RunningKernel, "stop", lambda self: stopped.append(self))
    executed.Kernel("python3", cwd="here")
    assert tried == [("python3", {"cwd": "here"})] * starts
    assert len(stopped) == failing


def test_a_kernel_that_never_starts_is_an_error(monkeypatch):
    def fail(self, name):
        raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr(kernel.RunningKernel, "__init__", fail)
    with pytest.raises(RuntimeError, match="Kernel died"):
        executed.Kernel("python3")
