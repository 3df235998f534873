"""A forger against a judge, on one number and on a ring of clouds: what the page "Forge and judge" plays and stores.

`python chapters/7-sequences/stored_forge.py` writes data/sequences/forge_line.csv and forge_ring.csv anew: five minutes on one
core. Computing goes on where it was stopped.

Each learning rate is chosen on seeds of its own (`TRIALS`); what the page reports is of other seeds (`SEEDS`).
"""

import sys
from pathlib import Path

import numpy as np

import nnlib as nn
from nnlib.course import datasets

sys.path.append(str(Path(__file__).resolve().parents[1] / "3-insurance"))
import stored_results

RESULTS = stored_results.PROJECT / "data" / "sequences"
SEEDS = range(10)
FEWER = range(6)  # of the settings that are compared with the base
TRIALS = range(100, 103)  # seeds that only choose rates
ROWS = 64  # real examples in a batch, and as many forgeries

MEAN, SD = 3.0, 0.7  # of the one number
LINE_STEPS = 600
LINE_START = -3.0  # where the forger of one number begins
LINE_RATES = (0.01, 0.03, 0.1, 0.3)
LINE_JUDGE = 0.01

CLOUDS, RADIUS, SPREAD = 8, 2.0, 0.1
RING_STEPS = 2000
RING_RATES = (0.001, 0.003, 0.01)
BASE = {
    "latent": 2,
    "beta1": 0.5,
    "judge_steps": 1,
    "ratio": 1.0,
    "told": "real",
}
SETTINGS = {
    "base": {},
    "1 number of noise": {"latent": 1},
    "8 numbers of noise": {"latent": 8},
    "beta1 = 0": {"beta1": 0.0},
    "beta1 = 0.9": {"beta1": 0.9},
    "3 steps of the judge": {"judge_steps": 3},
    "judge at a tenth": {"ratio": 0.1},
}


def _rows(p, y):
    """Return ln(1 - D), the mean over a row's outputs: large where the judge is not taken in."""
    return np.log(np.maximum(1 - p, np.finfo(p.dtype).tiny)).mean(axis=1)


def _slope(p, y):
    return -1 / np.maximum(1 - p, np.finfo(p.dtype).tiny) / p.shape[1]


SATURATING = nn.losses.Loss("saturating", _rows, _slope)
LOSSES = {"real": "binary_crossentropy", "forged": SATURATING}


def duel(
    forger, judge, real, optimizers, steps, rng,
    *, told="real", judge_steps=1, after=None,
):  # fmt: skip
    """Train a forger against a judge; return the judge's loss before each of its last steps.

    Parameters
    ----------
    forger, judge : nnlib.Sequential
        The generator, from noise to forgeries; the discriminator, from examples to the chance that they are real.
    real : callable (rng, rows) -> ndarray
        Draws real examples.
    optimizers : pair of nnlib.Optimizer
        Of the forger, and of the judge.
    steps : int
        Steps of the forger.
    rng : numpy.random.Generator
        Of the batches and the noise.
    told : {"real", "forged"}
        What the forger's loss asks of its forgeries: that they be taken for real, -ln D, or not for forged, ln(1 - D).
    judge_steps : int
        Steps of the judge for each of the forger's.
    after : callable (step) -> None, optional
        Called before the first step, with 0, and after each.
    """
    yes, no = np.ones((ROWS, 1)), np.zeros((ROWS, 1))
    latent = forger.input_shape[0]
    create, assess = optimizers
    losses = []
    if after:
        after(0)
    for step in range(1, steps + 1):
        for _ in range(judge_steps):
            forged = forger.predict(rng.standard_normal((ROWS, latent)))
            loss = judge.train_on_batch(
                np.concatenate([real(rng, ROWS), forged]),
                np.concatenate([yes, no]),
                loss="binary_crossentropy",
                optimizer=assess,
            )
        losses.append(loss)
        forger.train_on_batch(
            rng.standard_normal((ROWS, latent)),
            yes,
            loss=LOSSES[told],
            optimizer=create,
            through=judge,
        )
        if after:
            after(step)
    return np.array(losses)


def line_pair(seed):
    """Return a forger of one number, a·z + b with a = 1 and b = LINE_START, and its judge."""
    forger = nn.Sequential([nn.Dense(1)], seed=seed).build(1)
    forger.layers[0].params["W"][...] = 1
    forger.layers[0].params["b"][...] = LINE_START
    judge = nn.Sequential(
        [
            nn.Dense(16, "leaky_relu"),
            nn.Dense(16, "leaky_relu"),
            nn.Dense(1, "sigmoid"),
        ],
        seed=seed,
    ).build(1)
    return forger, judge


def line_real(rng, rows):
    """Draw real numbers: normal, mean MEAN, standard deviation SD."""
    return MEAN + SD * rng.standard_normal((rows, 1))


def line_apart(forger):
    """Return how far a·z + b is from the real numbers: √((b - MEAN)² + (|a| - SD)²), Wasserstein's distance of two normals."""
    a, b = (forger.layers[0].params[name].item() for name in ("W", "b"))
    return np.hypot(b - MEAN, abs(a) - SD)


def run_line(steps_by, told, rate, seed):
    """Return a row of the table "forge_line": how far the forger of one number was, on average and in the end.

    `arrived` is the first step with a distance below 0.2; one more than there are steps where there was none.
    """
    forger, judge = line_pair(seed)
    create = {"SGD": nn.SGD, "Adam": lambda r: nn.Adam(r, beta1=0.5)}[steps_by]
    apart = []
    losses = duel(
        forger,
        judge,
        line_real,
        (create(rate), nn.Adam(LINE_JUDGE, beta1=0.5)),
        LINE_STEPS,
        np.random.default_rng(seed),
        told=told,
        after=lambda step: apart.append(line_apart(forger)),
    )
    apart = np.array(apart)
    near = np.flatnonzero(apart < 0.2)
    return {
        "mean": apart.mean(),
        "end": apart[-50:].mean(),
        "arrived": int(near[0]) if len(near) else LINE_STEPS + 1,
        "loss": losses[-50:].mean(),
    }


