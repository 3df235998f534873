"""The insurance table: where it is looked for, and what is wrong with a file that is not it."""

import csv
import difflib
import io

from . import download
from .download import DataError, short
from .twin import CATEGORIES, insurance_twin

COLUMNS = ("age", "sex", "bmi", "children", "smoker", "region", "charges")
# (whole number?, smallest, largest, unit): wide enough for any real client, narrow enough to catch a slip
NUMBERS = {
    "age": (True, 0, 120, "years"),
    "bmi": (False, 5, 150, "kg/m²"),
    "children": (True, 0, 20, "children"),
    "charges": (False, 0, 10_000_000, "US dollars a year"),
}


def load_insurance(path=None, *, source="auto", own_table=False):
    """Medical cost of 1,338 insured persons: age, sex, bmi, children, smoker, region → charges.

    The table "Medical Cost Personal" of Lantz, *Machine Learning with R* (2013), one row per person.
    It is looked for in this order, and every copy must match the published checksum:

    1. ``insurance.csv`` in the folder named by the environment variable ``NNLIB_DATA_DIR``
       (a relative name counts from the working folder, else from the nearest folder around it that has it);
    2. the cache of earlier downloads (``pooch.os_cache("nnlib")``);
    3. a download from its public address (``registry.json`` beside this file), to a temporary name first;
    4. where there is no network, :func:`insurance_twin`, and one printed line says so.

    Parameters
    ----------
    path : str or path-like, optional
        Read this file and look nowhere else.
    source : {"auto", "real", "twin"}
        "auto" searches as above; "real" does too, but raises where it would take the twin;
        "twin" returns the twin at once.
    own_table : bool
        With `path`: accept any table with these seven columns, not only the published one. A cut
        that falls between two lines cannot be noticed then, as there is no checksum to compare.

    Returns
    -------
    pandas.DataFrame
        Columns ``age`` (years, int), ``sex``, ``bmi`` (kg/m²), ``children`` (int), ``smoker``
        ("no", "yes"), ``region``, ``charges`` (US dollars a year). ``attrs["source"]`` is "real",
        "twin" or "own" and ``attrs["file"]`` the file that was read (None for the twin).

    Raises
    ------
    DataError
        The file is not the published table. Every problem is named with column and line; lines are
        counted from 1 as an editor shows them, so the header is line 1.
    FileNotFoundError
        `path` names nothing, ``NNLIB_DATA_DIR`` is set to a folder without the table, or `source` is "real"
        and nothing could be reached.
    """
    if source not in ("auto", "real", "twin"):
        raise ValueError(f"source must be 'auto', 'real' or 'twin'; got {source!r}")
    if path is not None and source == "twin":
        raise ValueError("path and source='twin' exclude each other: the twin is generated, not read")
    if own_table and path is None:
        raise ValueError("own_table=True needs path: the name of your own table")
    if source == "twin":
        return insurance_twin()

    entry = download.registry()["insurance"]
    if path is not None:
        return _read(download.existing(path), None if own_table else entry)

    path, problem = download.find(entry)
    if problem is None:
        return _read(path, entry)
    if source == "real":
        raise FileNotFoundError(f"{entry['file']} is not in {path.parent}, NNLIB_DATA_DIR is not set, and {problem}")
    print(f"{entry['file']}: {problem}; using the simulated twin instead; help(insurance_twin) says how it is made.")
    return insurance_twin()


def _read(path, entry):
    """Parse and check one file; `entry` is its registry entry, or None for a reader's own table."""
    import pandas as pd

    content = path.read_bytes()
    rows, problems = _parse(content)
    if problems:
        raise download.problems_of(path, "insurance table", problems)
    if entry is not None and download.sha256(content) != entry["sha256"]:
        plain = content.removeprefix(download.BYTE_ORDER_MARK).replace(b"\r\n", b"\n")
        same = download.sha256(plain) == entry["sha256"]
        why = "its numbers are the same, but a program (a spreadsheet?) has saved it in its own way; " if same else ""
        raise DataError(
            f"{path} is not the published insurance table: {why}sha256 must be {entry['sha256']}; got "
            f"{download.sha256(content)} ({len(rows):,} rows in {len(content):,} bytes; published {entry['rows']:,} in "
            f"{entry['bytes']:,}). Delete the file to have it downloaded again; read a table of your own "
            f"with load_insurance(path=..., own_table=True)."
        )
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table.attrs = {"source": "own" if entry is None else "real", "file": str(path)}
    return table


