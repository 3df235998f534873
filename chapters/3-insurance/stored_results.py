"""Tables in data/insurance: what the chapters read because computing it takes longer than a reader waits.

Beside each table lies a JSON file that says when, with which versions and by which code it was made.
"""

import ast
import datetime
import hashlib
import importlib.metadata
import inspect
import json
import os
import platform
import textwrap
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
RESULTS = PROJECT / "data" / "insurance"
UNFINISHED = PROJECT / "_build"  # where a computation goes on that was stopped


def stored(name, folder=RESULTS):
    """Return a table: "sweep_real", "comparison_real", the same with "twin" in place of "real", or "keras_real"."""
    import pandas as pd

    return pd.read_csv(folder / f"{name}.csv")


def made(name, folder=RESULTS):
    """Return how a table was made: a dict with "date", "code" (see `code_hash`) and the versions of packages."""
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def readers(folder, default=None):
    """Return `stored` and `made` for the tables of a folder; a script with one table may name it as the default."""

    def stored_there(name=default):
        """Return a table by its name."""
        return stored(name, folder)

    def made_there(name=default):
        """Return how such a table was made: date, code, versions."""
        return made(name, folder)

    return stored_there, made_there


def store(table, name, code, packages=(), folder=RESULTS):
    """Write a table as `name`, whole or not at all, and beside it how it was made.

    Parameters
    ----------
    table : DataFrame
    name : str
    code : sequence of functions and classes
        What decides the numbers, apart from packages. A test compares its hash with the stored one.
    packages : sequence of str
        Names of further packages whose versions are kept.
    folder : Path
        Where to; other parts of the course have tables of their own.
    """
    about = {
        "date": datetime.date.today().isoformat(),
        "code": code_hash(*code),
        "nnlib": code_hash(*(path.read_text("utf-8") for path in library())),
        "python": platform.python_version(),
        **{
            package: importlib.metadata.version(package)
            for package in ("numpy", *packages)
        },
    }
    _write(
        folder / f"{name}.csv", table.to_csv(index=False, float_format="%.6g")
    )
    _write(folder / f"{name}.json", json.dumps(about, indent=1) + "\n")
    print(f"{len(table):,} rows in {folder / name}.csv")


def store_all(tables, code, packages=(), folder=RESULTS):
    """Write several tables, a dict by name, that the same code made; see `store`."""
    for name, table in tables.items():
        store(table, name, code, packages, folder)


def swept(run, grid, directory, shared=None, workers=1):
    """Return the rows of `nnlib.sweep`, which goes on where it was stopped; what went wrong in one of them is raised.

    Where every run returned a list of dicts there is a row for each of these, which begins with the configuration. It may
    repeat a name of the configuration with the same value; another one is refused.

    Parameters
    ----------
    run, grid, directory, shared, workers
        As of `nnlib.sweep`; rows that other code has made are made again.
    """
    import pandas as pd

    import nnlib as nn

    table = nn.sweep(
        run,
        grid,
        directory=directory,
        shared=shared,
        workers=workers,
        stale="rerun",
        progress=False,
    )
    failed = table["error"].dropna()
    if len(failed):
        raise RuntimeError(f"{directory.name}: {failed.iloc[0]}")
    print(f"{directory.name}: {table['seconds'].sum():.0f} s", flush=True)
    table = table.drop(columns=["seconds", "error"])
    if "result" not in table or not all(map(_are_rows, table["result"])):
        return table
    rows, found = [], table.pop("result")
    for config, parts in zip(table.to_dict("records"), found, strict=True):
        for row in parts:
            if any(
                row[key] != config[key] for key in row.keys() & config.keys()
            ):
                raise ValueError(
                    f"{directory.name}: {config} has the row {row}"
                )
            rows.append(config | row)
    return pd.DataFrame(rows, columns=None if rows else table.columns)


def code_hash(*parts):
    """Return 16 hexadecimal digits of what functions, classes or texts of Python do.

    Comments, docstrings and layout do not count.
    """
    digest = hashlib.sha256()
    for part in parts:
        source = part if isinstance(part, str) else inspect.getsource(part)
        tree = ast.parse(textwrap.dedent(source))
        for node in ast.walk(tree):
            if (
                isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
                and ast.get_docstring(node) is not None
            ):
                del node.body[0]
        digest.update(ast.unparse(tree).encode())
    return digest.hexdigest()[:16]


def library():
    """Return the files of the library that trains, without the course's kit and the sweep."""
    folder = PROJECT / "nnlib"
    return sorted(
        path
        for path in folder.rglob("*.py")
        if path.relative_to(folder).parts[0] not in ("course", "sweep.py")
    )


def _are_rows(found):
    if not isinstance(found, list):
        return False
    return all(isinstance(row, dict) for row in found)


def _write(path, text):
    path.parent.mkdir(exist_ok=True)
    path.with_suffix(".tmp").write_text(text, encoding="utf-8")
    os.replace(path.with_suffix(".tmp"), path)
