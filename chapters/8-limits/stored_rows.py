"""Three models on four tables, with few rows and with many: how large is the error in rows that they have not seen?

`python chapters/8-limits/stored_rows.py` draws the rows and fits the models for twenty seeds (about six minutes on one core;
it goes on where it was stopped), and renews the tables in data/limits that the page "Count the examples" prints. The page
itself fits straight lines; thousands of networks and trees are too long to wait for.
"""

import functools
import sys
from pathlib import Path

import numpy as np

import nnlib as nn
from nnlib.course import datasets

PROJECT = Path(__file__).resolve().parents[2]
for part in ("3-insurance", "4-digits", "5-outbreak"):
    sys.path.append(str(PROJECT / "chapters" / part))

import stored_results  # noqa: E402
import straight_line  # noqa: E402
from insurance_project import inputs  # noqa: E402
from own_network import split  # noqa: E402

RESULTS = PROJECT / "data" / "limits"
SEEDS = range(20)
SIZES = (32, 100, 316, 1000)  # each about the root of 10 times the one before
TABLES = ("insurance", "outbreak", "people", "digits")
MODELS = ("line", "trees", "network")
FEATURES = ("none", "right", "wrong")
FOLDS = 3
FEW = 100  # up to so many rows the settings tried are those for few rows
PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)
LEAVES = (3, 6)
DECAYS = {"few": (0.5, 2.0), "many": (0.1, 1.0)}
UNITS, RATE, BATCH = 32, 0.01, 32


def directions(X):
    """Return what a person might measure in digits of 8 by 8: how much of which edge is in which quarter.

    Parameters
    ----------
    X : array (n, 64)
        Ink from 0 to 1.

    Returns
    -------
    array (n, 32)
        Eight directions of the slope of the ink in each of four quarters, the slopes' lengths summed.
    """
    down, right = np.gradient(X.reshape(-1, 8, 8), axis=(1, 2))
    length = np.hypot(down, right)
    eighth = (np.arctan2(down, right) / (2 * np.pi) * 8).round().astype(int) % 8
    found = [
        (length * (eighth == k))[:, i : i + 4, j : j + 4].sum(axis=(1, 2))
        for k in range(8)
        for i in (0, 4)
        for j in (0, 4)
    ]
    return np.stack(found, axis=1) / 4


@functools.lru_cache(maxsize=40)
def rows(table, feature, seed):
    """Return the rows to draw from, in random order, and the test rows: X, y, X_test, y_test; y has a column per output.

    Parameters
    ----------
    table : "insurance", "outbreak", "people" or "digits"
        Charges of the simulated table in 1,000 dollars; log R of the regions of a country; who is ill; digits of writers,
        three of whom are in the test and no others.
    feature : "none", "right" or "wrong"
        Made by hand: of the insurance a column, smoking times a BMI over 30 ("wrong": times an age over 40); of digits the
        `directions`, 32 columns.
    """
    rng = np.random.default_rng([seed, 8])
    if table == "insurance":
        people = datasets.insurance_twin()
        X, y = inputs(people)[:, 1:], people.charges.to_numpy()[:, None] / 1000
        if feature != "none":
            over = people.bmi > 30 if feature == "right" else people.age > 40
            X = np.column_stack([X, (people.smoker == "yes") & over])
        order = rng.permutation(len(X))
        known, test = order[338:], order[:338]
    elif table == "outbreak":
        regions = datasets.outbreak(5162, seed=seed).table
        X = straight_line.inputs(regions).to_numpy()
        y = np.log(regions.R.to_numpy())[:, None]
        order = rng.permutation(len(X))
        known, test = order[2000:], order[:2000]
    elif table == "people":
        X, y = datasets.people(8162, seed=seed)
        known, test = np.arange(5000, 8162), np.arange(5000)
    else:
        X, y = datasets.load_digits(flat=True)
        if feature != "none":
            X = np.column_stack([X, directions(X)])
        train, held, test = split("writers", seed)
        known = rng.permutation(np.concatenate([train, held]))
    return X[known], y[known], X[test], y[test]


def scaled(X, *others):
    """Return tables in units of the standard deviations of X, from its means."""
    mean, std = X.mean(axis=0), X.std(axis=0)
    std[std < 1e-9] = 1
    return [(table - mean) / std for table in (X, *others)]


def labels_of(y):
    """Return one label a row: a class number, or 0 and 1."""
    return y.argmax(axis=1) if y.shape[1] > 1 else y[:, 0].astype(int)


def columns_of(probabilities, classes, outputs):
    """Return a classifier's probabilities, one column per output; a class that it has not met gets 0."""
    found = np.zeros((len(probabilities), max(outputs, 2)))
    found[:, classes] = probabilities
    return found if outputs > 1 else found[:, 1:]


