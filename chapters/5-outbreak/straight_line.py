"""A straight line through log R of the regions, by least squares: what several pages of the part ask of a table."""

import numpy as np
import pandas as pd

from nnlib.course import datasets


def inputs(table):
    """Return what the line is drawn through, as "Ask what drives it" writes it: all that was there before the virus.

    Parameters
    ----------
    table : pandas.DataFrame
        As made by :func:`nnlib.course.datasets.outbreak`.

    Returns
    -------
    pandas.DataFrame
        The columns ``density``, ``age``, ``beds``, ``temperature``, ``humidity`` in standard units, then 0 or 1 for
        each province but Arden, and for "advice" and "closures".
    """
    groups = pd.get_dummies(table[["province", "measures"]], dtype=float)
    groups = groups.drop(columns=["province_Arden", "measures_none"])
    return datasets.standard_units(table).join(groups)


def _solve(X, y):
    """Return the slopes and, at the end, the constant."""
    gaps = X.columns[X.isna().any()]
    if len(gaps):
        raise ValueError(f"X must have no gaps; {gaps[0]} has some")
    A = np.column_stack([X.to_numpy(float), np.ones(len(X))])
    return np.linalg.lstsq(A, np.asarray(y, dtype=float), rcond=None)[0]


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
    return pd.Series(_solve(X, y)[:-1], index=X.columns)


def said(X, y, X_new):
    """Return what the line through `X` and `y` says of other rows, ``b + X_new @ slopes``.

    Parameters
    ----------
    X, y
        As for :func:`least_squares`.
    X_new : pandas.DataFrame
        With the columns of `X`, in its order.

    Returns
    -------
    pandas.Series
        One value for each row of `X_new`.

    Raises
    ------
    ValueError
        A value is missing in `X`, or `X_new` has other columns.
    """
    if list(X_new.columns) != list(X.columns):
        raise ValueError(
            f"X_new must have the columns {list(X.columns)}; got {list(X_new.columns)}"
        )
    *found, constant = _solve(X, y)
    return pd.Series(X_new.to_numpy(float) @ found + constant, X_new.index)


def slopes(table):
    """Return the slopes of the line through the log R of a table, one for each column of :func:`inputs`."""
    return least_squares(inputs(table), np.log(table["R"]))
