"""What arguments may be: each is checked once, at the door, and what is refused is named, with what is allowed."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from math import inf, isfinite, nan, prod
from numbers import Real
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .arrays import Array, DType, Random, Shape

DTYPES = ("float32", "float64")
T = TypeVar("T")


def as_dtype(dtype: DTypeLike | None) -> DType:
    """Return `dtype` as a NumPy dtype in this machine's byte order; float32 and float64 are allowed."""
    with suppress(TypeError, ValueError):
        if dtype is not None and np.dtype(dtype).name in DTYPES:
            return np.dtype(dtype).newbyteorder("=")
    raise ValueError(f"dtype must be 'float32' or 'float64'; got {dtype!r}")


def as_generator(seed: "int | Random") -> Random:
    """Return a `numpy.random.Generator`: `seed` itself if it is one, else a new one seeded with that integer."""
    if isinstance(seed, np.random.Generator):
        return seed
    if isinstance(seed, int | np.integer) and not isinstance(seed, bool) and seed >= 0:
        return np.random.default_rng(int(seed))
    raise ValueError(f"seed must be a non-negative integer or a numpy.random.Generator; got {seed!r}")


def positive_integer(name: str, value: object) -> int:
    """Return `value` as an int, or raise a ValueError that names the argument."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and value > 0:
        return int(value)
    raise ValueError(f"{name} must be a positive integer; got {value!r}")


def counter(name: str, value: object) -> int:
    """Return `value` as an int that counts something, 0 or more, up to what float64 can count."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and 0 <= value <= 2**53:
        return int(value)
    raise ValueError(f"{name} must be a whole number from 0 to 2⁵³; got {value!r}")


def as_shape(name: str, value: object) -> Shape:
    """Return a positive integer n as (n,), and several of them as a tuple."""
    sizes = value if isinstance(value, tuple | list | np.ndarray) else (value,)
    shape = tuple(positive_integer(name, size) for size in sizes)
    if not shape or prod(shape) > 2**40:
        raise ValueError(f"{name} must be a shape of one or more axes and at most 2⁴⁰ numbers; got {value!r}")
    return shape


def as_path(name: str, value: object) -> str:
    """Return a path as a string."""
    if isinstance(value, str | bytes | os.PathLike):
        return os.fsdecode(value)
    raise ValueError(f"{name} must be a path, such as 'model.npz' or a pathlib.Path; got {value!r}")


def yes_or_no(name: str, value: object) -> bool:
    """Return `value` as a bool; "no" and other things that Python would take for true are refused."""
    if isinstance(value, bool | int | np.bool_ | np.integer) and value in (0, 1):
        return bool(value)
    raise ValueError(f"{name} must be True or False; got {value!r}")


def pair(name: str, value: object) -> tuple[int, int]:
    """Return a positive integer n as (n, n), and two of them as they are: sizes of windows and strides."""
    sizes = value if isinstance(value, tuple | list) else (value, value)
    if len(sizes) != 2:
        raise ValueError(f"{name} must be a positive integer or a pair of them; got {value!r}")
    return positive_integer(name, sizes[0]), positive_integer(name, sizes[1])


def number(
    name: str, value: object, low: float = -inf, high: float = inf, *, open_low: bool = False, open_high: bool = False
) -> float:
    """Return `value` as a float inside the interval from `low` to `high`, or raise a ValueError that names it."""
    with suppress(OverflowError):  # an integer beyond 1.8e308
        x = float(value) if isinstance(value, Real) and not isinstance(value, bool) else nan
        if isfinite(x) and (low < x if open_low else low <= x) and (x < high if open_high else x <= high):
            return x
    interval = f"{'(' if open_low else '['}{low}, {high}{')' if open_high else ']'}"
    raise ValueError(f"{name} must be a finite number in {interval}; got {value!r}")


def one_of(name: str, value: object, table: Mapping[str, T]) -> T:
    """Return `table[value]`; an unknown name is answered with all known ones."""
    if isinstance(value, str) and value in table:
        return table[value]
    raise ValueError(f"{name} must be one of {', '.join(sorted(table))}; got {value!r}")


def look_up(
    kind: str, given: object, cls: type[T], table: Mapping[str, T], makers: Mapping[str, Callable[..., T]]
) -> T:
    """Return the `cls` that `given` stands for: itself, a name in `table`, or {"name": ..., options} for `makers`."""
    if isinstance(given, cls):
        return given
    if not isinstance(given, dict) or "name" not in given:
        return one_of(kind, given, table)
    options = {key: value for key, value in given.items() if key != "name"}
    if not options and given["name"] in list(table):
        return table[given["name"]]
    make = one_of(kind, given["name"], makers)
    try:
        return make(**options)
    except TypeError as error:  # an option that the maker does not have
        raise ValueError(f"{kind} {given['name']!r} must have other options; got {options!r}: {error}") from error