def line(kind, X, y, sets, penalty, stages, seed):
    """Fit a line whose slopes are penalized: ridge, or logistic regression. `network` says what comes back."""
    if kind == "number":
        G = X.T @ X + penalty * np.eye(X.shape[1])
        w = np.linalg.pinv(G) @ X.T @ (y - y.mean())  # X has mean 0
        return [[new @ w + y.mean() for new in sets]]
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1 / penalty, max_iter=2000)
    model.fit(X, labels_of(y))
    said = [model.predict_proba(new) for new in sets]
    return [[columns_of(p, model.classes_, y.shape[1]) for p in said]]


def least_in_leaf(kind, leaves, n):
    """Return how many rows a leaf must have: 1 where nothing is held back, 2 of few rows, 5 of many and of digits."""
    if leaves > max(LEAVES):
        return 1
    return 2 if n <= FEW and kind != "digit" else 5


def trees(kind, X, y, sets, leaves, stages, seed):
    """Fit boosted trees, each with so many leaves. `network` says what comes back."""
    from sklearn.ensemble import (
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
    )

    number = kind == "number"
    make = (
        HistGradientBoostingRegressor
        if number
        else HistGradientBoostingClassifier
    )
    model = make(
        learning_rate=0.2,
        max_iter=stages[-1],
        max_leaf_nodes=leaves,
        min_samples_leaf=least_in_leaf(kind, leaves, len(X)),
        early_stopping=False,
        max_bins=17 if kind == "digit" else 255,  # the ink has 17 values
        random_state=0,
    )
    if number:
        model.fit(X, y[:, 0])
        said = [[p[:, None] for p in model.staged_predict(new)] for new in sets]
    else:
        model.fit(X, labels_of(y))
        said = [
            [
                columns_of(p, model.classes_, y.shape[1])
                for p in model.staged_predict_proba(new)
            ]
            for new in sets
        ]
    return [[of_set[stage - 1] for of_set in said] for stage in stages]


