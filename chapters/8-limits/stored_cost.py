"""What an error costs: a line, boosted trees and a network on three tables, by operations and by the clock; and threads.

`python chapters/8-limits/stored_cost.py` fits every model further and further, for five seeds, and times matrix products and
training steps with one thread and with two (two to three minutes of one core; it goes on where it was stopped). It renews the
tables in data/limits that the page "Pay the price" prints. The operations are counted and the same everywhere; the times are
those of one machine on one day.
"""

import functools
import itertools
import sys
import time
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
SEEDS = range(5)
TABLES = ("insurance", "outbreak", "digits")
SETTINGS = {  # four for each model: a penalty, leaves of a tree, a learning rate
    "line": (1.0, 10.0, 100.0, 1000.0),
    "trees": (2, 3, 6, 12),
    "network": (0.003, 0.01, 0.03, 0.1),
}
UNITS, BATCH, TREE_RATE = 32, 32, 0.1
STAGES = {
    "line": (1, 2, 4, 8, 16, 32, 64),  # steps of the solver, for digits
    "trees": (5, 10, 20, 40, 80, 160, 320),
    "network": (1, 2, 4, 8, 16, 32, 64),  # epochs
}
WIDTHS = (16, 64, 256, 1024)
ROWS = (1, 16, 256, 4096)


@functools.lru_cache(maxsize=4)
def rows(table, seed):
    """Return training, validation and test rows, (X, y) each: X in standard units of the training rows, y a column per output.

    Parameters
    ----------
    table : "insurance", "outbreak" or "digits"
        Charges of the simulated table in 1,000 dollars, log R of 2,600 regions, or which digit, of writers of their own.
    """
    if table == "digits":
        X, y = datasets.load_digits(flat=True)
        parts = split("writers", seed)
    else:
        if table == "insurance":
            people = datasets.insurance_twin()
            X = inputs(people)[:, 1:]
            y = people.charges.to_numpy()[:, None] / 1000
            learn, watch = 800, 1070
        else:
            regions = datasets.outbreak(2600, seed=seed).table
            X = straight_line.inputs(regions).to_numpy()
            y = np.log(regions.R.to_numpy())[:, None]
            learn, watch = 1200, 1600
        order = np.random.default_rng([seed, 80]).permutation(len(X))
        parts = order[:learn], order[learn:watch], order[watch:]
    known = X[parts[0]]
    mean, std = known.mean(axis=0), known.std(axis=0)
    std[std < 1e-9] = 1
    return [((X[part] - mean) / std, y[part]) for part in parts]


def error(table, said, y):
    """Return dollars (RMSE), the root of the mean square of log R, or % wrong digits."""
    if table == "digits":
        return 100 * np.mean(said.argmax(axis=1) != y.argmax(axis=1))
    rmse = np.sqrt(np.mean((said - y) ** 2))
    return 1000 * rmse if table == "insurance" else rmse


# What a fit costs, in operations


def forward(sizes):
    """Return Σ nᵢₙ nₒᵤₜ, the multiply-adds of a row on its way through dense layers of these sizes."""
    return sum(a * b for a, b in itertools.pairwise(sizes))


def network_operations(sizes, rows, epochs):
    """Return multiply-adds of a training: forward, gradients of weights, and of inputs but for the first layer's."""
    return rows * epochs * (2 * forward(sizes) + forward(sizes[1:]))


def line_operations(n, p):
    """Return multiply-adds of least squares: X'X and X'y, and a third of p³ to solve the equations."""
    return n * p * (p + 1) + p**3 // 3


def softmax_operations(n, p, classes, looks):
    """Return multiply-adds of a line per class that is found step by step: scores and gradient at each look."""
    return 2 * n * p * classes * looks


