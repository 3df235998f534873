"""Networks that feed their state back: what a unit's own output alone can do, and what clipping does to steep steps.

`python chapters/7-sequences/stored_feed.py` trains them for ten and twenty seeds (four minutes on one core; it goes on
where it was stopped), and renews the tables in data/sequences that the page "Feed it back" prints.
"""

import sys
from pathlib import Path

import numpy as np

import nnlib as nn
from nnlib.course import datasets

PROJECT = Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "chapters" / "3-insurance"))

import stored_results  # noqa: E402

RESULTS = PROJECT / "data" / "sequences"

# --- each unit hears all units, or only itself -----------------------------------------------------------------

SEEDS = range(10)
TASKS = ("first", "ago", "odd")
KINDS = {  # units, and how the own weights start; None: every unit hears all
    "all": (16, None),
    "own": (16, "signs"),
    "spread": (16, "even"),
    "wide": (72, "even"),
}
RATES = (0.01, 0.03, 0.1)
ROWS, EPOCHS, BATCH = 1000, 30, 32


class OwnOutput(nn.RNN):
    """A recurrent layer whose units hear only themselves: off its diagonal U is 0 and stays 0.

    Parameters
    ----------
    units : int
    start : {"signs", "even"}
        U's diagonal starts at +1 or -1 (the orthogonal matrices among the diagonal ones), or evenly in (-1, 1).
    """

    def __init__(self, units, start="signs"):
        super().__init__(units)
        self.start = start

    def build(self, input_shape, rng, dtype):
        """Draw the parameters; of U only the diagonal."""
        shape = super().build(input_shape, rng, dtype)
        if self.start == "signs":
            own = rng.choice([-1.0, 1.0], self.units)
        else:
            own = rng.uniform(-1, 1, self.units)
        self.params["U"][...] = np.diag(own)
        return shape

    def backward(self, dy):
        """As ever, but nothing is learned off the diagonal."""
        dx = super().backward(dy)
        self.grads["U"][...] *= np.eye(self.units)
        return dx


def draw(task, seed, part):
    """Return sequences and what is asked about each: (rows, time, 1) and (rows, 1).

    "first": was the first number +1, after ten others? "ago": which number was read three steps before the end, of
    twelve? "odd": of six numbers ±1, are an odd number of them -1? Parts 0, 1 and 2 are for training, choosing, judging.
    """
    rng = np.random.default_rng([seed, part])
    if task == "first":
        return datasets.first_sign(ROWS, 10, seed=rng)
    if task == "ago":
        X = rng.standard_normal((ROWS, 12, 1))
        return X, X[:, -4]
    X = rng.choice([-1.0, 1.0], (ROWS, 6, 1))
    return X, (X.prod(axis=1) < 0).astype(float)


def run_own(task, kind, rate, seed):
    """Return a row of the table "feed_own": % of right answers, for "ago" % of the variance that is explained."""
    units, start = KINDS[kind]
    layer = nn.RNN(units) if start is None else OwnOutput(units, start)
    value = task == "ago"
    model = nn.Sequential(
        [layer, nn.Dense(1, None if value else "sigmoid")], seed=seed
    )
    steps = EPOCHS * -(-ROWS // BATCH)
    model.fit(
        *draw(task, seed, 0),
        loss="mse" if value else "binary_crossentropy",
        optimizer=nn.Adam(nn.schedules.CosineDecay(rate, steps), clip_norm=1.0),
        epochs=EPOCHS,
        batch_size=BATCH,
    )
    found = {}
    for part, name in ((1, "validation"), (2, "test")):
        X, y = draw(task, seed, part)
        said = model.predict(X)
        right = (
            1 - np.mean((said - y) ** 2) / np.var(y)
            if value
            else np.mean((said > 0.5) == y)
        )
        found[name] = 100 * float(right)
    return found


# --- steps along gradients that explode ------------------------------------------------------------------------

CLIP_SEEDS = range(20)
CLIP_RATES = (0.01, 0.03, 0.1, 0.3, 1.0)
LAG, UNITS, STEPS, LIMIT, STEEP = 20, 16, 300, 1.0, 5.0


def run_clip(clip, rate, seed):
    """Return a row of the table "feed_clip": training with plain gradient descent, clipped (1) or not (0).

    Columns: `validation` and `test`, % of right answers about the first sign; `largest` and `median` length of the
    gradients. Of the first step with a gradient longer than STEEP: `length`, and the loss on the validation sequences
    `before` it, after it as it is (`plain`) and after it `clipped`; nan where there is none.
    """
    rng = np.random.default_rng([seed, 3])
    model = nn.Sequential(
        [nn.RNN(UNITS), nn.Dense(1, "sigmoid")], seed=seed
    ).build((LAG + 1, 1))
    watch, new = (datasets.first_sign(1000, LAG, seed=rng) for _ in range(2))
    objective = model.objective("binary_crossentropy")
    lengths = []
    found = dict.fromkeys(("length", "before", "plain", "clipped"), np.nan)

    def loss(weights):
        model.params[...] = weights
        return model.evaluate(*watch, loss="binary_crossentropy")["loss"]

    for _ in range(STEPS):
        model.compute_gradients(
            *datasets.first_sign(32, LAG, seed=rng), objective
        )
        weights, g = model.params.copy(), model.grads.copy()
        length = float(np.linalg.norm(g))
        short = g * min(1, LIMIT / length)
        lengths.append(length)
        if length > STEEP and np.isnan(found["length"]):
            found = {
                "length": length,
                "before": loss(weights),
                "plain": loss(weights - rate * g),
                "clipped": loss(weights - rate * short),
            }
        model.params[...] = weights - rate * (short if clip else g)
    right = [
        100 * float(np.mean((model.predict(X) > 0.5) == y))
        for X, y in (watch, new)
    ]
    return {
        "validation": right[0],
        "test": right[1],
        "largest": max(lengths),
        "median": float(np.median(lengths)),
        **found,
    }


CODE = (OwnOutput, draw, run_own, run_clip)
TABLES = ("feed_own", "feed_clip")


stored, made = stored_results.readers(RESULTS)


def tables(folder, own_seeds=SEEDS, clip_seeds=CLIP_SEEDS, workers=1):
    """Train everything for these seeds; return both tables by name."""
    own = stored_results.swept(
        run_own,
        {
            "task": TASKS,
            "kind": list(KINDS),
            "rate": RATES,
            "seed": list(own_seeds),
        },
        folder / "own",
        workers=workers,
    )
    clip = stored_results.swept(
        run_clip,
        {"clip": [0, 1], "rate": CLIP_RATES, "seed": list(clip_seeds)},
        folder / "clip",
        workers=workers,
    )
    return dict(zip(TABLES, (own, clip), strict=True))


def main():
    """Train everything, and write the tables."""
    found = tables(stored_results.UNFINISHED / "feed")
    stored_results.store_all(found, CODE, (), RESULTS)


if __name__ == "__main__":
    main()
