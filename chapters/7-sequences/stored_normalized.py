"""Two LSTM layers that recall the first sign: batch normalization after both or the first, layer norm, or none; three batch sizes.

`python chapters/7-sequences/stored_normalized.py` trains them for ten seeds and three learning rates (seven minutes of a
busy core; it goes on where it was stopped), and renews the table in data/sequences that the page "Normalize a sequence" prints.
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
SEEDS = range(10)
KINDS = {
    "none": None,
    "batch": nn.BatchNorm,
    "first": nn.BatchNorm,  # after the first layer only, where every step counts
    "layer": nn.LayerNorm,
}
BATCHES = (2, 8, 32)
RATES = (0.003, 0.01, 0.03)
LAG, LONGER, STEPS, ROWS, UNITS = 15, 30, 300, 600, 16


def network(kind, lag, seed):
    """Return two LSTM layers and one output, for sequences of lag + 1.

    After each layer stands a normalization, or none; of the kind "first" after the first layer only.
    """
    normalize = KINDS[kind]
    stack = []
    for last in (False, True):
        stack.append(nn.LSTM(UNITS, return_sequences=not last))
        skip = normalize is None or (kind == "first" and last)
        stack += [] if skip else [normalize()]
    stack.append(nn.Dense(1, "sigmoid"))
    return nn.Sequential(stack, seed=seed).build((lag + 1, 1))


def draw(seed, purpose):
    """Return a generator: 0 for training, 1 for validation, 2 for test, 3 for longer sequences."""
    return np.random.default_rng([seed, purpose])


def train(kind, batch, rate, seed):
    """Return the network after 300 steps of Adam, whatever the batch."""
    X, y = datasets.first_sign(ROWS, LAG, seed=draw(seed, 0))
    model = network(kind, LAG, seed)
    model.fit(
        X,
        y,
        loss="binary_crossentropy",
        optimizer=nn.Adam(rate),
        epochs=STEPS * batch // ROWS,
        batch_size=batch,
    )
    return model


def score(model, kind, lag, seed):
    """Return the share of 500 new sequences with this lag whose sign is recalled; seed is a generator."""
    X, y = datasets.first_sign(500, lag, seed=seed)
    reader = network(kind, lag, 0)  # the same weights read any length
    reader.set_weights(model.get_weights())
    return ((reader.predict(X) > 0.5) == (y > 0.5)).mean()


def run(kind, batch, rate, seed):
    """Return a row of the table "normalized": recall on validation and test sequences, and on longer ones."""
    model = train(kind, batch, rate, seed)
    return {
        "validation": score(model, kind, LAG, draw(seed, 1)),
        "test": score(model, kind, LAG, draw(seed, 2)),
        "longer": score(model, kind, LONGER, draw(seed, 3)),
    }


CODE = (draw, network, train, score, run)


stored, made = stored_results.readers(RESULTS, "normalized")


def tables(seeds, folder, workers=1):
    """Train everything for these seeds; return the table by name."""
    grid = {
        "kind": list(KINDS),
        "batch": BATCHES,
        "rate": RATES,
        "seed": list(seeds),
    }
    found = stored_results.swept(run, grid, folder, workers=workers)
    return {"normalized": found}


def main():
    """Train everything, and write the table."""
    found = tables(SEEDS, stored_results.UNFINISHED / "normalized")
    stored_results.store_all(found, CODE, folder=RESULTS)


if __name__ == "__main__":
    main()
