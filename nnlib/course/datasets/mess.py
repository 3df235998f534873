"""Tables as they come: values missing for a reason, and errors, with a list of what was done."""

import numpy as np

from ...checks import counter, number

ERRORS = ("unit", "decimal", "typo", "date", "duplicate")
# another unit that a field office might use: column, name of the unit, what it makes of the value
UNIT_SLIPS = (
    ("temperature", "°F", lambda value: value * 9 / 5 + 32),
    ("beds", "per 100,000", lambda value: value * 100),
    ("humidity", "share", lambda value: value / 100),
    ("density", "per square mile", lambda value: value * 2.59),
)


def make_missing(table, column="density", *, share=0.3, by=None, strength=3.0, seed=0):
    """Blank out values of one column, by chance or for a reason.

    The probability that a row's value is missing is `1 / (1 + exp(-(a + strength · z)))`, where z is the row's rank in
    column `by`, as a normal score; a is set so that the probabilities average to `share`.

    Parameters
    ----------
    table : pandas.DataFrame
        Stays as it is.
    column : str
        The column to blank out.
    share : float
        Expected share of missing values, between 0 and 1.
    by : str, optional
        None: by chance alone ("missing completely at random"). Another column: missing where that is large
        ("missing at random", if it is a column that the analysis holds). The outcome, or `column` itself: the hard
        cases.
    strength : float
        How sharply it depends on `by`: 0 not at all, negative: missing where `by` is small.
    seed : int

    Returns
    -------
    pandas.DataFrame
        A copy with NaN in `column`.

    Raises
    ------
    ValueError
        A column is not in the table, or holds no numbers, or `by` has gaps; or another argument is outside its range.

    References
    ----------
    Rubin, D. B. (1976). Inference and missing data. Biometrika 63.
    """
    from pandas.api.types import is_numeric_dtype

    for name, value in (("column", column), ("by", by)):
        if value is not None or name == "column":
            if value not in table.columns:
                raise ValueError(f"{name} must be a column of the table; got {value!r}")
            if not is_numeric_dtype(table[value]):
                raise ValueError(f"{name} must hold numbers; {value!r} holds {table[value].dtype}")
    if by is not None and table[by].isna().any():
        raise ValueError(f"by must be a column without gaps; {by!r} has {table[by].isna().sum()}")
    share, strength = number("share", share, 0, 1, open_low=True, open_high=True), number("strength", strength)
    seed = counter("seed", seed)
    rng = np.random.default_rng(seed)
    if by is None:
        probability = np.full(len(table), share)
    else:
        from scipy.special import expit, ndtri

        z = ndtri((table[by].rank() - 0.5) / len(table)).to_numpy()
        low, high = -50.0, 50.0  # halve until the average is the share
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if expit(middle + strength * z).mean() < share else (low, middle)
        probability = expit(low + strength * z)
    holed = table.copy()
    holed[column] = holed[column].astype(float).where(rng.random(len(table)) >= probability)
    return holed


def make_errors(table, *, each=8, seed=0):
    """Write errors into a table of :func:`outbreak`, as field offices do, and list them.

    `each` errors of every kind, never two in one row:

    ========= ==============================================================================================
    unit      °F for °C, beds per 100,000, humidity as a share, density per square mile (hard to see: it is
              a plausible number)
    decimal   a point in the wrong place: ten times or a tenth of age, or of cases, or of density
    typo      a category misspelt: another case, a blank too many, two letters exchanged
    date      30 February, the year 1932, day and month exchanged, a date two years ahead
    duplicate a row sent twice, the second time with the cases of a later count (it stands at the end)
    ========= ==============================================================================================

    Parameters
    ----------
    table : pandas.DataFrame
        Stays as it is.
    each : int
        Errors of each kind.
    seed : int

    Returns
    -------
    messy : pandas.DataFrame
        ``first_case`` is text now ("2032-03-14"), rows are shuffled, and the index counts them anew.
    errors : pandas.DataFrame
        One line for each error: ``row`` (index in `messy`), ``region``, ``column`` ("" for a duplicate), ``kind``,
        ``true`` and ``written`` (as text).

    Raises
    ------
    ValueError
        `each` is no whole number, or there are fewer rows than five times as many; or it is no such table.
    """
    import pandas as pd

    needed = ["region", "province", "measures", "age", "beds", "temperature", "humidity", "density", "cases"]
    gone = [name for name in (*needed, "first_case") if name not in table.columns]
    if gone or table["first_case"].dtype.kind != "M":
        raise ValueError(f"table must be one of outbreak(), dates included; {(gone or ['first_case'])[0]!r} is not")
    seed = counter("seed", seed)
    if isinstance(each, bool) or not isinstance(each, int | np.integer) or not 0 <= each <= len(table) // 5:
        raise ValueError(f"each must be a whole number from 0 to {len(table) // 5} for {len(table)} rows; got {each!r}")
    rng = np.random.default_rng(seed)
    messy = table.reset_index(drop=True).copy()
    messy["first_case"] = messy["first_case"].dt.strftime("%Y-%m-%d")
    for name in ("age", "beds", "temperature", "humidity", "density", "cases"):
        messy[name] = messy[name].astype(float)
    rows = rng.permutation(len(messy))[: each * len(ERRORS)].reshape(len(ERRORS), each)
    errors = []

    def write(row, column, kind, value):
        errors.append((row, messy.loc[row, "region"], column, kind, str(messy.loc[row, column]), str(value)))
        messy.loc[row, column] = value

    for turn, row in enumerate(rows[0]):
        column, _, change = UNIT_SLIPS[turn % len(UNIT_SLIPS)]
        write(row, column, "unit", round(float(change(messy.loc[row, column])), 2))
    for turn, row in enumerate(rows[1]):
        column = ("age", "cases", "density")[turn % 3]
        factor = 10 if rng.random() < 0.7 else 0.1
        write(row, column, "decimal", round(float(messy.loc[row, column] * factor), 2))
    for turn, row in enumerate(rows[2]):
        column = ("province", "measures")[turn % 2]
        write(row, column, "typo", _misspell(messy.loc[row, column], turn // 2 % 3, rng))
    for turn, row in enumerate(rows[3]):
        year, month, day = messy.loc[row, "first_case"].split("-")
        century = f"{int(year) - 100}-{month}-{day}"
        # exchanged, a day of up to 12 would be a month
        exchanged = f"{year}-{day}-{month}" if int(day) > 12 else century
        wrong = f"{year}-02-30", century, exchanged, f"{int(year) + 2}-{month}-{day}"
        write(row, "first_case", "date", wrong[turn % 4])
    twice = messy.loc[rows[4]].copy()
    twice["cases"] = (twice["cases"] * rng.uniform(1.01, 1.15, each)).round()

    order = rng.permutation(len(messy))
    place = np.argsort(order)
    messy = pd.concat([messy.loc[order], twice], ignore_index=True)
    errors = [(int(place[row]), *rest) for row, *rest in errors]
    errors += [
        (len(order) + turn, messy.loc[len(order) + turn, "region"], "", "duplicate", "", "") for turn in range(each)
    ]
    columns = ["row", "region", "column", "kind", "true", "written"]
    return messy, pd.DataFrame(errors, columns=columns)


def _misspell(word, way, rng):
    if way == 0:
        return word.upper() if word[0].islower() else word.lower()
    if way == 1:
        return word + " "
    at = int(rng.integers(2, len(word) - 1))
    if word[at] == word[at - 1]:  # exchanging equal letters changes nothing
        at += 1
    return word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]
