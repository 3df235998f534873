"""Arrays, generators of random numbers, and the checks that arguments pass once, at the door."""

from __future__ import annotations  # names np.random in signatures without importing it: 10 of 100 ms

from functools import lru_cache
from math import isfinite
from numbers import Integral, Real

import numpy as np
from numpy.typing import NDArray

DTYPES = ("float32", "float64")
Array = NDArray[np.floating]
Shape = tuple[int, ...]


def as_dtype(dtype) -> np.dtype:
    """Return `dtype` as a NumPy dtype; float32 and float64 are allowed."""
    try:
        result = np.dtype(dtype)
    except TypeError:
        result = None
    if result is None or result.name not in DTYPES:
        raise ValueError(f"dtype must be 'float32' or 'float64'; got {dtype!r}")
    return result


def as_generator(seed) -> np.random.Generator:
    """Return a `numpy.random.Generator`: `seed` itself if it is one, else a new one seeded with that integer."""
    if isinstance(seed, np.random.Generator):
        return seed
    if isinstance(seed, Integral) and not isinstance(seed, bool) and seed >= 0:
        return np.random.default_rng(int(seed))
    raise ValueError(f"seed must be a non-negative integer or a numpy.random.Generator; got {seed!r}")


def positive_integer(name: str, value) -> int:
    """Return `value` as an int, or raise a ValueError that names the argument."""
    if isinstance(value, Integral) and not isinstance(value, bool) and value > 0:
        return int(value)
    raise ValueError(f"{name} must be a positive integer; got {value!r}")


def pair(name: str, value) -> tuple[int, int]:
    """Return a positive integer n as (n, n), and two of them as they are: sizes of windows and strides."""
    if isinstance(value, tuple | list) and len(value) == 2:
        return positive_integer(name, value[0]), positive_integer(name, value[1])
    if isinstance(value, Integral):
        return (positive_integer(name, value),) * 2
    raise ValueError(f"{name} must be a positive integer or a pair of them; got {value!r}")


def number(name: str, value, low=-np.inf, high=np.inf, *, open_low=False, open_high=False) -> float:
    """Return `value` as a float inside the interval from `low` to `high`, or raise a ValueError that names it."""
    inside = (
        isinstance(value, Real)
        and not isinstance(value, bool)
        and (low < value if open_low else low <= value)
        and (value < high if open_high else value <= high)
    )
    if inside and isfinite(value):
        return float(value)
    interval = f"{'(' if open_low else '['}{low}, {high}{')' if open_high else ']'}"
    raise ValueError(f"{name} must be a finite number in {interval}; got {value!r}")


def one_of(name: str, value, table: dict):
    """Return `table[value]`; an unknown name is answered with all known ones."""
    if isinstance(value, str) and value in table:
        return table[value]
    raise ValueError(f"{name} must be one of {', '.join(sorted(table))}; got {value!r}")


def look_up(kind: str, given, cls: type, table: dict, makers: dict):
    """Return the `cls` that `given` stands for: itself, a name in `table`, or {"name": ..., options} for `makers`."""
    if isinstance(given, cls):
        return given
    if isinstance(given, dict) and "name" in given:
        options = {key: value for key, value in given.items() if key != "name"}
        return one_of(kind, given["name"], makers)(**options)
    return one_of(kind, given, table)


@lru_cache(maxsize=64)
def _row_of(value: float, n: int, dtype) -> Array:
    """Return n times the same value, made once and kept: read-only."""
    array = np.full(n, value, dtype)
    array.flags.writeable = False
    return array


def same_shape(y_pred, y_true) -> tuple[Array, Array]:
    """Return both as arrays; (N,) against (N, 1) is refused, since broadcasting would compare every pair of rows."""
    y_pred, y_true = np.asarray(y_pred), np.asarray(y_true)
    if y_pred.shape != y_true.shape:
        raise ValueError(f"y_pred and y_true must have the same shape; got {y_pred.shape} and {y_true.shape}")
    return y_pred, y_true


def as_matrix(x: Array) -> Array:
    """Return `x` with all its axes but the last one as rows; a matrix as it is (`reshape` to itself takes 0.2 µs)."""
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


def with_axes_of(matrix: Array, x: Array) -> Array:
    """Undo `as_matrix`: return the rows of `matrix` under the axes that `x` has before its last one."""
    return matrix if x.ndim == 2 else matrix.reshape(*x.shape[:-1], -1)


def sum_rows(x: Array, out: Array | None = None) -> Array:
    """Return Σᵢ x[i, :] of a matrix. As the product 1ᵀx it takes 0.6 µs where x.sum(0) takes 4 (32×100, float32)."""
    return np.dot(_row_of(1.0, len(x), x.dtype), x, out)


def mean_rows(x: Array, out: Array | None = None) -> Array:
    """Return the mean over the rows of a matrix, as a product like `sum_rows`."""
    return np.dot(_row_of(1 / len(x), len(x), x.dtype), x, out)


def as_rows(name: str, x, dtype) -> Array:
    """Return `x` as a contiguous array of `dtype` with at least one row, at least two axes and finite numbers only.

    Raises
    ------
    ValueError
        Where `x` is not numeric, has fewer than two axes, has no rows, has masked entries, or holds NaN or infinity
        (the first such place is named).
    """
    kind = type(x).__name__
    if isinstance(x, np.ma.MaskedArray) and x.mask.any():
        raise ValueError(f"{name} must not hold masked entries; got {int(x.mask.sum())} of them")
    try:
        x = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{name} must be rows of equal length; got a {kind} that is ragged") from error
    if x.dtype.kind not in "buif":
        raise ValueError(f"{name} must hold numbers; got dtype {x.dtype} ({kind})")
    if x.ndim < 2:
        hint = f"; use {name}.reshape(-1, 1) for one column, {name}.reshape(1, -1) for one row" if x.ndim == 1 else ""
        raise ValueError(f"{name} must have shape (rows, ...) with two or more axes; got shape {x.shape}{hint}")
    if 0 in x.shape:
        raise ValueError(f"{name} must not be empty; got shape {x.shape}")
    with np.errstate(over="ignore"):
        rows = np.ascontiguousarray(x, dtype=dtype)
    finite = np.isfinite(rows)
    if not finite.all():
        place = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise ValueError(f"{name} must be finite in {np.dtype(dtype).name}; {name}{list(place)} is {x[place]}")
    return rows
