"""What cases of several parts use."""

import numpy as np


def _he_uniform(fan_in, fan_out, rng, shape=None):
    a = np.sqrt(6 / fan_in)
    return rng.uniform(-a, a, shape or (fan_in, fan_out))
