"""The 192 settings that the source of the insurance project tried, and the training that it ran for each.

`make sweep` runs them all, on two targets and for eleven seeds, and renews the tables in data/insurance that the
chapter reads.
"""

import functools
import time
import warnings

import numpy as np

import nnlib as nn
from insurance_project import make_columns, prepare, source_network, split
from stored_results import UNFINISHED, store

# The trainings that take longest come first, so that no worker is left alone with one of them at the end.
GRID = {
    "optimizer": ["Adam", "SGD"],
    "learning_rate": [1e-5, 1e-3, 1e-2, 1e-1],
    "batch_size": [8, 16, 32, 64, 128, 256],
    "epochs": [64, 128, 256, 512],
}


def train_source(
    data,
    optimizer,
    learning_rate,
    batch_size,
    epochs,
    target="dollars",
    loss="mse",
    seed=42,
):
    """Train the source's network once, with its callbacks, and return the errors after each of `epochs`.

    A training of 64 epochs is the beginning of one of 512 with the same seed, so one training has the results of all.
    Early stopping may end it sooner; its last weights then stand for all the epochs that were not reached.

    Parameters
    ----------
    data : list of three (X, y)
        Training, validation and test rows, y in dollars, as `insurance_project.prepare` returns them.
    optimizer : {"Adam", "SGD"}
    learning_rate : float
    batch_size : int
    epochs : sequence of int
    target : {"dollars", "standardized"}
        What the network learns: y, or (y - ȳ)/σ with mean and standard deviation of the training rows.
    loss : {"mse", "rmse"}
    seed : int
        Of the weights, the order of the rows and the dropout.

    Returns
    -------
    dict from int to dict
        For each of `epochs`, in dollars: ``val_rmse`` and ``test_rmse`` of the weights at that time,
        ``best_val_rmse`` and ``best_test_rmse`` of the epoch with the lowest validation error until then, which is
        what a checkpoint keeps; ``trained``, the number of epochs done, and ``diverged``. A training that
        diverged has NaN for its last weights.
    """
    (X, y), validation, test = data
    mean, unit = {"dollars": (0.0, 1.0), "standardized": (y.mean(), y.std())}[
        target
    ]
    (X, y), validation, test = [(X, (y - mean) / unit) for X, y in data]
    readings = _Readings(epochs, test, unit)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", nn.DivergenceWarning
        )  # the readings say so
        source_network(seed=seed).fit(
            X,
            y,
            loss=loss,
            optimizer={"Adam": nn.Adam, "SGD": nn.SGD}[optimizer](
                learning_rate
            ),
            epochs=max(epochs),
            batch_size=batch_size,
            validation_data=validation,
            metrics=["rmse"],
            callbacks=[
                readings,
                nn.ReduceLROnPlateau(
                    "val_rmse",
                    factor=0.1,
                    patience=5,
                    min_delta=1e-4 / unit,
                    min_learning_rate=1e-7,
                ),
                nn.EarlyStopping(
                    "val_rmse",
                    min_delta=1e-3 / unit,
                    patience=10,
                    restore_best=False,
                ),
            ],
        )
    return readings.at


class _Readings(nn.Callback):
    """Writes down the errors at given epochs of one training."""

    def __init__(self, epochs, test, unit):
        self.epochs, self.test, self.unit = epochs, test, unit
        self.at, self.best = (
            {},
            {"best_val_rmse": np.inf, "best_test_rmse": np.nan},
        )

    def test_rmse(self, model):
        X, y = self.test
        return self.unit * nn.metrics.rmse(model.predict(X), y)

    def on_epoch_end(self, model, epoch, logs):
        val_rmse = self.unit * logs["val_rmse"]
        diverged = not np.isfinite(logs["val_rmse"] + logs["loss"])
        if val_rmse < self.best["best_val_rmse"] and not diverged:
            self.best = {
                "best_val_rmse": val_rmse,
                "best_test_rmse": self.test_rmse(model),
            }
        self.now = {
            "trained": epoch,
            "diverged": diverged,
            "val_rmse": np.nan if diverged else val_rmse,
        }
        if epoch in self.epochs:
            self.read([epoch], model)

    def on_train_end(self, model):
        self.read(
            [epoch for epoch in self.epochs if epoch not in self.at], model
        )

    def read(self, epochs, model):
        test_rmse = np.nan if self.now["diverged"] else self.test_rmse(model)
        for epoch in epochs:
            self.at[epoch] = {**self.now, "test_rmse": test_rmse, **self.best}


# What decides the stored numbers: after a change of any of these they have to be made again.
CODE = (make_columns, prepare, split, source_network, train_source, _Readings)


def train_timed(data, **setting):
    """Return what `train_source` returns, and the processor time of the whole training, which a busy machine hardly moves."""
    start = time.process_time()
    results = train_source(data, **setting)
    seconds = time.process_time() - start
    return {
        epochs: {**result, "cpu_seconds": seconds}
        for epochs, result in results.items()
    }


def main():
    """Run all that the chapter reads and store it; what an interrupted run has finished is not run again."""
    import pandas as pd

    from nnlib.course.datasets import load_insurance

    everything = GRID | {
        "learning_rate": [1e-5, 1e-4, *GRID["learning_rate"][1:]],
        "target": ["dollars", "standardized"],
        "seed": [42, *range(10)],
    }
    other_loss = GRID | {
        "optimizer": ["SGD"],
        "learning_rate": [1e-5],
        "loss": ["rmse"],
    }
    for source in ("real", "twin"):
        table = load_insurance(source=source)
        train = functools.partial(train_timed, prepare(*split(table)))
        results = []
        for name, grid in (
            ("everything", everything),
            ("other_loss", other_loss),
        ):
            directory = UNFINISHED / "sweep" / source / name
            results.append(
                nn.sweep(
                    train,
                    grid,
                    directory=directory,
                    shared="epochs",
                    stale="rerun",
                    retry_failed=True,
                )
            )
        results = pd.concat(results, ignore_index=True).fillna(
            {"loss": "mse", "target": "dollars", "seed": 42}
        )
        failed = results["error"].dropna()
        if len(failed):
            raise SystemExit(
                f"{len(failed)} trainings raised an error, the first: {failed.iloc[0]}"
            )
        results = results.drop(columns=["seconds", "error"])
        store(results.astype({"seed": int}), f"sweep_{source}", CODE)


if __name__ == "__main__":
    main()
