"""The tables and point clouds that the chapters train on, each with its source checked or its seed stated."""

import csv
import difflib
import hashlib
import io
import json
import math
import os
import threading
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

_PROJECT = Path(__file__).resolve().parents[2]
_DOWNLOAD_SECONDS = 10  # a class with no network waits this long once, and never longer
_failed_downloads = {}  # address -> reason: one process asks a dead network once

INSURANCE_COLUMNS = ("age", "sex", "bmi", "children", "smoker", "region", "charges")
_CATEGORIES = {
    "sex": ("female", "male"),
    "smoker": ("no", "yes"),
    "region": ("northeast", "northwest", "southeast", "southwest"),
}
# (whole number?, smallest, largest, unit): wide enough for any real client, narrow enough to catch a slip
_NUMBERS = {
    "age": (True, 0, 120, "years"),
    "bmi": (False, 5, 150, "kg/m²"),
    "children": (True, 0, 20, "children"),
    "charges": (False, 0, 10_000_000, "US dollars a year"),
}


class DataError(ValueError):
    """A table that cannot be trusted; the message names the file, the line and the column."""


# ------------------------------------------------------------------------------------------------ insurance


def load_insurance(path=None, *, source="auto", own_table=False):
    """Medical cost of 1,338 insured persons: age, sex, bmi, children, smoker, region → charges.

    The table "Medical Cost Personal" of Lantz, *Machine Learning with R* (2013), one row per person.
    It is looked for in this order, and every copy must match the published checksum:

    1. ``insurance.csv`` in the folder named by the environment variable ``NNLIB_DATA_DIR``
       (a relative name counts from the working folder, else from the folder of this project);
    2. the cache of earlier downloads (``pooch.os_cache("nnlib")``);
    3. a download from its public address (``data/registry.json``), to a temporary name first;
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
        `path` or ``NNLIB_DATA_DIR`` names nothing, or `source` is "real" and nothing could be reached.
    """
    if source not in ("auto", "real", "twin"):
        raise ValueError(f"source must be 'auto', 'real' or 'twin'; got {source!r}")
    if path is not None and source == "twin":
        raise ValueError("path and source='twin' exclude each other: the twin is generated, not read")
    if own_table and path is None:
        raise ValueError("own_table=True needs path: the name of your own table")
    if source == "twin":
        return insurance_twin()

    entry = _registry()["insurance"]
    if path is not None:
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"path must name an existing file; got {str(path)!r}")
        return _read_insurance(path, None if own_table else entry)

    for folder in filter(None, (_data_dir(), _cache_dir())):
        if (folder / entry["file"]).is_file():
            return _read_insurance(folder / entry["file"], entry)
    problem = _download(entry, _cache_dir())
    if problem is None:
        return _read_insurance(_cache_dir() / entry["file"], entry)
    if source == "real":
        raise FileNotFoundError(f"{entry['file']} is in neither NNLIB_DATA_DIR nor {_cache_dir()}, and {problem}")
    print(f"{entry['file']}: {problem}; using the simulated twin instead (see data/README.md).")
    return insurance_twin()


