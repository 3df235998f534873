"""Write the zip that the participants of a workshop unpack and start: _build/handouts.zip.

    python -m tools.handouts

It holds the chapters without their solutions, the library and the data that they read, and `start.py`, which needs
Python alone. It is written anew each time; nothing that anybody has unpacked is touched.
"""

import re
import zipfile
from pathlib import Path

from tools.notebooks import ROOT, dump, load, notebooks, tags, text_of

ZIP = ROOT / "_build" / "handouts.zip"
FOLDER = "neural-networks"
# what the chapters promise and a handout does not keep
PROMISES = [
    "The solution is folded away underneath.",
    "The folded solution comes after; it is run whenever the book is built, so it is known to work.",
    "; answers and solutions stand at its end",
]
PROMISE = re.compile("|".join(r"\s*" + r"\s+".join(map(re.escape, promise.split())) for promise in PROMISES))


def without_solutions(notebook):
    """Return a notebook whose cells tagged `solution` or `withheld` are gone, and what promises them."""
    cells = [
        {**cell, "source": PROMISE.sub("", text_of(cell["source"]))} if cell["cell_type"] == "markdown" else cell
        for cell in notebook["cells"]
        if not {"solution", "withheld"} & {*tags(cell)}
    ]
    return {**notebook, "cells": cells}


def contents():
    """Return {place in the zip: bytes}."""
    held = {"start.py": ROOT / "workshop" / "start.py", "requirements.lock": ROOT / "requirements.lock"}
    library = (path for path in (ROOT / "nnlib").rglob("*.*") if "__pycache__" not in path.parts)
    tables = (path for path in (ROOT / "data").rglob("*") if path.suffix in (".csv", ".json", ".npz", ".toml"))
    held |= {path.relative_to(ROOT).as_posix(): path for path in [*library, *tables, ROOT / "LICENSE"]}
    modules = (path for path in (ROOT / "chapters").rglob("*.py") if path.name != "model_solution.py")
    held |= {f"originals/{path.relative_to(ROOT).as_posix()}": path for path in modules}
    found = {place: path.read_bytes() for place, path in held.items()}
    for path in notebooks():
        place = f"originals/{path.relative_to(ROOT).as_posix()}"
        found[place] = dump(without_solutions(load(path))).encode()
    return found


def write(target=ZIP):
    """Write the zip under a temporary name, then put it in its place; the same contents give the same bytes."""
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.writing")
    with zipfile.ZipFile(unfinished, "w") as archive:
        for place, content in sorted(contents().items()):
            archive.writestr(zipfile.ZipInfo(f"{FOLDER}/{place}"), content, zipfile.ZIP_DEFLATED)
    return unfinished.replace(target)


if __name__ == "__main__":
    print(f"For the participants: {write()}")
