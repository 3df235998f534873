"""The network for tissue over ten seeds: three activations, each at its own rate, and from 100 to 5,000 pictures.

`python chapters/6-images/stored_tissue.py` trains them all (ten minutes; it goes on where it was stopped) and renews the
tables in data/images that the page "Diagnose tissue" prints. One training of thirty epochs takes seven seconds.
"""

import functools
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

import nnlib as nn
from nnlib.course import datasets
from nnlib.schedules import CosineDecay

PROJECT = Path(__file__).resolve().parents[2]
sys.path += [
    str(PROJECT / "chapters" / part) for part in ("3-insurance", "6-images")
]

import stored_results  # noqa: E402
import tissue_network  # noqa: E402
from stored_how_hard import histograms  # noqa: E402

RESULTS = PROJECT / "data" / "images"
SEEDS, TO_CHOOSE = range(10), (20, 21)
RATES = {
    "relu": (0.001, 0.003, 0.01, 0.03),
    "tanh": (0.001, 0.003, 0.01),
    "sigmoid": (0.01, 0.03, 0.1),
}
EPOCHS = (10, 20, 30)
# pictures -> epochs: the more pictures, the less often each is shown
SIZES = {100: 60, 300: 40, 1000: 30, 5000: 8}
QUARTERS = (-0.674, 0.0, 0.674)  # of the standard normal distribution


@functools.cache
def watched():
    """Return the pictures by which choices are made, and those by which networks are judged: the same for all seeds."""
    return datasets.tissue(1000, seed=1001), datasets.tissue(2000, seed=1002)


class Watched:
    """A network that is read after some epochs: `tissue_network.train` calls its `fit` once an epoch.

    Attributes
    ----------
    readings : dict
        Epoch -> what `read` returned.
    """

    def __init__(self, model, read, epochs):
        self.model, self.read, self.epochs = model, read, set(epochs)
        self.epoch, self.readings = 0, {}

    def fit(self, *data, **settings):
        """Train for an epoch, and read what is due."""
        self.model.fit(*data, **settings)
        self.epoch += 1
        if self.epoch in self.epochs:
            self.readings[self.epoch] = self.read(self.model)


def quarters(visibility):
    """Return of each lesion the quarter of visibility that it is in: 0, the least, to 3."""
    return np.searchsorted(QUARTERS, visibility)


def readings(said, test):
    """Return the share of right answers, of lesions found in each quarter of visibility, and of false alarms."""
    lesion = test.table["lesion"].to_numpy()
    quarter = quarters(test.table["visibility"].to_numpy()[lesion])
    found = {
        f"found_{k + 1}": said[lesion][quarter == k].mean() for k in range(4)
    }
    return {
        "test": (said == lesion).mean(),
        "alarms": said[~lesion].mean(),
        **found,
    }


def packed(said):
    """Return answers, True or False, as hexadecimal digits."""
    return np.packbits(said).tobytes().hex()


def unpacked(digits, count=2000):
    """Return the answers that `packed` wrote."""
    return np.unpackbits(np.frombuffer(bytes.fromhex(digits), np.uint8))[
        :count
    ].astype(bool)


def run(activation, rate, seed, turned, pictures, epochs):
    """Train one network; return what it comes to after each of these epochs."""
    learn = datasets.tissue(pictures, seed=seed)
    validation, test = watched()
    X, watch, judge = (
        tissue_network.standardized(part.X, learn.X)
        for part in (learn, validation, test)
    )

    def read(model):
        said = model.predict(judge)[:, 0] > 0.5
        return {
            "training": nn.metrics.accuracy(model.predict(X), learn.y),
            "validation": nn.metrics.accuracy(
                model.predict(watch), validation.y
            ),
            **readings(said, test),
            "said": packed(said),
        }

    model = Watched(tissue_network.network(seed, activation), read, epochs)
    tissue_network.train(
        model,
        X,
        learn.y,
        epochs=max(epochs),
        learning_rate=rate,
        turned=turned,
        seed=seed,
    )
    return model.readings


