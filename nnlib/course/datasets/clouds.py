"""Point clouds in the plane: of two classes, which a line divides or does not, and a ring to be imitated.

`separable` and `two_moons` return X (samples, 2) and y (samples, 1) of zeros and ones; `ring` returns X and which cloud
each point is of. All are in random order; same seed, same points.
"""

import numpy as np

from ...checks import as_generator, number, positive_integer


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
    samples, gap, rng = positive_integer("samples", samples), number("gap", gap, 0), as_generator(seed)
    angle = rng.uniform(0, 2 * np.pi)
    normal = np.array([np.cos(angle), np.sin(angle)])
    X = rng.uniform(-1, 1, (samples, 2))
    side = X @ normal > 0
    X += np.outer(np.where(side, gap / 2, -gap / 2), normal)
    return X, side[:, None].astype(float)


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
    samples, noise, rng = positive_integer("samples", samples), number("noise", noise, 0), as_generator(seed)
    label = rng.permutation(np.arange(samples) % 2 == 0)
    t = rng.uniform(0, np.pi, samples)
    X = np.c_[np.where(label, 1 - np.cos(t), np.cos(t)), np.where(label, 0.5 - np.sin(t), np.sin(t))]
    return X + rng.normal(0, 1, X.shape) * noise, label[:, None].astype(float)


def ring(samples=2000, *, clouds=8, radius=2.0, spread=0.1, seed=0):
    """Normal clouds evenly spaced on a circle: (r cos t, r sin t) + N(0, spread²), t = 2πk/clouds for cloud k.

    The distribution that generators are tried on: a good one makes points in every cloud and none between them.

    Parameters
    ----------
    samples : int
        Number of points; the clouds have equally many, the first ones one more where that cannot be.
    clouds : int
        How many.
    radius : float
        Of the circle, > 0.
    spread : float
        Standard deviation of a cloud in each direction, ≥ 0.
    seed : int or numpy.random.Generator

    Returns
    -------
    X : ndarray (samples, 2)
    cloud : ndarray (samples,) of int
        The truth: which cloud a point was drawn from, 0 to clouds - 1.

    References
    ----------
    With eight clouds the task of Metz, Poole, Pfau & Sohl-Dickstein 2017.
    """
    samples, clouds = positive_integer("samples", samples), positive_integer("clouds", clouds)
    radius, spread = number("radius", radius, 0, open_low=True), number("spread", spread, 0)
    rng = as_generator(seed)
    cloud = rng.permutation(np.arange(samples) % clouds)
    t = 2 * np.pi * cloud / clouds
    return radius * np.c_[np.cos(t), np.sin(t)] + spread * rng.standard_normal((samples, 2)), cloud
