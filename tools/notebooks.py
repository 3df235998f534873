"""Clean notebooks.

    python -m tools.notebooks clean [path ...]     execute, keep only the outputs that tests compare
    python -m tools.notebooks strip [path ...]     the same without executing: drop outputs of untagged cells

Without paths every notebook below chapters/ and workshop/ is taken.
"""

import argparse
import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

TAGS = {
    # how a cell is shown on the page
    "hide-input", "hide-output", "hide-cell", "remove-input", "remove-output", "remove-cell", "full-width",
    # what a cell is for; "withheld": with the solution of a project, so not in the handouts
    "exercise", "self-check", "solution", "checker", "slider", "withheld",
    # how it is run and compared
    "nbval-check-output", "nbval-ignore-output", "raises-exception",
}  # fmt: skip
CLAIM = re.compile(r"claim-S\d-\d\d")

# cells that JupyterLab shows folded, as the page does
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell", "checker"}
# what myst-nb reads from a cell's `mystnb` metadata: the alt text, caption and name of its figure, and the word on
# its fold
SHOWN = {"image", "figure", "code_prompt_show", "code_prompt_hide"}
COMPARED = "nbval-check-output"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def notebooks():
    """List the notebooks of the course."""
    found = [*(ROOT / "chapters").rglob("*.ipynb"), *(ROOT / "workshop").rglob("*.ipynb")]
    return sorted(path for path in found if ".ipynb_checkpoints" not in path.parts)


def load(path):
    """Read a notebook as plain data."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def dump(notebook):
    """Write a notebook as text: one form only, so that a diff shows what was changed and nothing else."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def tags(cell):
    """Return the set of a cell's tags."""
    return set(cell.get("metadata", {}).get("tags", []))


def text_of(value):
    """Join what nbformat stores as a text or as a list of lines."""
    return value if isinstance(value, str) else "".join(value)


def lines_of(value):
    """Split a text into lines that keep their ends, as nbformat stores them."""
    return text_of(value).splitlines(keepends=True)


def compared_outputs(cell):
    """Keep the text of an output whose numbers matter, and nothing that changes from run to run."""
    kept = []
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream" and output["name"] == "stdout":
            if kept and kept[-1]["output_type"] == "stream":
                kept[-1]["text"] = lines_of(text_of(kept[-1]["text"]) + text_of(output["text"]))
            else:
                kept.append({"name": "stdout", "output_type": "stream", "text": lines_of(output["text"])})
        elif "text/plain" in output.get("data", {}):
            kept.append({
                "data": {"text/plain": lines_of(output["data"]["text/plain"])},
                "metadata": {},
                "output_type": output["output_type"],
                **({"execution_count": 1} if output["output_type"] == "execute_result" else {}),
            })  # fmt: skip
    return kept


def stripped(notebook):
    """Return the notebook in the one form that the repository keeps."""
    cells, ids = [], set()
    for number, cell in enumerate(notebook["cells"], start=1):
        marks = tags(cell)
        if "solution" in marks:
            marks = marks - {"hide-input"} | {"hide-cell"}
        metadata = {"tags": sorted(marks)} if marks else {}
        shown = {key: value for key, value in cell.get("metadata", {}).get("mystnb", {}).items() if key in SHOWN}
        name = cell.get("id") or f"cell-{number:02}"
        while name in ids:
            name += "b"
        ids.add(name)
        clean = {
            "cell_type": cell["cell_type"],
            "id": name,
            "metadata": metadata,
            "source": lines_of(text_of(cell["source"]).strip("\n")),
        }
        if cell["cell_type"] == "code":
            if marks & FOLDED:
                metadata["jupyter"] = {"source_hidden": True}
            if "solution" in marks:
                shown |= {"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
            clean["outputs"] = compared_outputs(cell) if COMPARED in marks else []
            # nbval takes outputs without a count for a mistake; a constant says nothing about the run
            clean["execution_count"] = 1 if clean["outputs"] else None
        if shown:
            metadata["mystnb"] = shown
        cells.append(clean)
    return {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}


def tidy(model, path, contents_manager):
    """Let JupyterLab save a notebook of the course in that form: whoever only reads and runs one changes no file."""
    if model["type"] == "notebook" and Path(contents_manager.root_dir, path.lstrip("/")).resolve() in notebooks():
        model["content"] = stripped(model["content"])


def executed(path):
    """Run a notebook in its own folder, as the book and JupyterLab do."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.reads(dump(stripped(load(path))), as_version=4)
    context = {"metadata": {"path": str(Path(path).parent)}}
    quiet = ["--log-level=ERROR"]  # else each kernel warns of listeners on this machine
    NotebookClient(notebook, timeout=600, kernel_name="python3", extra_arguments=quiet, resources=context).execute()
    return json.loads(nbformat.writes(notebook))


def clean(path, execute=True):
    """Bring one notebook into its form; return whether that changed it."""
    path = Path(path)
    before = path.read_text(encoding="utf-8")
    after = dump(stripped(executed(path) if execute else load(path)))
    if after != before:
        path.write_text(after, encoding="utf-8")
    return after != before


def main(arguments=None):
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("command", choices=["clean", "strip"])
    parser.add_argument("paths", nargs="*", type=Path)
    options = parser.parse_args(arguments)
    # the kernels are processes of their own that start with this environment
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))

    def attempt(path):
        try:
            return "cleaned" if clean(path, execute=options.command == "clean") else "is clean"
        except Exception as error:
            return error

    paths = options.paths or notebooks()
    failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, result in zip(paths, pool.map(attempt, paths), strict=True):
            failed += isinstance(result, Exception)
            print(f"{path}: {result}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