def run_falling(pictures, seed):
    """Train on so many pictures, at a rate that falls from 0.01 to 0 along a cosine; return what it comes to."""
    epochs = SIZES[pictures]
    steps = -(-pictures // 32) * epochs
    rate = CosineDecay(0.01, steps)
    found = run("relu", rate, seed, True, pictures, (epochs,))[epochs]
    return {"epochs": epochs, **found}


@functools.cache
def watched_histograms():
    """Return the histograms of both sets of `watched`."""
    return [histograms(part.X) for part in watched()]


def run_histograms(pictures, seed):
    """Return how logistic regression on histograms does, its penalty chosen on the validation pictures."""
    learn = datasets.tissue(pictures, seed=seed)
    X = histograms(learn.X)
    mean, std = X.mean(axis=0), X.std(axis=0) + 1e-9
    validation, test = watched()
    watch, judge = watched_histograms()
    tried = []
    for C in (0.001, 0.01, 0.1, 1.0, 10.0):
        model = LogisticRegression(C=C, max_iter=2000)
        model.fit((X - mean) / std, learn.y[:, 0])
        scores = (
            model.score((part - mean) / std, made.y[:, 0])
            for part, made in ((watch, validation), (judge, test))
        )
        tried.append((*scores, C))
    right, at_test, C = max(tried, key=lambda one: (one[0], -one[2]))
    return {"validation": right, "test": at_test, "C": C}


CODE = (
    watched, Watched, quarters, readings, packed, run, run_falling, histograms, watched_histograms, run_histograms,
    tissue_network.standardized, tissue_network.network, tissue_network.train,
)  # fmt: skip


stored, made = stored_results.readers(RESULTS)


def best_rates(table, turned=True):
    """Return for each activation the rate with the highest accuracy on the validation pictures."""
    table = table[table.turned == turned]
    means = table.groupby(["activation", "rate"])["validation"].mean()
    return {
        name: float(means[name].idxmax()) for name in RATES if name in means
    }


def swept(name, function, folder, **grid):
    """Return the rows of one sweep."""
    shared = "epochs" if "epochs" in grid else None
    return stored_results.swept(function, grid, folder / name, shared)


def tables(folder, seeds=SEEDS, to_choose=TO_CHOOSE):
    """Train everything for these seeds; return the tables by name."""
    import pandas as pd

    seeds, once = list(seeds), {"turned": [True], "pictures": [1000]}
    rates = pd.concat([
        swept(
            f"rates_{name}", run, folder, activation=[name], rate=rates, seed=list(to_choose),
            turned=[True, False] if name == "relu" else [True], pictures=[1000], epochs=[20],
        )
        for name, rates in RATES.items()
    ])  # fmt: skip
    chosen, as_they_are = best_rates(rates), best_rates(rates, turned=False)
    print(chosen, as_they_are, flush=True)
    activations = pd.concat([
        swept(f"activation_{name}", run, folder, activation=[name], rate=[rate], seed=seeds, **once, epochs=EPOCHS)
        for name, rate in chosen.items()
    ])  # fmt: skip
    plain = swept(
        "learning_1000",
        run,
        folder,
        activation=["relu"],
        rate=[as_they_are["relu"]],
        seed=seeds,
        turned=[False],
        pictures=[1000],
        epochs=EPOCHS,
    )
    learning = swept(
        "falling", run_falling, folder, pictures=list(SIZES), seed=seeds
    )
    baseline = swept(
        "histograms", run_histograms, folder, pictures=list(SIZES), seed=seeds
    )
    return {
        "tissue_rates": rates.drop(columns="said"),
        "tissue_activations": activations,
        "tissue_plain": plain.drop(columns="said"),
        "tissue_learning": learning.drop(columns="said"),
        "tissue_histograms": baseline,
    }


def main():
    """Train everything, and write the tables."""
    folder = stored_results.UNFINISHED / "tissue"
    stored_results.store_all(tables(folder), CODE, ["scikit-learn"], RESULTS)


if __name__ == "__main__":
    main()