def tree_operations(nodes, p, bins):
    """Return additions for one tree: each row of a node into its histograms, and the histograms scanned for the split.

    Of two children the smaller one's histograms are filled, the other's are the parent's less those.

    Parameters
    ----------
    nodes : structured array
        As scikit-learn keeps them: "count", "is_leaf", "left", "right"; the first is the root.
    p, bins : int
        Columns, and bins of the column with the most.
    """
    filled, looked_at = int(nodes["count"][0]), 1
    for node in nodes[nodes["is_leaf"] == 0]:
        children = nodes["count"][[node["left"], node["right"]]]
        filled += int(children.min())
        looked_at += 2
    return p * (filled + looked_at * bins)


# The models: each returns a list of (stage, operations, seconds, answers for each set)


def ridge(X, y, sets, penalty):
    """Fit a line in one go."""
    began = time.process_time()
    G = X.T @ X + penalty * np.eye(X.shape[1])  # X has mean 0
    w = np.linalg.solve(G, X.T @ (y - y.mean()))
    took = time.process_time() - began
    said = [new @ w + y.mean() for new in sets]
    return [(1, line_operations(*X.shape), took, said)]


def softmax_line(X, y, sets, penalty):
    """Fit a line per class, with a penalty on the slopes, by L-BFGS; after 1, 2, 4, ... steps."""
    from scipy.optimize import minimize

    A = np.column_stack([X, np.ones(len(X))])
    shape = A.shape[1], y.shape[1]

    def loss(w):
        W = w.reshape(shape)
        z = A @ W
        z -= z.max(axis=1, keepdims=True)
        total = np.log(np.exp(z).sum(axis=1, keepdims=True))
        slopes = np.vstack([W[:-1], np.zeros(shape[1])])
        value = (y * (total - z)).sum() + penalty / 2 * (slopes**2).sum()
        gradient = A.T @ (np.exp(z - total) - y) + penalty * slopes
        return value / len(X), gradient.ravel() / len(X)

    found = []
    for stage in STAGES["line"]:
        began = time.process_time()
        done = minimize(
            loss,
            np.zeros(shape[0] * shape[1]),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": stage},
        )
        took = time.process_time() - began
        W = done.x.reshape(shape)
        said = [new @ W[:-1] + W[-1] for new in sets]
        cost = softmax_operations(len(X), *shape, done.nfev)
        found.append((stage, cost, took, said))
    return found


def line(table, X, y, sets, setting, seed):
    """Fit a line, or one for each class."""
    fit = softmax_line if table == "digits" else ridge
    return fit(X, y, sets, setting)


def trees(table, X, y, sets, setting, seed):
    """Fit 5, 10, 20, ... boosted trees (of digits so many for each class), each with so many leaves."""
    from sklearn.ensemble import (
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
    )

    many = y.shape[1] > 1
    make = (
        HistGradientBoostingClassifier
        if many
        else HistGradientBoostingRegressor
    )
    target = y.argmax(axis=1) if many else y[:, 0]
    bins = 17 if many else 64  # the ink has 17 values
    found = []
    for stage in STAGES["trees"]:
        if many and stage > 160:
            continue
        model = make(
            learning_rate=TREE_RATE,
            max_iter=stage,
            max_leaf_nodes=setting,
            min_samples_leaf=5,
            max_bins=bins,
            early_stopping=False,
            random_state=0,
        )
        began = time.process_time()
        model.fit(X, target)
        took = time.process_time() - began
        grown = [tree.nodes for step in model._predictors for tree in step]
        cost = sum(tree_operations(tree, X.shape[1], bins) for tree in grown)
        answer = model.predict_proba if many else model.predict
        said = [answer(new).reshape(len(new), -1) for new in sets]
        found.append((stage, cost, took, said))
    return found


