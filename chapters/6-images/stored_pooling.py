"""Pooling or not, on the digits of unseen writers: six networks, from few rows and from many, with shifted copies or without.

`python chapters/6-images/stored_pooling.py` trains them all (eight minutes; it goes on where it was stopped) and renews the
tables in data/images that the page "Pool, or not" prints.
"""

import functools
import sys
from pathlib import Path

import numpy as np
from sklearn.model_selection import GroupShuffleSplit

import nnlib as nn
from nnlib.course import augment, datasets

PROJECT = Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "chapters" / "3-insurance"))

import stored_results  # noqa: E402

RESULTS = PROJECT / "data" / "images"
SEEDS = range(10)
FRAME = 2  # empty pixels around each digit: room to move it
SHIFTS = (0, 1, 2, 3)
EPOCHS = {100: 100, 300: 40, 1000: 32}  # rows -> 400, 400 and 1,024 steps
SHIFTED = {False: (100, 300, 1000), True: (1000,)}
BATCH = 32
# what stands behind both convolutions, and how many filters these have
NETWORKS = {
    "no pooling, same layers": ("none", (15, 26)),
    "no pooling": ("none", (4, 4)),
    "max pooling": ("max", (15, 26)),
    "average pooling": ("average", (15, 26)),
    "stride 2": ("stride", (15, 26)),
    "max over all": ("over all", (15, 40)),
}
# rates are chosen on other seeds, by the accuracy on validation rows: (rows, rates), with shifted copies and without
RATES = {False: (300, (3e-3, 1e-2, 3e-2)), True: (1000, (3e-3, 1e-2))}
TRIALS = range(50, 53)


