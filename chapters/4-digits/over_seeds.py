"""The Keras recipe of the source over ten seeds and two kinds of split: what each number of epochs comes to.

`python chapters/4-digits/over_seeds.py` runs it (ten minutes) and renews the tables in data/digits that the page "Stop in
time" prints. One run takes a page ten seconds; twenty of them, and twenty that stop in time, are too long to wait for.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit

import nnlib as nn
from nnlib.course import datasets

PROJECT = Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "chapters" / "3-insurance"))

import stored_results  # noqa: E402

RESULTS = PROJECT / "data" / "digits"
SEEDS = range(10)
SPLITS = ("rows", "writers")
EPOCHS = (1, 2, 5, 10, 20, 40, 60, 80, 100, 150, 200, 300, 500, 700, 1000)
PATIENCE = 20
BINS = 10


class Snapshots(nn.Callback):
    """Keeps what the network says of some rows after these epochs.

    Attributes
    ----------
    said : dict
        Epoch -> probabilities.
    lowest, said_at_lowest : int, array
        The epoch after which the loss on the validation data was lowest, and what the network said then.
    """

    def __init__(self, X, epochs=EPOCHS):
        self.X, self.epochs, self.said = X, set(epochs), {}
        self.least = np.inf

    def on_epoch_end(self, model, epoch, logs):
        """Ask the network, if this is one of the epochs or the best so far."""
        if epoch in self.epochs:
            self.said[epoch] = model.predict(self.X)
        if logs["val_loss"] < self.least:
            self.least, self.lowest, self.said_at_lowest = (
                logs["val_loss"],
                epoch,
                model.predict(self.X),
            )


def network(seed):
    """Return the network of the recipe: 64 ReLU units and softmax, as Keras starts them."""
    return nn.Sequential(
        [nn.Dense(64, "relu"), nn.Dense(10, "softmax")],
        seed=seed,
        dtype="float32",
    )


def train(seed, rows, validation, epochs=1000, callbacks=()):
    """Return the trained network and its history: Adam at 0.001, 32 rows a batch."""
    model = network(seed)
    history = model.fit(
        *rows,
        loss="categorical_crossentropy",
        optimizer=nn.Adam(1e-3),
        epochs=epochs,
        batch_size=32,
        validation_data=validation,
        metrics=["accuracy"],
        callbacks=callbacks,
    )
    return model, history


def turned(X):
    """Return flat images turned by 90 degrees against the clock."""
    return np.rot90(X.reshape(-1, 8, 8), axes=(1, 2)).reshape(len(X), -1)


def parts(split, seed, rows, share=0.2):
    """Return two arrays of row numbers: a fifth of the rows apart, shuffled or by whole writers, and the others."""
    if split == "writers":
        cut = GroupShuffleSplit(1, test_size=share, random_state=seed)
        kept, apart = next(
            cut.split(rows, groups=datasets.digit_writers()[rows])
        )
    else:
        kept, apart = next(
            ShuffleSplit(1, test_size=share, random_state=seed).split(rows)
        )
    return rows[kept], rows[apart]


def readings(p, y, p_turned):
    """Return what one network is judged by: on the digits apart, and on the same digits turned."""
    truth = np.maximum((p * y).sum(axis=1), np.finfo(np.float32).tiny)
    said = np.bincount(
        p_turned.argmax(axis=1)
    )  # of the digits turned: how often each answer comes
    return {
        "loss": -np.log(truth, dtype=float).mean(),
        "accuracy": nn.metrics.accuracy(p, y),
        "confidence": p.max(axis=1).mean(dtype=float),
        "calibration_error": nn.metrics.calibration_error(p, y),
        "turned_accuracy": nn.metrics.accuracy(p_turned, y),
        "turned_confidence": p_turned.max(axis=1).mean(dtype=float),
        "turned_answer": said.argmax(),
        "turned_share": said.max() / said.sum(),
    }


def bins(p, y):
    """Return, for each tenth of the confidence, how many digits are in it, how many are right, and their confidence."""
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y.argmax(axis=1)
    place = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    sums = [
        np.bincount(place, values, BINS)
        for values in (np.ones(len(p)), right, confidence)
    ]
    return [
        {"bin": at, "digits": n, "right": good, "confidence": sure}
        for at, (n, good, sure) in enumerate(np.transpose(sums))
    ]


def one(split, seed):
    """Return the rows of both tables for one split and seed: the whole recipe, and the one that stops in time."""
    X, y = datasets.load_digits(flat=True)
    kept, test = parts(split, seed, np.arange(len(X)))
    learn, watch = parts(split, seed, kept)
    both, count = np.concatenate([X[test], turned(X[test])]), len(test)

    whole = Snapshots(both)
    train(seed, (X[kept], y[kept]), (X[test], y[test]), EPOCHS[-1], [whole])
    stop = nn.EarlyStopping(patience=PATIENCE)
    stopped, _ = train(
        seed, (X[learn], y[learn]), (X[watch], y[watch]), EPOCHS[-1], [stop]
    )

    runs = [("recipe", epoch, whole.said[epoch]) for epoch in EPOCHS]
    runs += [
        ("lowest", whole.lowest, whole.said_at_lowest),
        ("stopped", stop.best_epoch, stopped.predict(both)),
    ]
    scores, counts = [], []
    for run, epoch, said in runs:
        p, p_turned = said[:count], said[count:]
        about = {"split": split, "seed": seed, "run": run, "epoch": epoch}
        scores.append(
            about | {"digits": count} | readings(p, y[test], p_turned)
        )
        name = f"after {epoch}" if run == "recipe" else run
        counts += [
            {"split": split, "run": name} | row for row in bins(p, y[test])
        ]
    return scores, counts


CODE = (Snapshots, network, train, turned, parts, readings, bins, one)


stored, made = stored_results.readers(RESULTS)


def main():
    """Train, and write both tables."""
    import pandas as pd

    every = []
    for split in SPLITS:
        for seed in SEEDS:
            every.append(one(split, seed))
            print(f"{split}, seed {seed}", flush=True)
    scores = pd.DataFrame([row for rows, _ in every for row in rows])
    counts = pd.DataFrame([row for _, rows in every for row in rows])
    counts = counts.groupby(
        ["split", "run", "bin"], as_index=False, sort=False
    ).sum()
    for table, name in ((scores, "epochs"), (counts, "reliability")):
        stored_results.store(
            table, name, CODE, ["scikit-learn"], folder=RESULTS
        )


if __name__ == "__main__":
    main()