def insurance_twin(seed=2914):
    """Charges = rule(age, sex, bmi, children, smoker, region) + extra: a simulated insurance table.

    A simulated table with the columns, row count, category counts and structure of the published
    insurance table, for machines that cannot reach it. No row of the published table is in it.

    The published charges obey one rule, to the last digit, for 91% of the persons, which shows that the
    published table is itself a simulation:

        charges = 1072 + 3.363·age² + 589·children − 489·[male] + 1.39·bmi
                  − 200·[northwest] − 583·[southeast or southwest]
                  + [smoker]·(1500 + 489·bmi + 15000·[bmi > 30])   US dollars

    The others carry an extra cost of about 14,500 ± 4,900 dollars, always positive, that no column
    foretells: the part of the error that no model can remove. The twin draws new persons and new extras
    and applies the same rule, so what a chapter says of one table holds for the other.

    Parameters
    ----------
    seed : int or numpy.random.Generator
        Same seed, same table. The default was picked out of 20,000 for lying close to the published
        table: means, quantiles, spread and group means within 7%, correlations within 0.04; and the
        rows that the chapters set aside for validation and test are as hard to predict.

    Returns
    -------
    pandas.DataFrame
        As :func:`load_insurance` returns it, with ``attrs["source"] == "twin"``.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    n = 1338
    male = rng.permutation(np.arange(n) < 676)
    region = rng.permutation(np.repeat([0, 1, 2, 3], [324, 325, 364, 325]))
    # One person in ten is 18 or 19; the ages from 20 to 64 are about equally frequent.
    age = rng.permutation(np.repeat(np.arange(18, 65), [69, 68] + 39 * [27] + [25, 25, 25, 25, 24, 24]))

    # Smokers: 159 men and 115 women, a third more often in the southeast.
    smoker = np.zeros(n, dtype=bool)
    for group, count in ((male, 159), (~male, 115)):
        weight = np.where(region == 2, 1.33, 1.0) * group
        smoker[rng.choice(n, count, replace=False, p=weight / weight.sum())] = True

    # Families: 574 persons have no children, among those under 22 more than twice as often.
    weight = np.where(age < 22, 2.4, 1.0)
    childless = np.isin(np.arange(n), rng.choice(n, 574, replace=False, p=weight / weight.sum()))
    children = np.zeros(n, dtype=np.int64)
    children[~childless] = rng.permutation(np.repeat([1, 2, 3, 4, 5], [324, 240, 157, 25, 18]))

    # One pair of rows is equal, at the places (195 and 581, from 0) of the pair in the published table.
    pair = np.flatnonzero(male & ~smoker & childless & (region == 1))[:2]
    order = np.insert(np.delete(np.arange(n), pair), [195, 580], pair)
    age, male, smoker, children, region = (column[order] for column in (age, male, smoker, children, region))
    age[581] = age[195]

    # BMI is one decimal of a normal variable, scaled by region: that is where the digits come from.
    bmi10 = np.rint(10 * np.clip(rng.normal(30.2 + 0.05 * (age - 39) + 0.5 * male, 5.78), 16.8, 50.6))
    while True:
        bmi10[581] = bmi10[195]
        persons = np.c_[age, male, bmi10, children, smoker, region]
        repeated = np.delete(np.arange(n), np.unique(persons, axis=0, return_index=True)[1])
        repeated = repeated[repeated != 581]
        if not repeated.size:
            break
        bmi10[repeated] += 1
    bmi = np.round(bmi10 * np.array([95, 95, 110, 100])[region] / 1000, 3)

    extra = np.clip(rng.normal(np.where(smoker, 12_800, 14_800), 4_900), 2_400, 25_700)
    extra[rng.random(n) >= np.where(smoker, 0.07, 0.093)] = 0.0
    extra[[195, 581]] = 0.0
    charges = (
        1072
        + 3.363 * age**2
        + 589 * children
        - 489 * male
        + 1.39 * bmi
        - np.array([0, 200, 583, 583])[region]
        + smoker * (1500 + 489 * bmi + 15_000 * (bmi > 30))
        + extra
    )
    table = pd.DataFrame(
        {
            "age": age,
            "sex": np.where(male, "male", "female"),
            "bmi": bmi,
            "children": children,
            "smoker": np.where(smoker, "yes", "no"),
            "region": np.array(_CATEGORIES["region"])[region],
            "charges": np.round(charges, 5),
        }
    )
    table.attrs = {"source": "twin", "file": None}
    return table


def _registry():
    """Address, checksum, licence and citation of every table that is downloaded."""
    return json.loads((_PROJECT / "data" / "registry.json").read_text(encoding="utf-8"))


def _data_dir():
    name = os.environ.get("NNLIB_DATA_DIR", "")
    if not name:
        return None
    # A notebook runs in its own folder, so a relative name may be meant from the project's.
    for folder in (Path(name), _PROJECT / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"NNLIB_DATA_DIR must name an existing folder; got {name!r}")


def _cache_dir():
    import pooch

    return pooch.os_cache("nnlib")


def _download(entry, folder):
    """Fetch one registered table into `folder`; return None, or in a few words why it could not be."""
    import pooch

    address = entry["address"]
    if address in _failed_downloads:
        return _failed_downloads[address]
    outcome = []

    def fetch():
        try:
            pooch.get_logger().setLevel("WARNING")
            pooch.retrieve(  # to a temporary name in `folder`, renamed once the checksum is right
                address,
                known_hash=f"sha256:{entry['sha256']}",
                fname=entry["file"],
                path=folder,
                downloader=pooch.HTTPDownloader(timeout=_DOWNLOAD_SECONDS / 2),
            )
            outcome.append(None)
        except Exception as error:
            outcome.append(error)

    # In a thread, because looking up a name has no timeout of its own.
    thread = threading.Thread(target=fetch, daemon=True)
    thread.start()
    thread.join(_DOWNLOAD_SECONDS)
    error = outcome[0] if outcome else TimeoutError()
    if error is None:
        return None
    if isinstance(error, ValueError) and "hash" in str(error):
        raise DataError(f"{address} no longer holds the published table: {error}") from error
    host = urlsplit(address).hostname
    _failed_downloads[address] = f"it could not be downloaded from {host} ({type(error).__name__})"
    return _failed_downloads[address]


def _read_insurance(path, entry):
    """Parse and check one file; `entry` is its registry entry, or None for a reader's own table."""
    import pandas as pd

    content = path.read_bytes()
    rows, problems = _parse_insurance(content)
    if problems:
        shown = "".join(f"\n  {problem}" for problem in problems[:10])
        more = f"\n  ... and {len(problems) - 10} more" if len(problems) > 10 else ""
        raise DataError(f"{path} is not a valid insurance table (line 1 is the header):{shown}{more}")
    if entry is not None:
        came = hashlib.sha256(content).hexdigest()
        if came != entry["sha256"]:
            raise DataError(
                f"{path} is not the published insurance table: sha256 must be {entry['sha256']}; got {came} "
                f"({len(rows):,} rows in {len(content):,} bytes; published {entry['rows']:,} in "
                f"{entry['bytes']:,}). Delete the file to have it downloaded again; read a table of your own "
                f"with load_insurance(path=..., own_table=True)."
            )
    table = pd.DataFrame(rows, columns=list(INSURANCE_COLUMNS))
    table.attrs = {"source": "own" if entry is None else "real", "file": str(path)}
    return table


