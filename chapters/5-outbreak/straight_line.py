"""A straight line through log R of the regions, by least squares: what several pages of the part ask of a table."""

import numpy as np
import pandas as pd

from nnlib.course import datasets


def inputs(table):
    """Return what the line is drawn through: five columns in standard units, and one for each category but the first.

    Parameters
    ----------
    table : pandas.DataFrame
        As made by :func:`nnlib.course.datasets.outbreak`.

    Returns
    -------
    pandas.DataFrame
        The columns ``density``, ``age``, ``beds``, ``temperature``, ``humidity``, then 0 or 1 for each province and
        each of the measures, without the first of each in alphabetical order.
    """
    categories = pd.get_dummies(
        table[["province", "measures"]], drop_first=True, dtype=float
    )
    return pd.concat([datasets.standard_units(table), categories], axis=1)


def least_squares(X, y):
    """Return the slopes that make the sum of squares of ``y - b - X @ slopes`` smallest.

    Parameters
    ----------
    X : pandas.DataFrame
        One row for each value of `y`, without gaps.
    y : array_like of float

    Returns
    -------
    pandas.Series
        A slope for each column of `X`; the constant b is left out.

    Raises
    ------
    ValueError
        A value is missing; the first column with a gap is named.
    """
    gaps = X.columns[X.isna().any()]
    if len(gaps):
        raise ValueError(f"X must have no gaps; {gaps[0]} has some")
    A = np.column_stack([X.to_numpy(float), np.ones(len(X))])
    found = np.linalg.lstsq(A, np.asarray(y, dtype=float), rcond=None)[0]
    return pd.Series(found[:-1], index=X.columns)


def slopes(table):
    """Return the slopes of the line through the log R of a table, one for each column of :func:`inputs`."""
    return least_squares(inputs(table), np.log(table["R"]))