def as_numbers(name: str, x: ArrayLike, dtype: DTypeLike | None = None, axes: int = 1) -> Array:
    """Return `x` as a contiguous array of finite numbers with at least one entry and at least so many `axes`.

    Parameters
    ----------
    dtype : dtype, optional
        Of the result; by default float32 stays what it is and all else becomes float64, so that integers do not
        overflow.

    Raises
    ------
    ValueError
        Where `x` is not numeric, has fewer axes, is empty, has masked entries, or holds NaN or infinity (the first
        such place is named).
    """
    kind = type(x).__name__
    if isinstance(x, np.ma.MaskedArray) and x.mask.any():
        raise ValueError(f"{name} must not hold masked entries; got {int(x.mask.sum())} of them")
    try:
        given = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{name} must be rows of equal length; got a {kind} that is ragged") from error
    if given.dtype.kind not in "buif":
        raise ValueError(f"{name} must hold numbers; got dtype {given.dtype} ({kind})")
    if given.ndim < axes:
        raise ValueError(
            f"{name} must have shape (rows, ...) with {'two' if axes == 2 else 'one'} or more axes; got shape "
            f"{given.shape}; use {name}.reshape(-1, 1) for one column, {name}.reshape(1, -1) for one row"
        )
    if 0 in given.shape:
        raise ValueError(f"{name} must not be empty; got shape {given.shape}")
    if dtype is None:
        dtype = np.float32 if given.dtype == np.float32 else np.float64
    with np.errstate(over="ignore"):
        numbers: Array = np.asarray(given, dtype=dtype, order="C")
    finite = np.isfinite(numbers)
    if not finite.all():
        place = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise ValueError(f"{name} must be finite in {np.dtype(dtype).name}; {name}{list(place)} is {given[place]}")
    return numbers


def same_shape(y_pred: ArrayLike, y_true: ArrayLike) -> tuple[Array, Array]:
    """Return both as finite floats; (N,) against (N, 1) is refused: broadcasting would compare every pair of rows."""
    p, y = as_numbers("y_pred", y_pred), as_numbers("y_true", y_true)
    if p.shape != y.shape:
        raise ValueError(f"y_pred and y_true must have the same shape; got {p.shape} and {y.shape}")
    return p, y


def row_weights(name: str, weight: ArrayLike, rows: int, dtype: DTypeLike | None = None) -> Array:
    """Return one factor ≥ 0 per row, (rows,); (rows, 1) is refused, as broadcasting would weigh every pair of rows."""
    w = as_numbers(name, weight, dtype)
    if w.shape != (rows,) or w.min() < 0:
        raise ValueError(
            f"{name} must hold {rows} finite numbers >= 0, one per row; got shape {w.shape}, smallest {w.min():g}"
        )
    return w


def class_weights(name: str, factors: object, y: Array) -> Array:
    """Return for each row the factor of its class, from a dict that has one ≥ 0 for each class of `y`."""
    if not isinstance(factors, Mapping):
        raise ValueError(f"{name} must be a dict from class number to factor; got {factors!r}")
    if y.ndim != 2 or not np.isin(y, (0, 1)).all() or (y.shape[1] > 1 and not (y.sum(axis=1) == 1).all()):
        raise ValueError(f"{name} needs y with one class a row, a column of 0 and 1 or one-hot; got shape {y.shape}")
    of_row = (y[:, 0] if y.shape[1] == 1 else y.argmax(axis=1)).astype(int)
    for c in sorted(set(of_row) - set(factors)):
        raise ValueError(f"{name} must have a weight for every class in y; class {c} has none")
    numbers = {counter(f"a key of {name}", c): number(f"{name}[{c}]", factor, 0) for c, factor in factors.items()}
    last = max(1, y.shape[1] - 1)
    if max(numbers) > last:
        raise ValueError(f"{name} must have keys from 0 to {last}, the classes of y; got {max(numbers)}")
    return np.array([numbers[c] for c in of_row], y.dtype)


def check_distributions(name: str, y: Array) -> None:
    """Raise a ValueError where `y` does not hold probabilities of two or more classes, summing to 1 on the last axis.

    One-hot rows are such probabilities.
    """
    if y.ndim < 2 or y.shape[-1] < 2:
        raise ValueError(f"{name} must have a column for each of two or more classes; got shape {y.shape}")
    wrong = np.argwhere(~(np.abs(y.sum(axis=-1) - 1) <= 1e-3) | (y < 0).any(axis=-1))
    if len(wrong):
        row = int(wrong[0, 0])
        raise ValueError(f"{name} must be one-hot (or probabilities that sum to 1); row {row} is {y[row].tolist()}")
