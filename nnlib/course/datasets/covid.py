"""The first year of a real epidemic, one row per country: a small extract that comes with the library."""

import csv
import io
import math
from pathlib import Path

from . import download
from .download import DataError

# column -> (whole number?, may be missing?, smallest, largest, unit): wide enough for any country that there is
NUMBERS = {
    "population": (True, False, 1, 2_000_000_000, "persons"),
    "density": (False, True, 0, 30_000, "persons/km²"),
    "age": (False, True, 10, 60, "years"),
    "over_65": (False, True, 0, 50, "% of the population"),
    "beds": (False, True, 0, 20, "hospital beds for 1,000 persons"),
    "gdp": (False, True, 100, 200_000, "international dollars for each person"),
    "cases": (True, False, 0, 2_000_000_000, "persons"),
    "deaths": (True, True, 0, 2_000_000_000, "persons"),
    "cases_per_million": (False, False, 0, 1_000_000, "cases for 1,000,000 persons"),
    "deaths_per_million": (False, True, 0, 1_000_000, "deaths for 1,000,000 persons"),
}
COLUMNS = ("code", "country", "continent", *NUMBERS)
CONTINENTS = ("Africa", "Asia", "Europe", "North America", "Oceania", "South America")


def load_covid(path=None):
    """COVID-19 in 189 countries up to 7 January 2021: density, age, beds, ... → cases and deaths.

    The columns of the outbreak's story as far as they are public, when vaccination had just begun. It is real data,
    so nobody can say whether a conclusion from it is right. **There is no climate in it**: the source has neither
    temperature nor humidity. Cases are those *reported*: a country that tests little finds few, so a column may go
    with the cases because it goes with the tests. One row is one country, of 809 persons or of 1.4 billion. What is
    missing is not missing at random: beds in 14 of 54 countries of Africa and in 9 of the 135 others, age only in
    countries of less than two million.

    Nothing is downloaded: the extract is part of the library, and is compared with its checksum when it is read.

    Parameters
    ----------
    path : str or path-like, optional
        Read this copy of the extract instead.

    Returns
    -------
    pandas.DataFrame
        189 rows in the order of the source. ``attrs["source"]`` is "real" and ``attrs["file"]`` the file.

        - ``code``, ``country``, ``continent``: ISO 3166-1 alpha-3 (Kosovo: OWID_KOS) and names
        - ``population``: persons in 2020 (int)
        - ``density``: persons/km² of land, latest year known; 4 missing
        - ``age``: median age in years, projected for 2020; 9 missing
        - ``over_65``: % of the population aged 65 or older; 11 missing
        - ``beds``: hospital beds for 1,000 persons, latest year known since 2010; 23 missing
        - ``gdp``: gross domestic product for each person, international dollars of 2011 at purchasing power
          parity; 8 missing
        - ``cases``: reported so far (int); ``cases_per_million``: for 1,000,000 persons
        - ``deaths``: reported so far, 14 missing where none had been reported; ``deaths_per_million``: as above

    Raises
    ------
    DataError
        The file is not the extract. Every problem is named with column and line; the header is line 1. A changed
        count or population no longer agrees with the value per million; other changes only the checksum may show.
    FileNotFoundError
        `path` names nothing, or the library was installed without its table.

    References
    ----------
    Our World in Data, *Data on COVID-19*, CC BY 4.0: the file ``public/data/latest/owid-covid-latest.csv`` of
    github.com/owid/covid-19-data at commit 002d05f7a45a. In it cases and deaths are by the COVID-19 Data Repository
    of the CSSE at Johns Hopkins University (CC BY 4.0; Dong, Du and Gardner, Lancet Inf Dis 20, 533, 2020),
    population and median age by the United Nations (World Population Prospects), density, share over 65 and gdp by
    the World Bank, beds by OECD, Eurostat, World Bank and national records. ``data/README.md`` says what was left
    out and how the extract was checked.
    """
    entry = download.registry()["covid"]
    if path is None:
        path = Path(__file__).with_name(entry["file"])
        if not path.is_file():
            raise FileNotFoundError(f"{path} is a part of nnlib and is not there: install nnlib again")
    path = download.existing(path)

    # git may write CRLF on Windows, and a spreadsheet a byte-order mark: neither changes a number
    content = path.read_bytes().removeprefix(download.BYTE_ORDER_MARK).replace(b"\r\n", b"\n")
    rows, problems = _parse(content)
    if problems:
        raise download.problems_of(path, "table of the epidemic", problems)
    if download.sha256(content) != entry["sha256"]:
        raise DataError(
            f"{path} is not the published extract: sha256 must be {entry['sha256']}; got {download.sha256(content)} "
            f"({len(rows)} rows in {len(content):,} bytes; published {entry['rows']} in {entry['bytes']:,}). "
            f"load_covid() without a path reads the one that comes with nnlib."
        )
    import pandas as pd

    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table.attrs = {"source": "real", "file": str(path)}
    return table


