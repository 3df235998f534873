"""Augmentation: pictures changed at random in ways that leave their class what it is, anew in each epoch.

Every function takes images X of shape (batch, height, width, channels) and a generator, draws for each image on its
own, and returns a new array of the same shape and dtype; X and the labels stay as they are::

    rng = np.random.default_rng(0)  # once: each call then draws other changes
    for epoch in range(20):
        model.fit(augment.shift(X, 2, rng), y, loss=..., optimizer=optimizer, epochs=1)
"""

import numpy as np

from ..checks import DTYPES, number, one_of, positive_integer


def shift(X, pixels, rng, fill=0.0):
    """x'[r, c] = x[r − a, c − b]: moved by whole pixels; a and b are uniform on −pixels, ..., pixels.

    Parameters
    ----------
    pixels : int
        The largest shift in either direction, smaller than height and width.
    fill : float
        What comes in at the edges.
    """
    X, rng = _checked(X, rng)
    n, height, width, _ = X.shape
    if positive_integer("pixels", pixels) >= min(height, width):
        raise ValueError(f"pixels must be smaller than the images of {height} × {width}; got {pixels}")
    down, right = rng.integers(-pixels, pixels, (2, n, 1, 1), endpoint=True)
    rows, columns = np.arange(height)[:, None] - down, np.arange(width) - right
    return _pick(X, rows, columns, number("fill", fill))


def flip(X, rng, direction="horizontal"):
    """x'[r, c] = x[r, width − 1 − c] for about half of the images: left and right change places.

    With ``direction="vertical"`` top and bottom do.
    """
    X, rng = _checked(X, rng)
    axis = one_of("direction", direction, {"vertical": 1, "horizontal": 2})
    return np.where(rng.random((len(X), 1, 1, 1)) < 0.5, np.flip(X, axis), X)


def quarter_turns(X, rng):
    """Turn each image by 0°, 90°, 180° or 270°, equally often; height and width must be equal."""
    X, rng = _checked(X, rng)
    if X.shape[1] != X.shape[2]:
        raise ValueError(f"X must hold images as high as wide; got shape {X.shape}")
    turns = rng.integers(4, size=len(X))
    out = np.empty_like(X)
    for k in range(4):
        out[turns == k] = np.rot90(X[turns == k], k, axes=(1, 2))
    return out


def rotate(X, degrees, rng, fill=0.0):
    """x'(p) = x(c + R(p − c)): turned about the centre c by an angle uniform on ±degrees, positive anticlockwise.

    Between pixels x is interpolated linearly in both directions; beyond the edges it is `fill`.
    """
    X, rng = _checked(X, rng)
    n, height, width, _ = X.shape
    degrees, fill = number("degrees", degrees, 0, 180), number("fill", fill)
    angle = np.deg2rad(rng.uniform(-degrees, degrees, (n, 1, 1))).astype(X.dtype)
    cos, sin = np.cos(angle), np.sin(angle)
    middle = (height - 1) / 2, (width - 1) / 2
    r, c = np.arange(height, dtype=X.dtype)[:, None] - middle[0], np.arange(width, dtype=X.dtype) - middle[1]
    row, column = cos * r + sin * c + middle[0], cos * c - sin * r + middle[1]
    top, left = np.floor(row), np.floor(column)
    out = np.zeros_like(X)
    for a, from_row in ((top, 1 + top - row), (top + 1, row - top)):
        for b, from_column in ((left, 1 + left - column), (left + 1, column - left)):
            out += (from_row * from_column)[..., None] * _pick(X, a.astype(int), b.astype(int), fill)
    return out


def brightness(X, most, rng):
    """x' = x + b, with one b for each image, uniform on ±most; values may leave the range of X."""
    X, rng = _checked(X, rng)
    most = number("most", most, 0)
    return X + rng.uniform(-most, most, (len(X), 1, 1, 1)).astype(X.dtype)


def noise(X, std, rng):
    """x' = x + ε, with ε normal of mean 0 and standard deviation std, for each number on its own."""
    X, rng = _checked(X, rng)
    return X + number("std", std, 0) * rng.standard_normal(X.shape, X.dtype)


def _checked(X, rng):
    """Return images and generator, or raise a ValueError that says what is allowed."""
    X = np.asarray(X)
    if X.ndim != 4 or 0 in X.shape:
        raise ValueError(f"X must have shape (batch, height, width, channels); got {X.shape}")
    if X.dtype.name not in DTYPES:
        raise ValueError(f"X must be of float32 or float64 (whole numbers from 0 to 255: X / 255); got {X.dtype}")
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator, as a seed would draw the same each time; got {rng!r}")
    return X, rng


def _pick(X, rows, columns, fill):
    """Return the pixels of each image at (rows, columns), and `fill` where these lie outside."""
    padded = np.pad(X, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=fill)
    rows, columns = np.clip(rows + 1, 0, X.shape[1] + 1), np.clip(columns + 1, 0, X.shape[2] + 1)
    return padded[np.arange(len(X))[:, None, None], rows, columns]
