"""Four kinds of data, four families of networks of about 450 parameters, and two controls; and one task at six depths.

`python chapters/7-sequences/stored_families.py` trains them for ten seeds and two or three learning rates (four minutes of
one core; it goes on where it was stopped), and renews the tables in data/sequences that the page "Choose a network" prints.
"""

import sys
from pathlib import Path

import numpy as np

import nnlib as nn

PROJECT = Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "chapters" / "3-insurance"))

import stored_results  # noqa: E402

RESULTS = PROJECT / "data" / "sequences"
SEEDS = range(10)
BUDGET = 470  # parameters of a network, at most
ROWS, EPOCHS = 1000, 32  # to train with, in batches of 32
RATES = (0.01, 0.03)
DEPTHS, DEPTH_RATES = (0, 1, 2, 3, 4, 5), (0.003, 0.01, 0.03)
NAMES = 6  # in a list of the task "lookup"


# Four kinds of data: rows -> X (rows, ...), y (rows,) of 0 and 1


def table(rows, rng):
    """Eight columns in no order; y = 1 where column 0 times column 3 plus half of column 5 is positive."""
    X = rng.standard_normal((rows, 8))
    return X, X[:, 0] * X[:, 3] + X[:, 5] / 2 > 0


def picture(rows, rng):
    """8 by 8 pixels of noise with a stroke of three pixels anywhere; y = 1 where it falls from left to right."""
    X, y = rng.standard_normal((rows, 8, 8)) / 2, rng.random(rows) < 0.5
    for x, falls in zip(X, y, strict=True):
        top, left = rng.integers(6, size=2)
        for k in range(3):
            x[top + k, left + (k if falls else 2 - k)] += 2
    return X, y


def order(rows, rng):
    """Sixteen steps of quiet noise with one loud and one half as loud, up or down; y = 1 where the loud one is first."""
    X, y = rng.standard_normal((rows, 16, 1)) / 5, rng.random(rows) < 0.5
    for x, loud_first in zip(X, y, strict=True):
        first, second = np.sort(rng.choice(16, 2, replace=False))
        up = rng.choice([-1, 1], 2)
        x[first, 0] += up[0] * (2 if loud_first else 1)
        x[second, 0] += up[1] * (1 if loud_first else 2)
    return X, y


def lookup(rows, rng):
    """Six names (one-hot) in any order, each with a 1 or -1, and then one of the names alone; y = 1 where it has a 1."""
    X = np.zeros((rows, NAMES + 1, NAMES + 1))
    y = np.zeros(rows, bool)
    for at, x in enumerate(X):
        names, values = rng.permutation(NAMES), rng.choice([-1, 1], NAMES)
        asked = rng.integers(NAMES)
        x[np.arange(NAMES), names] = 1
        x[:NAMES, NAMES] = values
        x[NAMES, names[asked]] = 1
        y[at] = values[asked] > 0
    return X, y


TASKS = {"table": table, "picture": picture, "order": order, "lookup": lookup}


# What each family sees of it, and its layers: width -> layers


def seen_by(family, X):
    """Return X in the shape that a family reads: a row, an image, steps, or steps that say which they are."""
    if family in ("line", "nearest", "dense"):
        return X.reshape(len(X), -1)
    if X.ndim == 2:
        X = X[:, :, None]  # the columns, one after the other
    if family == "windows":
        return X[..., None] if X.shape[1:] == (8, 8) else X[:, :, None]
    if family == "attention":
        steps = X.shape[1]
        place = np.broadcast_to(np.eye(steps), (len(X), steps, steps))
        return np.concatenate([X, place], axis=2)
    return X


def layers(family, width, shape):
    """Return the layers of a family before its last unit; shape is that of a row as `seen_by` gives it."""
    relu = {"activation": "relu", "initializer": "he_normal"}
    if family == "line":
        return []
    if family == "dense":
        return [nn.Dense(width, **relu)]
    if family == "windows":
        size = (3, min(3, shape[1]))
        convolutions = [
            nn.Conv2D(width, size, "same", **relu) for _ in range(2)
        ]
        return [*convolutions, nn.MaxPool2D(shape[:2]), nn.Flatten()]
    if family == "LSTM":
        return [nn.LSTM(width)]
    look = nn.Residual(nn.SelfAttention())
    return [nn.Dense(width, **relu), look, nn.Flatten()]


