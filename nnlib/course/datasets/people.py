"""People some of whom are ill, as many as one likes: so a score can be compared with what it should have been."""

import numpy as np

from ...checks import as_generator, positive_integer


def people(samples=400, *, seed=0):
    """Six measurements of each person, and whether the person is ill, as about one in five is.

    The measurements are standard normal. With z = -2.5 + 1.8 x₁ + 1.2 x₂ + 2.5 x₁ x₂, a person is ill with the
    probability 1/(1 + e^(-z)); the last four measurements say nothing. Returns X (samples, 6) and y (samples, 1).

    Parameters
    ----------
    samples : int
        Number of people.
    seed : int or numpy.random.Generator
    """
    samples, rng = positive_integer("samples", samples), as_generator(seed)
    X = rng.standard_normal((samples, 6))
    z = -2.5 + 1.8 * X[:, 0] + 1.2 * X[:, 1] + 2.5 * X[:, 0] * X[:, 1]
    return X, (rng.random(samples) < 1 / (1 + np.exp(-z))).astype(float)[:, None]
