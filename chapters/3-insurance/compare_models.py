"""Judge the recipe and its competitors on the same folds, over and over: `make compare` writes data/insurance/.

Every model is trained on four fifths of the table and judged on the fifth that is left, for each of the five
fifths, in ten random partitions. Where settings are searched for, it is by a cross-validation within the four fifths,
so no test row takes part in the search. The defaults of `ChargesModel` were not found that way: they are what these
searches chose most often. So the verdict rests on "recipe, tuned inside", not on "recipe".
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import HuberRegressor, LinearRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline

import nnlib as nn
from charges_model import (
    ChargesInputs,
    ChargesModel,
    encode_categories,
    encode_pieces,
    find_knots,
)
from nnlib.course.datasets import insurance_twin, load_insurance
from stored_results import UNFINISHED, store

FOLDS, INNER_FOLDS = 5, 3

NETWORK_GRID = {
    "delta": [None, 100.0, 300.0, 1000.0],
    "learning_rate": [0.003, 0.01, 0.03],
    "pieces": [1, 2, 4, 8],
}
BOOSTING_GRID = {
    "learning_rate": [0.05],
    "n_estimators": [50, 100, 200],
    "max_depth": [2, 3, 4],
}
HIST_GRID = {
    "learning_rate": [0.05],
    "max_iter": [50, 100, 200],
    "max_leaf_nodes": [4, 8, 15],
}


class Shifted(RegressorMixin, BaseEstimator):
    """ŷ = the estimator's ŷ + its mean training residual, with y in units of its standard deviation."""

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y):
        """Train the estimator, then take the shift from the same rows."""
        y = np.asarray(y, dtype=float)
        self.scale_ = float(y.std())
        self.estimator_ = clone(self.estimator).fit(X, y / self.scale_)
        self.shift_ = float(
            np.mean(y / self.scale_ - self.estimator_.predict(X))
        )
        return self

    def predict(self, X):
        """Return predictions in the unit of y, (n,)."""
        return self.scale_ * (self.estimator_.predict(X) + self.shift_)


def boosting(features, loss="squared_error"):
    """Return gradient boosted trees on `features`, to be tuned."""
    trees = GradientBoostingRegressor(
        loss=loss, subsample=0.6, min_samples_leaf=10, random_state=0
    )
    if loss == "huber":
        return make_pipeline(ChargesInputs(features), Shifted(trees)), {
            f"shifted__estimator__{name}": values
            for name, values in BOOSTING_GRID.items()
        }
    return make_pipeline(ChargesInputs(features), trees), {
        f"gradientboostingregressor__{name}": values
        for name, values in BOOSTING_GRID.items()
    }


def models(seed):
    """Return {name: (estimator, grid to choose from, settings after the choice)}; the recipe comes first."""

    def linear(features, robust=False):
        line = (
            Shifted(HuberRegressor(max_iter=2000))
            if robust
            else LinearRegression()
        )
        grid = {"chargesinputs__pieces": NETWORK_GRID["pieces"]}
        return (
            make_pipeline(ChargesInputs(features), line),
            grid if features == "engineered" else {},
            {},
        )

    def network(**settings):
        return ChargesModel(seed=seed, **settings), {}, {}

    hist = HistGradientBoostingRegressor(min_samples_leaf=10, random_state=0)
    return {
        "recipe": network(),
        "recipe, tuned inside": (
            ChargesModel(seed=seed, members=1),
            NETWORK_GRID,
            {"members": 5},
        ),
        "recipe without the new inputs": network(features="plain"),
        "recipe without the step": network(threshold=None),
        "recipe without Huber and shift": network(delta=None),
        "recipe without shift": network(shift=False),
        "recipe without one-cycle": network(one_cycle=False),
        "recipe without weight decay": network(weight_decay=0.0),
        "recipe without ensemble": network(members=1),
        "network without any of it": network(
            features="plain",
            delta=None,
            one_cycle=False,
            weight_decay=0.0,
            members=1,
        ),
        "linear": linear("plain"),
        "linear, Huber and shift": linear("plain", robust=True),
        "linear, new inputs": linear("engineered"),
        "linear, new inputs, Huber and shift": linear(
            "engineered", robust=True
        ),
        "boosting": (*boosting("plain"), {}),
        "boosting, new inputs": (*boosting("engineered"), {}),
        "boosting, Huber and shift": (*boosting("plain", "huber"), {}),
        "boosting, new inputs, Huber and shift": (
            *boosting("engineered", "huber"),
            {},
        ),
        "histogram boosting": (
            make_pipeline(ChargesInputs("plain"), hist),
            {
                f"histgradientboostingregressor__{name}": values
                for name, values in HIST_GRID.items()
            },
            {},
        ),
    }


