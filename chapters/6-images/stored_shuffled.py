"""Windows against a dense layer, on digits whose pixels are shuffled more and more, and on a table in other orders.

`python chapters/6-images/stored_shuffled.py` runs it (seven minutes of one core) and renews the tables in data/images
that the page "Shuffle the pixels" reads.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.linear_model import LinearRegression

import nnlib as nn
from nnlib.course import datasets

PROJECT = Path(__file__).resolve().parents[2]
sys.path += [
    str(PROJECT / "chapters" / part)
    for part in ("3-insurance", "4-digits", "5-outbreak")
]

import over_seeds  # noqa: E402
import overfitting  # noqa: E402
import stored_results  # noqa: E402

RESULTS = PROJECT / "data" / "images"
SEEDS, WORLDS = range(10), range(20)
SWAPS = (0, 2, 4, 8, 16, 32)  # pairs of pixels that change places; 32 are all
# what each network may choose from on validation rows: (dropout, learning rate)
SETTINGS = {
    "windows": ((0.0, 0.003), (0.5, 0.003), (0.5, 0.01)),
    "dense": ((0.0, 0.003), (0.0, 0.01), (0.5, 0.003), (0.5, 0.01)),
}
EPOCHS = {"windows": 20, "dense": 40}
ORDERS = ("as given", "shuffled")


def windows(dropout=0.0, seed=0):
    """Return two convolutions of 3 by 3, each followed by max pooling, and a softmax layer: 6,090 parameters."""
    layers = []
    for filters in (16, 32):
        layers += [
            nn.Conv2D(filters, 3, "same", 1, "relu", "he_normal"),
            nn.MaxPool2D(2),
        ]
    return _network([*layers, nn.Flatten()], dropout, seed)


def dense(dropout=0.0, seed=0):
    """Return a layer of 81 ReLU units and a softmax layer: 6,085 parameters."""
    hidden = nn.Dense(81, "relu", "he_normal")
    return _network([nn.Flatten(), hidden], dropout, seed)


def _network(layers, dropout, seed):
    layers = [*layers, nn.Dropout(dropout)] if dropout else layers
    return nn.Sequential(
        [*layers, nn.Dense(10, "softmax")], seed=seed, dtype="float32"
    )


NETWORKS = {"windows": windows, "dense": dense}


def new_order(swapped, seed, pixels=64):
    """Return the order in which pixels are read when some pairs of them, drawn by chance, have changed places.

    The pairs of a seed have an order: with 4 swapped, the 2 swapped before are among them.
    """
    pairs = np.random.default_rng(seed).permutation(pixels).reshape(-1, 2)
    order = np.arange(pixels)
    for one, other in pairs[:swapped]:
        order[[one, other]] = order[[other, one]]
    return order


def rearranged(X, order):
    """Return pictures (n, height, width, channels) whose pixels, line by line, are read in this order."""
    return X.reshape(len(X), len(order), -1)[:, order].reshape(X.shape)


def trained(network, dropout, rate, X, y, seed):
    """Return a network of this kind, trained with Adam, 32 rows a batch."""
    model = NETWORKS[network](dropout, seed)
    model.fit(
        X,
        y,
        loss="categorical_crossentropy",
        optimizer=nn.Adam(rate),
        epochs=EPOCHS[network],
        batch_size=32,
        verbose=0,
    )
    return model


def run_digits(network, split, swapped, seed):
    """Return the test accuracy after training with the setting that was best on validation rows, and that setting.

    The split is that of page "Stop in time": a fifth for the test, a fifth of the rest for validation, by rows or by
    whole writers. With its setting chosen the network is trained anew, on training and validation rows.
    """
    X, y = datasets.load_digits()
    X = rearranged(X.astype(np.float32), new_order(swapped, seed))
    kept, test = over_seeds.parts(split, seed, np.arange(len(X)))
    learn, watch = over_seeds.parts(split, seed, kept)
    found = []
    for dropout, rate in SETTINGS[network]:
        model = trained(network, dropout, rate, X[learn], y[learn], seed)
        found.append(nn.metrics.accuracy(model.predict(X[watch]), y[watch]))
    best = int(np.argmax(found))
    dropout, rate = SETTINGS[network][best]
    model = trained(network, dropout, rate, X[kept], y[kept], seed)
    return {
        "dropout": dropout,
        "learning_rate": rate,
        "validation": found[best],
        "accuracy": nn.metrics.accuracy(model.predict(X[test]), y[test]),
        "digits": len(test),
        "parameters": model.params.size,
    }


def run_columns(order, seed):
    """Return the errors of windows along the columns of a table: the outbreak's regions, log R in thousandths.

    A window sees three columns beside each other. Training ends where early stopping would end it; the errors are
    those in new regions. Beside them that of a straight line through all columns.
    """
    data = overfitting.regions(seed)
    line = LinearRegression().fit(data.X["training"], data.y["training"])
    said = line.predict(data.X["new"])
    count = data.X["training"].shape[1]
    read = np.arange(count)
    if order == "shuffled":
        read = np.random.default_rng(seed).permutation(count)
    along = {part: X[:, None, read, None] for part, X in data.X.items()}
    model = nn.Sequential(
        [
            nn.Conv2D(16, (1, 3), "same", 1, "relu", "he_normal"),
            nn.Flatten(),
            nn.Dense(1),
        ],
        seed=seed,
    )
    _, follow = overfitting.train(replace(data, X=along), model, epochs=100)
    return {
        "windows": follow.stopped["new"],
        "line": overfitting.thousandths(said, data.y["new"]),
        "floor": data.floor,
    }


CODE = (
    windows, dense, _network, new_order, rearranged, trained, run_digits, run_columns, over_seeds.parts,
    overfitting.columns, overfitting.regions, overfitting.three_sets, overfitting.train, overfitting.Follow,
    repr((SETTINGS, EPOCHS)),
)  # fmt: skip
TABLES = ("shuffled", "shuffled_columns")


stored, made = stored_results.readers(RESULTS)


def tables(seeds=SEEDS, worlds=WORLDS, folder=None):
    """Train everything for these seeds; return both tables by name."""
    import pandas as pd

    folder = folder or stored_results.UNFINISHED / "shuffled"
    digits = [
        stored_results.swept(
            run_digits,
            {
                "network": list(NETWORKS),
                "split": [split],
                "swapped": swaps,
                "seed": list(seeds),
            },
            folder / split,
        )
        for split, swaps in (
            ("rows", (SWAPS[0], SWAPS[-1])),
            ("writers", SWAPS),
        )
    ]
    grid = {"order": ORDERS, "seed": list(worlds)}
    return {
        "shuffled": pd.concat(digits, ignore_index=True),
        "shuffled_columns": stored_results.swept(
            run_columns, grid, folder / "columns"
        ),
    }


def main():
    """Train everything, and write the tables."""
    stored_results.store_all(tables(), CODE, ["scikit-learn"], RESULTS)


if __name__ == "__main__":
    main()
