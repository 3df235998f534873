"""An epidemic in daily steps: susceptible, exposed, infectious, recovered (SEIR)."""

from typing import NamedTuple

import numpy as np

from ...checks import number, positive_integer

LATENT, INFECTIOUS = 4.0, 6.0  # mean days from infection to infecting others, and of infecting them
SEEDED = 1e-3  # share of the people who carry the virus on the first day


class Epidemic(NamedTuple):
    """Shares of the people on each day, (days, regions): `S + E + I + R = 1`; `onsets` fall ill on that day."""

    S: np.ndarray
    E: np.ndarray
    I: np.ndarray
    R: np.ndarray
    onsets: np.ndarray


def seir(reproduction, *, days=180, latent=LATENT, infectious=INFECTIOUS, seeded=SEEDED, start=0, immune=0.0):
    """Let an epidemic run its course, day by day, without chance.

    Each day, with `beta = reproduction / infectious`::

        S -> S exp(-beta I)            who meets the virus for the first time is exposed,
        E -> E + (what left S) - E/latent
        I -> I + E/latent - I/infectious
        R -> R + I/infectious

    The exponential makes two textbook results exact for steps of a day: :func:`growth_rate` and :func:`final_size`.

    Parameters
    ----------
    reproduction : float or ndarray, (regions,) or (days, regions)
        R: how many people one case infects where everybody is susceptible. One number, one for each region, or
        one for each day and region (a day is counted from the first of all).
    days : int
        How many days to return.
    latent, infectious : float
        Mean days in E and in I, at least 1.
    seeded : float
        Share of the people in E and I together on a region's first day, in the proportion in which they will grow.
    start : int or ndarray of int, (regions,)
        The day on which the virus arrives.
    immune : float or ndarray, (regions,)
        Share of the people who are in R from the beginning.

    Returns
    -------
    Epidemic
        S, E, I, R and onsets, each (days, regions); (days,) where every argument is a single number.

    Raises
    ------
    ValueError
        An argument has a wrong shape or lies outside its range; it is named.

    References
    ----------
    Kermack, W. O. and McKendrick, A. G. (1927). A contribution to the mathematical theory of epidemics.
    """
    days = positive_integer("days", days)
    latent, infectious = number("latent", latent, 1), number("infectious", infectious, 1)
    rates = _rates(reproduction)
    if rates.ndim > 2 or (rates.ndim == 2 and len(rates) != days):
        raise ValueError(f"reproduction must have shape (), (regions,) or ({days}, regions); got {rates.shape}")
    seeded, immune = _shares(seeded, immune)
    start = np.asarray(start)
    if not np.issubdtype(start.dtype, np.integer) or (start < 0).any():
        raise ValueError("start must be whole days, counted from 0")

    daily = rates if rates.ndim == 2 else rates[None]
    shape = np.broadcast_shapes(daily.shape[1:], seeded.shape, immune.shape, start.shape)
    rates = np.broadcast_to(daily, (days, *shape))
    immune, start = np.broadcast_to(immune, shape), np.broadcast_to(start, shape)
    first = rates[np.minimum(start, days - 1), np.arange(shape[0])] if shape else rates[min(start, days - 1)]
    growth = growth_rate(first * (1 - immune), latent=latent, infectious=infectious)
    exposed = (growth + 1 / infectious) / (growth + 1 / infectious + 1 / latent)  # of the seeded: they grow alike

    record = np.zeros((5, days, *shape))
    S, E, I, R = np.ones(shape) - immune, np.zeros(shape), np.zeros(shape), immune.copy()
    for day in range(days):
        arrived = start == day
        S = S - arrived * seeded
        E = E + arrived * seeded * exposed
        I = I + arrived * seeded * (1 - exposed)
        record[:, day] = S, E, I, R, E / latent
        infected = -S * np.expm1(-rates[day] / infectious * I)
        S, E, I, R = S - infected, E + infected - E / latent, I + E / latent - I / infectious, R + I / infectious
    return Epidemic(*record)


def growth_rate(reproduction, *, latent=LATENT, infectious=INFECTIOUS):
    """By which share cases grow in a day while nearly everybody is susceptible.

    The larger root of `(1 + latent · r)(1 + infectious · r) = reproduction`; -0.02 means 2 % fewer each day.

    Parameters
    ----------
    reproduction : float or ndarray
    latent, infectious : float
        Mean days in E and in I.

    Returns
    -------
    float or ndarray, of the shape of `reproduction`

    References
    ----------
    Wallinga, J. and Lipsitch, M. (2007). How generation intervals shape the relationship between growth rates and
    reproductive numbers. Proc. R. Soc. B 274.
    """
    reproduction = _rates(reproduction)
    latent, infectious = number("latent", latent, 1), number("infectious", infectious, 1)
    a, b = latent * infectious, latent + infectious
    return ((np.sqrt(b * b - 4 * a * (1 - reproduction)) - b) / (2 * a))[()]


def reproduction_number(growth, *, latent=LATENT, infectious=INFECTIOUS):
    """R from the daily growth of the cases: `(1 + latent · r)(1 + infectious · r)`, the inverse of `growth_rate`."""
    growth = np.asarray(growth, dtype=float)
    latent, infectious = number("latent", latent, 1), number("infectious", infectious, 1)
    return ((1 + latent * growth) * (1 + infectious * growth))[()]


def final_size(reproduction, *, seeded=SEEDED, immune=0.0):
    """Which share of the people the virus has reached when it is gone, the seeded among them.

    The larger root `z` of `1 - immune - z = (1 - immune - seeded) exp(-reproduction · z)`, found by Newton's method. At
    the threshold, where nobody is seeded and a case infects just one other, two roots meet in 0, and it is found to
    nine digits instead of all.

    Parameters
    ----------
    reproduction, seeded, immune : float or ndarray
        As for :func:`seir`; R may not change from day to day.

    Returns
    -------
    float or ndarray

    Raises
    ------
    ValueError
        An argument lies outside its range; it is named.

    References
    ----------
    Kermack and McKendrick (1927), as for :func:`seir`.
    """
    reproduction = _rates(reproduction)
    seeded, immune = _shares(seeded, immune)
    z = np.broadcast_to(1 - immune, np.broadcast_shapes(reproduction.shape, seeded.shape, immune.shape))
    for _ in range(100):  # from above, where the function is convex: each step comes nearer and none goes too far
        left = (1 - immune - seeded) * np.exp(-reproduction * z)
        above, slope = z - (1 - immune) + left, 1 - reproduction * left
        down = (above > 0) & (slope > 0)  # else it is there, as near as floats come
        z = np.maximum(z - np.where(down, above, 0) / np.where(down, slope, 1), 0)
    return z[()]


def _rates(reproduction):
    try:
        rates = np.asarray(reproduction, dtype=float)
    except (TypeError, ValueError):
        rates = np.array(np.nan)
    if not np.isfinite(rates).all() or (rates < 0).any():
        raise ValueError(f"reproduction must be finite numbers of at least 0; got {reproduction!r}")
    return rates


def _shares(seeded, immune):
    seeded, immune = np.asarray(seeded, dtype=float), np.asarray(immune, dtype=float)
    for name, share in (("seeded", seeded), ("immune", immune)):
        if not ((share >= 0) & (share <= 1)).all():
            raise ValueError(f"{name} must be a share from 0 to 1; got {share}")
    if (seeded + immune > 1 + 1e-12).any():
        raise ValueError("seeded and immune must not be more than 1 together")
    return seeded, immune