def network(kind, X, y, sets, decay, stages, seed):
    """Train a network with one hidden layer by AdamW.

    Parameters
    ----------
    kind : "number", "yes" or "digit"
    X, y : array (n, columns), array (n, outputs)
        Training rows; X is scaled.
    sets : list of array
        Rows to be answered.
    decay : float
        Strength of the weight decay; of `line` the penalty, of `trees` the number of leaves.
    stages : tuple of int
        After how many steps (of `trees`: trees) to ask; a line has one answer.
    seed : int

    Returns
    -------
    list of list of array
        For each stage, for each set: (rows, outputs).
    """
    last, loss = {
        "number": (None, "mse"),
        "yes": ("sigmoid", "binary_crossentropy"),
        "digit": ("softmax", "categorical_crossentropy"),
    }[kind]
    mean, std = (y.mean(), y.std()) if kind == "number" else (0.0, 1.0)
    hidden = nn.Dense(UNITS, "relu", "he_normal")
    model = nn.Sequential([hidden, nn.Dense(y.shape[1], last)], seed=seed)
    model.build(X.shape[1:])
    optimizer, done, found = nn.Adam(RATE, weight_decay=decay), 0, []
    each = -(-len(X) // BATCH)  # steps in an epoch
    for stage in stages:
        epochs = max(1, round((stage - done) / each))
        model.fit(
            X,
            (y - mean) / std,
            loss=loss,
            optimizer=optimizer,
            epochs=epochs,
            batch_size=BATCH,
        )
        done += epochs * each
        found.append([model.predict(new) * std + mean for new in sets])
    return found


FIT = {"line": line, "trees": trees, "network": network}
KINDS = {"people": "yes", "digits": "digit"}  # the others: a number


def settings_of(model, table, n):
    """Return the penalties, leaves or weight decays that are tried."""
    if model == "line":
        return PENALTIES
    if model == "trees":
        return LEAVES[1:] if table == "digits" else LEAVES
    return DECAYS["few" if n <= FEW else "many"]


def stages_of(model, table, n):
    """Return after how many trees or steps to ask; fewer for few rows."""
    if model == "line":
        return (1,)
    if model == "trees":
        if table == "digits":
            return (10, 20, 40) if n <= FEW else (20, 40, 80)
        return (5, 10, 25, 50) if n <= FEW else (25, 50, 100, 200)
    return (30, 100, 300) if n <= FEW else (100, 300, 1000)


def squares(said, y):
    """Return the mean square of what is off; for classes, of the probabilities (the Brier score)."""
    return ((said - y) ** 2).sum(axis=1).mean()


def error(table, said, y):
    """Return the error that the page reports: dollars (RMSE), thousandths of log R squared, or % wrong answers."""
    if table == "insurance":
        return 1000 * squares(said, y) ** 0.5
    if table == "outbreak":
        return 1000 * squares(said, y)
    if table == "people":
        return 100 * np.mean((said > 0.5) != y)
    return 100 * np.mean(said.argmax(axis=1) != y.argmax(axis=1))


def chosen(model, table, X, y, seed):
    """Return the setting and stage with the least mean square in rows set aside of these: each third, or one third.

    Up to 100 rows each third is set aside in turn, beyond that only one.
    """
    kind, stages = KINDS.get(table, "number"), stages_of(model, table, len(X))
    settings = settings_of(model, table, len(X))
    order = np.random.default_rng([seed, 9]).permutation(len(X))
    folds = np.array_split(order, FOLDS)
    off = {}
    for held in folds if len(X) <= FEW else folds[:1]:
        learn = np.setdiff1d(order, held)
        if kind == "yes" and np.ptp(y[learn]) == 0:
            continue  # nobody is ill in these
        A, B = scaled(X[learn], X[held])
        for setting in settings:
            said = FIT[model](kind, A, y[learn], [B], setting, stages, seed)
            for stage, (answer,) in zip(stages, said, strict=False):
                key = setting, stage
                off[key] = off.get(key, 0) + len(held) * squares(
                    answer, y[held]
                )
    return min(off, key=off.get)


def run_curve(table, feature, model, n, seed):
    """Return a row of "curves": the setting chosen, and the errors in the rows learned and in new ones."""
    X, y, X_test, y_test = rows(table, feature, seed)
    X, y = X[:n], y[:n]
    setting, stage = chosen(model, table, X, y, seed)
    X, X_test = scaled(X, X_test)
    kind = KINDS.get(table, "number")
    (said,) = FIT[model](kind, X, y, [X, X_test], setting, (stage,), seed)
    return {
        "setting": setting,
        "stage": stage,
        "training": error(table, said[0], y),
        "test": error(table, said[1], y_test),
    }


LOOSE = {"line": (1e-6, (1,)), "trees": (31, (100,)), "network": (0.0, (2000,))}


def run_loose(table, model, n, seed):
    """Return a row of "loose": errors of models that nothing holds back."""
    X, y, X_test, y_test = rows(table, "none", seed)
    X, y = X[:n], y[:n]
    X, X_test = scaled(X, X_test)
    setting, stages = LOOSE[model]
    kind = KINDS.get(table, "number")
    (said,) = FIT[model](kind, X, y, [X, X_test], setting, stages, seed)
    return {
        "training": error(table, said[0], y),
        "test": error(table, said[1], y_test),
    }


CODE = (
    directions, rows, scaled, labels_of, columns_of, line, least_in_leaf, trees, network, settings_of, stages_of, squares, error, chosen, run_curve, run_loose,
)  # fmt: skip

stored, made = stored_results.readers(RESULTS)


def grids(seeds):
    """Return what is run for "curves" and for "loose": {name: (function, grids)}."""
    seeds = list(seeds)
    half = seeds[: len(seeds) // 2]

    def curve(table, sizes, feature="none", models=MODELS, seeds=seeds):
        return {
            "table": [table],
            "feature": [feature],
            "model": list(models),
            "n": list(sizes),
            "seed": seeds,
        }

    curves = [
        curve("insurance", SIZES),
        curve("outbreak", (*SIZES, 3162)),
        curve("people", (*SIZES, 3162)),
        curve("digits", SIZES),
        curve("insurance", SIZES, "right"),
        curve("insurance", (100, 1000), "wrong", seeds=half),
        curve("digits", SIZES[1:], "right", ("line", "network"), half),
    ]
    loose = {
        "table": ["insurance", "outbreak"],
        "model": list(MODELS),
        "n": [32, 100, 1000],
        "seed": half,
    }
    return {"curves": (run_curve, curves), "loose": (run_loose, [loose])}


def tables(seeds, folder, workers=1):
    """Fit everything for these seeds; return both tables by name."""
    import pandas as pd

    return {
        name: pd.concat(
            [
                stored_results.swept(
                    run, grid, folder / f"{name}_{k}", workers=workers
                )
                for k, grid in enumerate(parts)
            ],
            ignore_index=True,
        )
        for name, (run, parts) in grids(seeds).items()
    }


def main():
    """Fit everything, and write the tables."""
    found = tables(SEEDS, stored_results.UNFINISHED / "rows")
    stored_results.store_all(found, CODE, ("scikit-learn",), folder=RESULTS)


if __name__ == "__main__":
    main()