def _parse_insurance(content):
    """Rows as tuples in the order of INSURANCE_COLUMNS, and a list of what is wrong with which line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return [], [f"line {line}: the file must be UTF-8 text; got byte 0x{content[error.start]:02x}"]
    if not text.strip():
        return [], [f"line 1: must hold the header {','.join(INSURANCE_COLUMNS)}; the file is empty"]

    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows, problems = [], []
    try:
        header = next(reader)
        problems = _header_problems(header)
        if problems:
            return [], problems
        blank = None
        for fields in reader:
            line = reader.line_num
            if not fields:  # blank lines are harmless at the end of a file, and nowhere else
                blank = blank or line
                continue
            if blank is not None:
                problems.append(f"line {blank}: must hold {len(header)} values; got a blank line")
                blank = None
            found = _row_problems(dict(zip(header, fields, strict=False)), len(fields), header)
            problems += [f"line {line}{problem}" for problem in found]
            if not found:
                row = dict(zip(header, fields, strict=True))
                rows.append(tuple(_value(name, row[name]) for name in INSURANCE_COLUMNS))
    except csv.Error as error:
        problems.append(f"line {reader.line_num}: must be comma-separated values; {error}")
    if not rows and not problems:
        problems.append("line 2: must hold the first person; the file ends after the header")
    return rows, problems


def _header_problems(header):
    if len(header) == 1 and set(";\t|") & set(header[0]):
        return [f"line 1: columns must be separated by commas; got {header[0]!r}"]
    problems = []
    unknown = [name for name in header if name not in INSURANCE_COLUMNS]
    missing = [name for name in INSURANCE_COLUMNS if name not in header]
    for name in missing:
        near = difflib.get_close_matches(name, unknown, n=1) or unknown
        hint = f" (is it {near[0]!r}?)" if near else ""
        problems.append(f"line 1, column {name!r}: missing{hint}; the header is {','.join(header)}")
    for name in unknown:
        problems.append(f"line 1, column {name!r}: unknown; allowed are {', '.join(INSURANCE_COLUMNS)}")
    for name in sorted({name for name in header if name in INSURANCE_COLUMNS and header.count(name) > 1}):
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
    if name in _CATEGORIES:
        if text in _CATEGORIES[name]:
            return None
        return f"must be one of {', '.join(_CATEGORIES[name])}; got {text!r}"
    whole, low, high, unit = _NUMBERS[name]
    kind = "a whole number" if whole else "a number"
    try:
        value = _value(name, text)
    except ValueError:
        value = math.nan
    if low <= value <= high and text.isascii() and "_" not in text:
        return None
    return f"must be {kind} from {low:,} to {high:,} ({unit}); got {text!r}"


def _value(name, text):
    if name in _CATEGORIES:
        return text
    return int(text) if _NUMBERS[name][0] else float(text)


# --------------------------------------------------------------------------------------------------- digits


def load_digits(*, flat=False, one_hot=True):
    """1,797 handwritten digits of 8 × 8 pixels, as scikit-learn ships them (no download).

    Parameters
    ----------
    flat : bool
        Return each image as a row of 64 numbers instead of (8, 8, 1).
    one_hot : bool
        Return y as rows of ten zeros and ones instead of one class number.

    Returns
    -------
    X : ndarray of float64, (1797, 8, 8, 1) or (1797, 64)
        Ink per pixel, scaled from 0..16 to 0..1.
    y : ndarray, (1797, 10) of float64 or (1797, 1) of int64

    References
    ----------
    Alpaydin, E. and Kaynak, C. (1998). Optical Recognition of Handwritten Digits. UCI Machine Learning
    Repository. The 1,797 images are its test part.
    """
    from sklearn.datasets import load_digits as sklearn_digits

    digits = sklearn_digits()
    X = digits.data / 16.0
    return X if flat else X.reshape(-1, 8, 8, 1), _targets(digits.target, 10, one_hot)


# -------------------------------------------------------------------------------------- point clouds in 2-D
# Each returns X (samples, 2) and y (samples, 1) of zeros and ones, in random order; same seed, same points.


def separable(samples=200, *, gap=0.5, seed=0):
    """Points left and right of a random straight line, none nearer to it than gap/2: a line divides them.

    Parameters
    ----------
    samples : int
        Number of points, in a square of side about 2.
    gap : float
        Width of the empty strip along the line, ≥ 0.
    seed : int or numpy.random.Generator
    """
    rng = _check_cloud(samples, "gap", gap, seed)
    angle = rng.uniform(0, 2 * np.pi)
    normal = np.array([np.cos(angle), np.sin(angle)])
    X = rng.uniform(-1, 1, (samples, 2))
    side = X @ normal > 0
    X += np.outer(np.where(side, gap / 2, -gap / 2), normal)
    return X, _targets(side, 2, False).astype(float)


def xor(samples=200, *, noise=0.0, seed=0):
    """Points of the square [-1, 1]², class 1 where exactly one coordinate is positive: no line divides them.

    Parameters
    ----------
    samples : int
        Number of points.
    noise : float
        Standard deviation of a normal step added after the class is fixed, ≥ 0.
    seed : int or numpy.random.Generator
    """
    rng = _check_cloud(samples, "noise", noise, seed)
    X = rng.uniform(-1, 1, (samples, 2))
    y = _targets((X[:, 0] > 0) != (X[:, 1] > 0), 2, False).astype(float)
    return X + rng.normal(0, 1, X.shape) * noise, y


def two_moons(samples=200, *, noise=0.1, seed=0):
    """Two interleaved half circles of radius 1: (cos t, sin t) and (1 - cos t, ½ - sin t), t from 0 to π.

    Parameters
    ----------
    samples : int
        Number of points, half of them (rounded up) in the lower moon, class 1.
    noise : float
        Standard deviation of a normal step added to each point, ≥ 0.
    seed : int or numpy.random.Generator
    """
    rng = _check_cloud(samples, "noise", noise, seed)
    label = rng.permutation(np.arange(samples) % 2 == 0)
    t = rng.uniform(0, np.pi, samples)
    X = np.c_[np.where(label, 1 - np.cos(t), np.cos(t)), np.where(label, 0.5 - np.sin(t), np.sin(t))]
    return X + rng.normal(0, 1, X.shape) * noise, _targets(label, 2, False).astype(float)


def spirals(samples=300, *, arms=2, noise=0.02, seed=0):
    """Arms r·(cos φ, sin φ) with φ = 2π·(r + arm/arms), r from 0.1 to 1: one turn each around the origin.

    Parameters
    ----------
    samples : int
        Number of points, shared out evenly over the arms.
    arms : int
        Number of arms and classes, ≥ 2.
    noise : float
        Standard deviation of a normal step added to each point, ≥ 0.
    seed : int or numpy.random.Generator

    Returns
    -------
    X : ndarray, (samples, 2)
    y : ndarray of float64, (samples, 1) for two arms, one-hot (samples, arms) for more
    """
    if not isinstance(arms, (int, np.integer)) or arms < 2:
        raise ValueError(f"arms must be an integer of at least 2; got {arms!r}")
    rng = _check_cloud(samples, "noise", noise, seed)
    arm = rng.permutation(np.arange(samples) % arms)
    r = rng.uniform(0.1, 1, samples)
    angle = 2 * np.pi * (r + arm / arms)
    X = r[:, None] * np.c_[np.cos(angle), np.sin(angle)] + rng.normal(0, 1, (samples, 2)) * noise
    return X, _targets(arm, arms, one_hot=arms > 2).astype(float)


def _targets(labels, classes, one_hot):
    """Class numbers as a column, or as rows with a single one: y is always (samples, outputs)."""
    labels = np.asarray(labels, dtype=np.int64)
    return np.eye(classes)[labels] if one_hot else labels[:, None]


def _check_cloud(samples, name, spread, seed):
    if not isinstance(samples, (int, np.integer)) or samples < 1:
        raise ValueError(f"samples must be a positive integer; got {samples!r}")
    if not 0 <= spread < math.inf:
        raise ValueError(f"{name} must be a number of at least 0; got {spread!r}")
    return np.random.default_rng(seed)