FAMILIES = ("line", "nearest", "dense", "windows", "LSTM", "attention")


def network(family, shape, seed):
    """Return the widest network of a family that has at most 470 parameters."""
    best = None
    for width in range(1, 60):
        stack = [*layers(family, width, shape), nn.Dense(1, "sigmoid")]
        model = nn.Sequential(stack, seed=seed).build(shape)
        if model.params.size > BUDGET:
            break
        best = model
    return best


def deep(depth, inputs, seed):
    """Return a dense network with so many hidden layers, all equally wide, and at most 470 parameters."""
    best = None
    for width in range(1, 60):
        hidden = [nn.Dense(width, "relu", "he_normal") for _ in range(depth)]
        stack = [*hidden, nn.Dense(1, "sigmoid")]
        model = nn.Sequential(stack, seed=seed).build((inputs,))
        if model.params.size > BUDGET:
            break
        best = model
    return best


def draws(task, seed):
    """Return training, validation and test rows, (X, y) each."""
    sizes = (ROWS, 500, 1000)
    return [
        TASKS[task](rows, np.random.default_rng([seed, part]))
        for part, rows in enumerate(sizes)
    ]


def fitted(model, X, y, rate):
    """Train the model in place, 32 epochs of Adam."""
    target = y[:, None].astype(float)
    optimizer = nn.Adam(rate)
    model.fit(
        X,
        target,
        loss="binary_crossentropy",
        optimizer=optimizer,
        epochs=EPOCHS,
    )


def nearest(X, y, new):
    """Return the y of the nearest training row, for each new row."""
    squares = (new**2).sum(1)[:, None] - 2 * new @ X.T + (X**2).sum(1)
    return y[squares.argmin(axis=1)]


def scores(predict, sets):
    """Return the shares that are right, for training, validation and test."""
    names = ("training", "validation", "test")
    return {
        name: np.mean(predict(X) == y)
        for name, (X, y) in zip(names, sets, strict=True)
    }


def run_family(task, family, rate, seed):
    """Return a row of the table "families": parameters, and the shares that are right."""
    sets = [(seen_by(family, X), y) for X, y in draws(task, seed)]
    (X, y), *_ = sets
    if family == "nearest":
        right = scores(lambda new: nearest(X, y, new), sets)
        return {"parameters": 0, **right}
    model = network(family, X.shape[1:], seed)
    fitted(model, X, y, rate)
    right = scores(lambda new: model.predict(new)[:, 0] > 0.5, sets)
    return {"parameters": model.params.size, **right}


def run_depth(task, depth, rate, seed):
    """Return a row of the table "depths": parameters, and the shares that are right."""
    sets = [(seen_by("dense", X), y) for X, y in draws(task, seed)]
    (X, y), *_ = sets
    model = deep(depth, X.shape[1], seed)
    fitted(model, X, y, rate)
    right = scores(lambda new: model.predict(new)[:, 0] > 0.5, sets)
    return {"parameters": model.params.size, **right}


CODE = (
    table, picture, order, lookup, seen_by, layers, network, deep, draws, fitted, nearest, scores, run_family, run_depth,
)  # fmt: skip


stored, made = stored_results.readers(RESULTS)


def tables(seeds, folder, workers=1):
    """Train everything for these seeds; return both tables by name."""
    import pandas as pd

    families = [
        stored_results.swept(
            run_family,
            {
                "task": list(TASKS),
                "family": [family],
                "rate": RATES[:1] if family == "nearest" else RATES,
                "seed": list(seeds),
            },
            folder / family,
            workers=workers,
        )
        for family in FAMILIES
    ]
    depths = {
        "task": ["table", "order"],
        "depth": DEPTHS,
        "rate": DEPTH_RATES,
        "seed": list(seeds),
    }
    return {
        "families": pd.concat(families, ignore_index=True),
        "depths": stored_results.swept(
            run_depth, depths, folder / "depths", workers=workers
        ),
    }


def main():
    """Train everything, and write the tables."""
    found = tables(SEEDS, stored_results.UNFINISHED / "families")
    stored_results.store_all(found, CODE, folder=RESULTS)


if __name__ == "__main__":
    main()