def _parse(content):
    """Rows as tuples in the order of COLUMNS, and a list of what is wrong with which line."""
    text, problems = download.text_of(content, COLUMNS)
    if problems:
        return [], problems
    header, *lines = [_fields(written) for written in io.StringIO(text, newline=None)] or [[]]
    if header != list(COLUMNS):
        return [], [_header_problem(header)]
    rows, problems, seen = [], [], {}
    for line, fields in enumerate(lines, 2):
        if len(fields) != len(COLUMNS):
            problems.append(f"line {line}: must hold {len(COLUMNS)} values; got {len(fields)} (is the file cut off?)")
            continue
        row = dict(zip(COLUMNS, fields, strict=True))
        found = [f", column {name!r}: {problem}" for name in COLUMNS if (problem := _value_problem(name, row[name]))]
        found = found or _count_problems(row)
        if row["code"] in seen:
            found.append(f", column 'code': {row['code']!r} is also in line {seen[row['code']]}")
        seen.setdefault(row["code"], line)
        problems += [f"line {line}{problem}" for problem in found]
        if not found:
            rows.append(tuple(_value(name, row[name]) for name in COLUMNS))
    if not lines:
        problems.append("line 2: must hold the first country; the file ends after the header")
    return rows, problems


def _fields(written):
    try:
        return next(csv.reader([written]), [])
    except csv.Error:  # not comma-separated values: the number of values tells
        return [written]


def _header_problem(header):
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        got = repr(",".join(header)[:60])
        return f"line 1: must hold the header {','.join(COLUMNS)}; {', '.join(missing)} missing in {got}"
    return f"line 1: must hold the header {','.join(COLUMNS)}, in this order; got {','.join(header)}"


def _value_problem(name, text):
    """What is allowed in column `name` and what came, or None if `text` is allowed."""
    if name == "continent" and text not in CONTINENTS:
        return f"must be one of {', '.join(CONTINENTS)}; got {text!r}"
    if name not in NUMBERS:
        return None if text else "must not be empty"
    whole, optional, low, high, unit = NUMBERS[name]
    if optional and not text:
        return None
    return download.number_problem(text, whole, low, high, unit)


def _count_problems(row):
    """Each count is given twice: as it is, and for a million persons, rounded to three decimals."""
    problems = []
    for name in ("cases", "deaths"):
        count, rate = row[name], row[f"{name}_per_million"]
        if bool(count) != bool(rate):
            problems.append(
                f", column {name!r}: must be given together with {name}_per_million; got {count!r}, {rate!r}"
            )
        elif count and abs(float(rate) - 1e6 * int(count) / int(row["population"])) > 0.000_51:
            problems.append(
                f", column {name!r}: {count} among {row['population']} persons are "
                f"{1e6 * int(count) / int(row['population']):.3f} per million; {name}_per_million says {rate}"
            )
    return problems


def _value(name, text):
    if name not in NUMBERS:
        return text
    whole, optional, *_ = NUMBERS[name]
    if whole and not optional:  # a column with gaps holds floats
        return int(text)
    return float(text) if text else math.nan