def tune(estimator, grid, y, table, seed, then):
    """Return (the estimator with the best of the grid, that choice), by a cross-validation of these rows alone."""
    if not grid:
        return estimator, {}
    inner = KFold(INNER_FOLDS, shuffle=True, random_state=seed)
    search = GridSearchCV(
        estimator, grid, cv=inner, scoring="neg_mean_squared_error", refit=False
    )
    best = search.fit(table, y).best_params_
    return clone(estimator).set_params(**best, **then), {
        name.split("__")[-1]: best[name] for name in best
    }


def judge(source, partition, fold, model):
    """Train one model on four fifths of a partition; return its RMSE on the fifth that is left, times and settings.

    The RMSE is in dollars, the times are seconds of CPU, and the settings, those that were searched for, are JSON.
    """
    table = (
        load_insurance(source="real") if source == "real" else insurance_twin()
    )
    y = table.charges.to_numpy()
    train, test = list(
        KFold(FOLDS, shuffle=True, random_state=partition).split(table)
    )[fold]
    estimator, grid, then = models(seed=partition)[model]
    began = time.process_time()
    with warnings.catch_warnings():
        # a line that stopped short of its optimum is judged by its error all the same
        warnings.filterwarnings("ignore", message="lbfgs failed to converge")
        estimator, chosen = tune(
            estimator, grid, y[train], table.iloc[train], partition, then
        )
        tuned = time.process_time()
        estimator.fit(table.iloc[train], y[train])
    fitted = time.process_time()
    y_pred = estimator.predict(table.iloc[test])
    return {
        "rows": len(test),
        "rmse": nn.metrics.rmse(y_pred, y[test]),
        "tuning_seconds": tuned - began,
        "fit_seconds": fitted - tuned,
        "chosen": json.dumps(chosen),
    }


# What decides the stored numbers: after a change of any of these they have to be made again.
RECIPE = ("__init__", "fit", "predict", "_network", "_train", "_unshifted")
CODE = (
    *(find_knots, encode_pieces, encode_categories, ChargesInputs),
    *(getattr(ChargesModel, name) for name in RECIPE),
    *(Shifted, boosting, models, tune, judge),
)


def main():
    """Judge all models on one table and write its results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", choices=["real", "twin"])
    parser.add_argument("--partitions", type=int, default=10)
    parser.add_argument(
        "--directory", type=Path, default=UNFINISHED / "compare"
    )
    arguments = parser.parse_args()
    grid = {
        "source": [arguments.source],
        "partition": list(range(arguments.partitions)),
        "fold": list(range(FOLDS)),
        "model": list(models(0)),
    }
    results = nn.sweep(
        judge,
        grid,
        directory=arguments.directory,
        stale="rerun",
        retry_failed=True,
    )
    failed = results[results.error.notna()]
    if len(failed):
        raise SystemExit(failed[["model", "error"]].to_string())
    results = results.drop(columns=["source", "seconds", "error"])
    results["rmse"] = results["rmse"].round(2)
    for name in ("tuning_seconds", "fit_seconds"):
        results[name] = results[name].round(3)
    store(
        results,
        f"comparison_{arguments.source}",
        CODE,
        packages=["scikit-learn"],
    )


if __name__ == "__main__":
    main()
