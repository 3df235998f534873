"""How hard the pictures of tissue are: simple rules and a small network, on many seeds and in both clinics.

`python chapters/6-images/stored_how_hard.py` computes it all (seven minutes; it goes on where it was stopped) and renews the
table data/images/how_hard.csv, of which `data/README.md` gives the means.
"""

import functools
import importlib
import inspect
import re
import sys
from pathlib import Path

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tissue_network
from nnlib.course import datasets
from nnlib.course.datasets import stain

PROJECT = Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "chapters" / "3-insurance"))

import stored_results  # noqa: E402

RESULTS = PROJECT / "data" / "images"
# the package has its function by this name
laws = importlib.import_module("nnlib.course.datasets.tissue")
FEW, MANY, OTHERS = 1000, 5000, 2000
SEEDS = {FEW: range(10), MANY: range(3)}
KEPT = (
    0.8  # of the pictures to learn from; the rest decides on a rule's setting
)
EPOCHS, SHORT = 40, 4  # SHORT: what a test can train again


@functools.lru_cache(maxsize=1)
def pictures(count, seed):
    """Return `count` pictures to learn from, 2,000 others, and these others as clinic B shows them."""
    learn = datasets.tissue(count, seed=2 * seed)
    others = [
        datasets.tissue(OTHERS, seed=2 * seed + 1, clinic=clinic)
        for clinic in "AB"
    ]
    return learn, *others


# --- the rules: (settings to choose from, what they look at, what decides), all of them functions of a setting --------


def mean_colour(X):
    """Return three numbers of each picture: its mean red, green and blue."""
    return X.mean(axis=(1, 2))


def dark(X, below):
    """Return one number of each picture: the share of its pixels that are darker than `below`."""
    return (X.mean(axis=-1) < below).mean(axis=(1, 2))[:, None]


def histograms(X):
    """Return 48 numbers of each picture: how its red, green and blue spread over 16 equal parts of 0 to 1."""
    place = np.minimum((X * 16).astype(int), 15)
    return np.concatenate(
        [(place == k).mean(axis=(1, 2)) for k in range(16)], axis=1
    )


def logistic(C=1.0):
    """Return logistic regression on standardized numbers, with the penalty |w|²/(2C)."""
    return make_pipeline(
        StandardScaler(), LogisticRegression(C=C, max_iter=5000)
    )


def forest(seed):
    """Return a random forest of 300 trees."""
    return RandomForestClassifier(300, random_state=seed)


def rules(seed):
    """Return {rule: [a function of pictures and the model that it feeds, for each of the settings]}."""
    penalties = 10.0 ** np.arange(-6, 2)
    levels = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
    return {
        "mean colour": [(mean_colour, logistic())],
        "dark pixels": [
            (functools.partial(dark, below=level), logistic())
            for level in levels
        ],
        "pixels": [
            (lambda X: X.reshape(len(X), -1), logistic(C)) for C in penalties
        ],
        "histograms": [(histograms, logistic(C)) for C in penalties],
        "histograms, forest": [(histograms, forest(seed))],
    }


def fitted(settings, X, y):
    """Return the function that says yes or no to pictures: the setting that is right most often on the last fifth.

    With that setting the model then learns from all of them.
    """
    kept = int(KEPT * len(X))
    if len(settings) > 1:
        right = [
            model.fit(look(X[:kept]), y[:kept]).score(look(X[kept:]), y[kept:])
            for look, model in settings
        ]
        settings = [settings[int(np.argmax(right))]]
    [(look, model)] = settings
    model.fit(look(X), y)
    return lambda X: model.predict(look(X)) > 0.5


def trained(X, y, seed, epochs):
    """Return the function of the network of `tissue_network.py`, after so many epochs."""
    model = tissue_network.network(seed)
    shown = tissue_network.standardized(X, X)
    tissue_network.train(model, shown, y[:, None], epochs=epochs, seed=seed)

    def says(new):
        p = model.predict(tissue_network.standardized(new, X))
        return p[:, 0] > 0.5

    return says


def readings(yes, others):
    """Return the share that is right, of the healthy pictures that are called so, and found of each quarter of lesions.

    The quarters are those of these lesions' visibility, the least visible first.
    """
    truth = others.truth[:, 0] == 1
    visible = others.table["visibility"].to_numpy()[truth]
    order = np.argsort(visible)
    found = yes[truth][order]
    return {
        "right": np.mean(yes == truth),
        "healthy": np.mean(~yes[~truth]),
        **{
            f"quarter_{k}": part.mean()
            for k, part in enumerate(np.array_split(found, 4), 1)
        },
    }


def run(rule, count, seed):
    """Return a row of the table: what a rule that learnt from `count` pictures gets right in both clinics."""
    learn, here, there = pictures(count, seed)
    X, y = learn.X, learn.y[:, 0]
    if rule.startswith("network"):
        says = trained(X, y, seed, SHORT if "short" in rule else EPOCHS)
    else:
        says = fitted(rules(seed)[rule], X, y)
    found = readings(says(here.X), here)
    return {**found, "clinic_B": readings(says(there.X), there)["right"]}


RULES = (*rules(0), "network, short", "network")
# by the number of pictures to learn from: all rules, and for which of them more pictures are tried
LEARNT = {FEW: RULES, MANY: ("histograms", "network")}
CODE = (
    pictures, mean_colour, dark, histograms, logistic, forest, rules, fitted, trained, readings, run,
    tissue_network.standardized, tissue_network.network, tissue_network.train,
    laws.tissue, laws._clinic, laws._Chance, laws._Blob, laws._nuclei, laws._grow, laws._photograph,
    stain.transmit, stain.blur, stain.smooth, stain._weights, stain.ellipses,
)  # fmt: skip


def code():
    """Return what decides the numbers: the functions above and those that draw the pictures, and their constants."""
    own = FEW, MANY, OTHERS, KEPT, EPOCHS, SHORT
    named = set(
        re.findall(r"\b[A-Z_]+\b", "".join(map(inspect.getsource, CODE)))
    )
    of_laws = [
        (name, vars(laws)[name]) for name in sorted(named & set(vars(laws)))
    ]
    return (*CODE, str(own), str(of_laws))


stored, made = stored_results.readers(RESULTS, "how_hard")


def table(folder):
    """Compute all rows; return the table."""
    import pandas as pd

    parts = [
        stored_results.swept(
            run,
            # the rule varies fastest, so that each world is drawn once
            {"count": [count], "seed": SEEDS[count], "rule": names},
            folder / str(count),
        )
        for count, names in LEARNT.items()
    ]
    return pd.concat(parts, ignore_index=True)


def main():
    """Compute everything, and write the table."""
    folder = stored_results.UNFINISHED / "how_hard"
    stored_results.store(
        table(folder), "how_hard", code(), ["scikit-learn"], RESULTS
    )


if __name__ == "__main__":
    main()
