"""Point clouds in the plane, of two classes: what a line divides, and what it does not.

Each generator returns X (samples, 2) and y (samples, 1) of zeros and ones, in random order; same seed, same points.
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