def _parse(content):
    """Rows as tuples in the order of COLUMNS, and a list of what is wrong with which line."""
    text, problems = download.text_of(content, COLUMNS)
    if problems:
        return [], problems
    if not text.strip():
        return [], [f"line 1: must hold the header {','.join(COLUMNS)}; the file is empty"]

    header, rows, problems, blank = None, [], [], None
    for line, written in enumerate(io.StringIO(text, newline=None), 1):
        try:  # line by line: no value holds a line break, and a quotation mark left open would swallow all that follows
            fields = next(csv.reader([written], strict=True))
        except csv.Error as error:
            quotes = "a quotation mark opens a value and none closes it" if written.count('"') % 2 else error
            problems.append(f"line {line}: must be comma-separated values; {quotes}")
            if header is None:
                return [], problems
            continue
        if header is None:
            header = fields
            problems = _header_problems(header)
            if problems:
                return [], problems
        elif not fields:  # blank lines are harmless at the end of a file, and nowhere else
            blank = blank or line
        else:
            if blank is not None:
                problems.append(f"line {blank}: must hold {len(header)} values; got a blank line")
                blank = None
            found = _row_problems(dict(zip(header, fields, strict=False)), len(fields), header)
            problems += [f"line {line}{problem}" for problem in found]
            if not found:
                row = dict(zip(header, fields, strict=True))
                rows.append(tuple(_value(name, row[name]) for name in COLUMNS))
    if not rows and not problems:
        problems.append("line 2: must hold the first person; the file ends after the header")
    return rows, problems


def _header_problems(header):
    if len(header) == 1 and set(";\t|") & set(header[0]):
        return [f"line 1: columns must be separated by commas; got {short(header[0])}"]
    problems = []
    unknown = [name for name in header if name not in COLUMNS]
    missing = [name for name in COLUMNS if name not in header]
    for name in missing:
        near = difflib.get_close_matches(name, unknown, n=1) or unknown
        hint = f" (is it {near[0]!r}?)" if near else ""
        problems.append(f"line 1, column {name!r}: missing{hint}; the header is {short(','.join(header))}")
    for name in unknown:
        problems.append(f"line 1, column {short(name)}: unknown; allowed are {', '.join(COLUMNS)}")
    for name in sorted({name for name in header if name in COLUMNS and header.count(name) > 1}):
        problems.append(f"line 1, column {name!r}: must appear once; appears {header.count(name)} times")
    return problems


def _row_problems(row, count, header):
    if list(row.values()) == header:
        return [": the header must appear once, in line 1; here it is again"]
    if count < len(header):
        return [
            f", column {header[count]!r}: missing; the line holds {count} of {len(header)} values "
            f"(is the file cut off here?)"
        ]
    if count > len(header):
        return [f": must hold {len(header)} values; got {count}"]
    problems = []
    for name, text in row.items():
        problem = _value_problem(name, text)
        if problem:
            problems.append(f", column {name!r}: {problem}")
    return problems


def _value_problem(name, text):
    """What is allowed in column `name` and what came, or None if `text` is allowed."""
    if name in CATEGORIES:
        if text in CATEGORIES[name]:
            return None
        return f"must be one of {', '.join(CATEGORIES[name])}; got {short(text)}"
    return download.number_problem(text, *NUMBERS[name])


def _value(name, text):
    if name in CATEGORIES:
        return text
    return int(text) if NUMBERS[name][0] else float(text)