class AveragePool2D(nn.Layer):
    """y = the mean of each `size` × `size` square, per channel; the squares fill the map and do not overlap."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def build(self, input_shape, rng, dtype):
        """Return the shape of the means."""
        height, width, channels = input_shape
        return height // self.size, width // self.size, channels

    def forward(self, x, training=False):
        """Return the means."""
        n, height, width, channels = x.shape
        down, across = height // self.size, width // self.size
        squares = x.reshape(n, down, self.size, across, self.size, channels)
        return squares.mean(axis=(2, 4))

    def backward(self, dy):
        """Each number counts 1/size² in its mean, and gets that share of the gradient."""
        wide = np.repeat(np.repeat(dy, self.size, axis=1), self.size, axis=2)
        return wide / self.size**2


def network(name, seed):
    """Return one of NETWORKS: two convolutions, each with what makes its map smaller, and a dense layer of ten.

    "max over all" pools 2 by 2 behind the first convolution, and keeps one number of each map of the second.
    """
    kind, filters = NETWORKS[name]
    layers = []
    for number, count in enumerate(filters):
        layers.append(
            nn.Conv2D(
                count,
                3,
                padding="same",
                stride=2 if kind == "stride" else 1,
                activation="relu",
                initializer="he_normal",
            )
        )
        if kind == "over all":
            layers.append(nn.MaxPool2D((2, 6)[number]))
        elif kind in ("max", "average"):
            pool = nn.MaxPool2D if kind == "max" else AveragePool2D
            layers.append(pool(2))
    return nn.Sequential(
        [*layers, nn.Flatten(), nn.Dense(10, "softmax")],
        seed=seed,
        dtype="float32",
    )


@functools.cache
def framed():
    """Return the digits in the middle of 12 by 12 pixels, (1797, 12, 12, 1), and their classes, (1797, 10)."""
    X, y = datasets.load_digits()
    edge = (FRAME, FRAME)
    X = np.pad(X, ((0, 0), edge, edge, (0, 0)))
    return X.astype(np.float32), y.astype(np.float32)


def three_sets(seed, rows):
    """Return row numbers: so many to learn from, those of three other writers to choose by, of three more to test on."""
    writers = datasets.digit_writers()

    def without_three(among):
        cut = GroupShuffleSplit(1, test_size=3, random_state=seed)
        kept, apart = next(cut.split(among, groups=writers[among]))
        return among[kept], among[apart]

    rest, test = without_three(np.arange(len(writers)))
    learn, watch = without_three(rest)
    learn = np.random.default_rng(seed).permutation(learn)
    return learn[:rows], watch, test


def moved(X, by):
    """Return pictures moved to the right by so many pixels (to the left where negative); zeros come in."""
    out = np.zeros_like(X)
    width = X.shape[2]
    out[:, :, max(by, 0) : width + by] = X[:, :, max(-by, 0) : width - by]
    return out


def judged(model, X, y):
    """Return accuracy and loss of a network on some pictures."""
    said = model.predict(X)
    truth = np.maximum((said * y).sum(axis=1), np.finfo(np.float32).tiny)
    return nn.metrics.accuracy(said, y), float(-np.log(truth).mean())


def train(name, rows, shifted, rate, seed):
    """Return a row of the table, and the network.

    Adam, batches of 32; with `shifted`, each epoch sees each picture moved by up to two pixels in both directions. Read at
    the end, and, as "stopped", at the tenth of the training where the loss of the validation writers was lowest.
    """
    X, y = framed()
    learn, watch, test = three_sets(seed, rows)
    model, optimizer = network(name, seed), nn.Adam(rate)
    rng = np.random.default_rng(seed)
    epochs = EPOCHS[rows]
    looks = {round(epochs * tenth / 10) for tenth in range(1, 11)}
    lowest, stopped = np.inf, {}
    for epoch in range(1, epochs + 1):
        shown = augment.shift(X[learn], 2, rng) if shifted else X[learn]
        model.fit(
            shown,
            y[learn],
            loss="categorical_crossentropy",
            optimizer=optimizer,
            epochs=1,
            batch_size=BATCH,
        )
        if epoch in looks:
            _, now = judged(model, X[watch], y[watch])
            if now < lowest:
                lowest = now
                accuracy, loss = judged(model, X[test], y[test])
                stopped = {"stopped": accuracy, "stopped_loss": loss}
    found = {"parameters": model.params.size}
    for part, of in (("training", learn), ("validation", watch)):
        found[part], found[f"{part}_loss"] = judged(model, X[of], y[of])
    for by in SHIFTS:
        sides = [
            judged(model, moved(X[test], side * by), y[test])
            for side in ((1, -1) if by else (1,))
        ]
        found[f"test_{by}"], found[f"loss_{by}"] = np.mean(sides, axis=0)
    return {**found, **stopped}, model


def trial(name, rows, shifted, rate, seed):
    """Return a row of the table of rates: the accuracy on validation rows."""
    row, _ = train(name, rows, shifted, rate, seed)
    return {"validation": row["validation"]}


def best_rates(trials):
    """Return {(network, with shifted copies): the rate with the highest mean accuracy on validation rows}."""
    means = trials.groupby(["name", "shifted", "rate"]).validation.mean()
    return {
        key: of.droplevel(["name", "shifted"]).idxmax()
        for key, of in means.groupby(["name", "shifted"])
    }


def run(name, rows, shifted, rate, seed):
    """Return a row of the table of networks."""
    return train(name, rows, shifted, rate, seed)[0]


CODE = (
    AveragePool2D, network, framed, three_sets, moved, judged, train, trial, best_rates, run,
)  # fmt: skip


stored, made = stored_results.readers(RESULTS, "pooling")


def tables(seeds, folder, trials=TRIALS):
    """Train everything for these seeds; return both tables by name."""
    import pandas as pd

    rates = pd.concat(
        [
            stored_results.swept(
                trial,
                {
                    "name": list(NETWORKS),
                    "rows": [rows],
                    "shifted": [shifted],
                    "rate": of,
                    "seed": list(trials),
                },
                folder / f"rates_{shifted}",
            )
            for shifted, (rows, of) in RATES.items()
        ],
        ignore_index=True,
    )
    parts = []
    for (name, shifted), rate in best_rates(rates).items():
        grid = {
            "name": [name],
            "rows": SHIFTED[shifted],
            "shifted": [shifted],
            "rate": [rate],
            "seed": list(seeds),
        }
        where = f"{name}_{'shifted' if shifted else 'plain'}"
        where = folder / where.replace(", ", "_")
        parts.append(stored_results.swept(run, grid, where))
    return {
        "pooling": pd.concat(parts, ignore_index=True),
        "pooling_rates": rates,
    }


def main():
    """Train everything, and write the tables."""
    folder = stored_results.UNFINISHED / "pooling"
    found = tables(SEEDS, folder)
    stored_results.store_all(found, CODE, ["scikit-learn"], RESULTS)


if __name__ == "__main__":
    main()