def centres():
    """Return the middles of the clouds, (8, 2)."""
    angle = 2 * np.pi * np.arange(CLOUDS) / CLOUDS
    return RADIUS * np.c_[np.cos(angle), np.sin(angle)]


def score(points):
    """Return how well points imitate the ring.

    Returns
    -------
    dict
        `shares` of the points within three spreads of each middle; `good`, their sum; `modes`, how many of the clouds
        have 2 % of the points or more; `match`, the sum of the shares, of each no more than an eighth.
    """
    away = np.linalg.norm(points[:, None] - centres(), axis=2)
    good = away.min(axis=1) <= 3 * SPREAD
    shares = np.bincount(away.argmin(axis=1)[good], minlength=CLOUDS)
    shares = shares / len(points)
    return {
        "shares": shares,
        "good": shares.sum(),
        "modes": int((shares >= 0.02).sum()),
        "match": np.minimum(shares, 1 / CLOUDS).sum(),
    }


def ring_pair(seed, latent=2):
    """Return a forger of points and its judge: two hidden layers of 32 each."""

    def hidden():
        return [nn.Dense(32, "relu"), nn.Dense(32, "relu")]

    forger = nn.Sequential([*hidden(), nn.Dense(2)], seed=2 * seed)
    judge = nn.Sequential(
        [*hidden(), nn.Dense(1, "sigmoid")], seed=2 * seed + 1
    )
    return forger.build(latent), judge.build(2)


def ring_duel(rate, seed, setting="base", after=None):
    """Play 2,000 steps on a ring of 4,000 points; return forger, judge and the judge's losses.

    `after(step, forger, judge)`, if given, sees the start and each step.
    """
    chosen = {**BASE, **SETTINGS[setting]}
    forger, judge = ring_pair(seed, chosen["latent"])
    X, _ = datasets.ring(
        4000, clouds=CLOUDS, radius=RADIUS, spread=SPREAD, seed=seed
    )
    losses = duel(
        forger,
        judge,
        lambda rng, rows: X[rng.integers(0, len(X), rows)],
        (
            nn.Adam(rate, beta1=chosen["beta1"]),
            nn.Adam(rate * chosen["ratio"], beta1=chosen["beta1"]),
        ),
        RING_STEPS,
        np.random.default_rng(seed),
        told=chosen["told"],
        judge_steps=chosen["judge_steps"],
        after=after and (lambda step: after(step, forger, judge)),
    )
    return forger, judge, losses


def noise(latent, rows=2000):
    """Return the noise on which forgers are judged: the same for each of them."""
    return np.random.default_rng(2014).standard_normal((rows, latent))


def run_ring(setting, rate, seed):
    """Return a row of the table "forge_ring": how well 2,000 forgeries imitate the ring after 2,000 steps."""
    forger, _, losses = ring_duel(rate, seed, setting)
    found = score(forger.predict(noise(forger.input_shape[0])))
    return {
        "modes": found["modes"],
        "good": found["good"],
        "match": found["match"],
        "loss": losses[-200:].mean(),
    }


CODE = (
    _rows, _slope, duel, line_pair, line_real, line_apart, run_line, centres, score, ring_pair, ring_duel, noise, run_ring,
)  # fmt: skip


stored, made = stored_results.readers(RESULTS)


def reported(table):
    """Return the rows that a page reports: those of the seeds that chose no rate."""
    return table[table.seed.isin(SEEDS)]


def best_rate(table, ruler, lowest):
    """Return the rate whose mean of `ruler` over the trials is lowest, or else highest."""
    trials = table[table.seed.isin(TRIALS)].groupby("rate")[ruler].mean()
    return trials.idxmin() if lowest else trials.idxmax()


def both(run, grid, rates, ruler, lowest, folder, always=(), seeds=SEEDS):
    """Run the trials at all rates, then the seeds at the best one and at those of `always`."""
    import pandas as pd

    trials = stored_results.swept(
        run, {**grid, "rate": rates, "seed": list(TRIALS)}, folder / "trials"
    )
    chosen = {best_rate(trials, ruler, lowest), *always}
    found = stored_results.swept(
        run,
        {**grid, "rate": sorted(chosen), "seed": list(seeds)},
        folder / "seeds",
    )
    return pd.concat([trials, found], ignore_index=True)


def main():
    """Play everything, and write the tables."""
    import pandas as pd

    folder = stored_results.UNFINISHED / "forge"
    line = [
        both(
            run_line,
            {"steps_by": [steps_by], "told": [told]},
            LINE_RATES,
            "mean",
            True,
            folder / f"{steps_by}_{told}",
            always=LINE_RATES[:1],
        )
        for steps_by in ("SGD", "Adam")
        for told in LOSSES
    ]
    ring = [
        both(
            run_ring,
            {"setting": [setting]},
            RING_RATES,
            "match",
            False,
            folder / f"ring_{number}",
            seeds=FEWER if number else SEEDS,
        )
        for number, setting in enumerate(SETTINGS)
    ]
    tables = {
        "forge_line": pd.concat(line, ignore_index=True),
        "forge_ring": pd.concat(ring, ignore_index=True),
    }
    stored_results.store_all(tables, CODE, (), RESULTS)


if __name__ == "__main__":
    main()