def network(table, X, y, sets, setting, seed):
    """Train a network with one hidden layer by Adam, 1, 2, 4, ... epochs at this rate."""
    many = y.shape[1] > 1
    mean, std = (0.0, 1.0) if many else (y.mean(), y.std())
    layers = [
        nn.Dense(UNITS, "relu", "he_normal"),
        nn.Dense(y.shape[1], "softmax" if many else None),
    ]
    model = nn.Sequential(layers, seed=seed).build(X.shape[1:])
    optimizer, done, took, found = nn.Adam(setting), 0, 0.0, []
    for stage in STAGES["network"]:
        began = time.process_time()
        model.fit(
            X,
            (y - mean) / std,
            loss="categorical_crossentropy" if many else "mse",
            optimizer=optimizer,
            epochs=stage - done,
            batch_size=BATCH,
        )
        took += time.process_time() - began
        done = stage
        sizes = X.shape[1], UNITS, y.shape[1]
        cost = network_operations(sizes, len(X), stage)
        said = [model.predict(new) * std + mean for new in sets]
        found.append((stage, cost, took, said))
    return found


FIT = {"line": line, "trees": trees, "network": network}


@functools.cache
def warm_up(table, model):
    """Fit once what is not timed: the first call loads what it needs."""
    (X, y), (X_watch, _), _ = rows(table, 0)
    setting = SETTINGS[model][0]
    FIT[model](table, X[:100], y[:100], [X_watch[:5]], setting, 0)


def run_fit(table, model, setting, seed):
    """Return a row of the table "costs" for each stage: its number, operations, seconds, and errors (validation, test)."""
    (X, y), (X_watch, y_watch), (X_test, y_test) = rows(table, seed)
    warm_up(table, model)
    fitted = FIT[model](table, X, y, [X_watch, X_test], setting, seed)
    return [
        {
            "stage": stage,
            "operations": cost,
            "took": took,
            "validation": error(table, watch, y_watch),
            "test": error(table, test, y_test),
        }
        for stage, cost, took, (watch, test) in fitted
    ]


def run_threads(what, width, rows):
    """Return microseconds (of the clock on the wall) of a product or a training step with one and with two threads.

    A product is (rows, width) times (width, width); a step is that of two such layers. Float32; the shortest of many, in turns.
    """
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, width), dtype="float32")
    W = rng.standard_normal((width, width), dtype="float32")
    layers = [nn.Dense(width, "relu", "he_normal"), nn.Dense(width)]
    model = nn.Sequential(layers, seed=0, dtype="float32").build(width)
    optimizer = nn.SGD(1e-6)

    def work():
        if what == "product":
            return X @ W
        return model.train_on_batch(X, X, loss="mse", optimizer=optimizer)

    size = rows * width * width
    each = min(100, max(1, int(1e7 / size)))  # enough work for the clock
    best = {1: np.inf, 2: np.inf}
    work()
    for _ in range(7 if size < 1e9 else 2):
        for threads in best:
            with threadpool_limits(threads):
                began = time.perf_counter()
                for _ in range(each):
                    work()
                took = (time.perf_counter() - began) / each
            best[threads] = min(best[threads], took)
    return {"one": 1e6 * best[1], "two": 1e6 * best[2]}


CODE = (
    rows, error, forward, network_operations, line_operations, softmax_operations, tree_operations, ridge, softmax_line, line, trees, network, warm_up, run_fit, run_threads,
)  # fmt: skip

stored, made = stored_results.readers(RESULTS)


def tables(seeds, folder, workers=1):
    """Fit and time everything; return both tables by name."""
    import pandas as pd
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        parts = [
            stored_results.swept(
                run_fit,
                {
                    "table": [table],
                    "model": [model],
                    "setting": SETTINGS[model],
                    "seed": list(seeds),
                },
                folder / f"{table}_{model}",
                workers=workers,
            )
            for table in TABLES
            for model in FIT
        ]
    threads = {"what": ["product", "step"], "width": WIDTHS, "rows": ROWS}
    return {
        "costs": pd.concat(parts, ignore_index=True),
        "threads": stored_results.swept(
            run_threads, threads, folder / "threads", workers=workers
        ),
    }


def main():
    """Fit and time everything, and write the tables."""
    found = tables(SEEDS, stored_results.UNFINISHED / "cost")
    stored_results.store_all(found, CODE, ("scikit-learn",), folder=RESULTS)


if __name__ == "__main__":
    main()
