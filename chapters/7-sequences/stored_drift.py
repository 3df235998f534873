"""Targets that move, in the smallest case: weights that follow numbers which wander, measured with noise.

`python chapters/7-sequences/stored_drift.py` takes half a minute and renews the table in data/sequences that the page "Forge
digits" prints.
"""

import numpy as np

import nnlib as nn
from stored_forged import RESULTS, stored_results

MOVES, NOISE = 0.05, 1.0  # standard deviations, in units of the output
STEPS, WEIGHTS, SEEDS = 2000, 8, 20
OPTIMIZERS = {
    "SGD": (nn.SGD, (0.0017, 0.005, 0.017, 0.05, 0.17, 0.5)),
    "momentum": (
        lambda rate: nn.SGD(rate, momentum=0.9),
        (0.00017, 0.0005, 0.0017, 0.005, 0.017, 0.05),
    ),
    "Adagrad": (nn.Adagrad, (0.05, 0.17, 0.5, 1.7, 5, 17)),
    "RMSprop": (nn.RMSprop, (0.0017, 0.005, 0.017, 0.05, 0.17, 0.5)),
    "Adam": (nn.Adam, (0.0017, 0.005, 0.017, 0.05, 0.17, 0.5)),
}
SCALES = {
    "alike": np.ones(WEIGHTS),
    "unlike": np.geomspace(0.1, 1, WEIGHTS),  # of the inputs
}


def follow(optimizer, scales, moves, seed):
    """Return, for each of `SEEDS` wanderings, the mean squared error in the second half of the steps.

    Weight i of w follows its target t: the output's error is d = s_i (w - t), and what is measured of it is d plus
    noise, so that the gradient of half its square is s_i (d + noise).
    """
    rng = np.random.default_rng(seed)
    shape = SEEDS, WEIGHTS
    target = rng.standard_normal(shape) / scales
    w = np.zeros(SEEDS * WEIGHTS)
    optimizer.init(w.size)
    errors = np.zeros(SEEDS)
    for step in range(STEPS):
        target += moves * rng.standard_normal(shape) / scales
        d = scales * (w.reshape(shape) - target)
        if step >= STEPS // 2:
            errors += (d**2).mean(axis=1) / (STEPS - STEPS // 2)
        g = scales * (d + NOISE * rng.standard_normal(shape))
        optimizer.step(w, g.ravel())
    return errors


def run(name, kind, moves):
    """Return the rows of the table for an optimizer: its errors with the rate that was best on other wanderings."""
    make, rates = OPTIMIZERS[name]
    with np.errstate(all="ignore"):
        tries = [
            follow(make(rate), SCALES[kind], moves, 1).mean() for rate in rates
        ]
    rate = rates[int(np.nanargmin(tries))]
    errors = follow(make(rate), SCALES[kind], moves, 0)
    return [
        {
            "scales": kind,
            "moves": moves,
            "optimizer": name,
            "rate": rate,
            "seed": seed,
            "error": error,
        }
        for seed, error in enumerate(errors)
    ]


CODE = follow, run


def main():
    """Follow everything, and write the table."""
    import pandas as pd

    rows = [
        row
        for kind in SCALES
        for moves in (0.0, MOVES)
        for name in OPTIMIZERS
        for row in run(name, kind, moves)
    ]
    table = pd.DataFrame(rows)
    stored_results.store(table, "forged_drift", CODE, folder=RESULTS)


if __name__ == "__main__":
    main()
