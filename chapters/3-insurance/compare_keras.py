"""The source's network in Keras, on its own: eight settings of the grid, ten seeds each.

`make compare-keras` runs it and renews the table in data/insurance that the chapter sets beside its own results. Layers,
losses, optimizers, callbacks and the training loop are those of Keras. Of nnlib only `sweep` is used, which keeps each result
as soon as it is there.
"""

import functools
import os
import tempfile
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pandas as pd

import nnlib as nn
from insurance_project import make_columns, prepare, split
from nnlib.course.datasets import load_insurance
from stored_results import UNFINISHED, store

# The first three are the places 1, 3 (and 5) and 2 of the source. All stop long before 512 epochs.
SETTING = ["optimizer", "learning_rate", "batch_size", "target"]
SETTINGS = [
    ["Adam", 0.01, 32, "dollars"],
    ["Adam", 0.1, 64, "dollars"],
    ["SGD", 1e-5, 64, "dollars"],
    ["Adam", 0.01, 8, "standardized"],
    ["Adam", 0.01, 32, "standardized"],
    ["Adam", 0.01, 128, "standardized"],
    ["Adam", 0.001, 32, "standardized"],
    ["SGD", 0.1, 64, "standardized"],
]
SEEDS = range(10)
EPOCHS = 512


def keras_network():
    """Return the source's network, 11 → 100 → 100 → 100 → 1, as Keras makes it with its defaults."""
    layers = keras.layers
    model = keras.Sequential([layers.BatchNormalization()])
    for hidden in range(3):
        model.add(layers.Dense(100, activation="relu"))
        model.add(layers.BatchNormalization())
        if hidden < 2:
            model.add(layers.Dropout(0.5))
    model.add(layers.Dense(1))
    return model


def train_keras(data, setting, seed):
    """Train it once, with the source's callbacks, and return the same readings in dollars as `train_source`."""
    optimizer, learning_rate, batch_size, target = setting
    y = data[0][1]
    mean, unit = (y.mean(), y.std()) if target == "standardized" else (0.0, 1.0)
    (X, y), validation, test = [(X, (y - mean) / unit) for X, y in data]
    keras.utils.set_random_seed(seed)
    model = keras_network()
    rule = {"Adam": keras.optimizers.Adam, "SGD": keras.optimizers.SGD}
    model.compile(
        rule[optimizer](learning_rate),
        loss="mse",
        metrics=[keras.metrics.RootMeanSquaredError(name="rmse")],
    )
    watched = {"monitor": "val_rmse", "mode": "min"}
    with tempfile.TemporaryDirectory() as folder:
        best = Path(folder, "best.weights.h5")
        history = model.fit(
            X,
            y,
            epochs=EPOCHS,
            batch_size=batch_size,
            validation_data=validation,
            callbacks=[
                keras.callbacks.ModelCheckpoint(
                    best, save_best_only=True, save_weights_only=True, **watched
                ),
                keras.callbacks.ReduceLROnPlateau(
                    factor=0.1,
                    patience=5,
                    min_delta=1e-4 / unit,
                    min_lr=1e-7,
                    **watched,
                ),
                keras.callbacks.EarlyStopping(
                    min_delta=1e-3 / unit, patience=10, **watched
                ),
            ],
            verbose=0,
        ).history["val_rmse"]

        def test_rmse():
            return (
                unit
                * model.evaluate(*test, verbose=0, return_dict=True)["rmse"]
            )

        last = test_rmse()
        model.load_weights(best)
        return {
            "trained": len(history),
            "val_rmse": unit * history[-1],
            "test_rmse": last,
            "best_val_rmse": unit * float(np.min(history)),
            "best_test_rmse": test_rmse(),
        }


# What decides the stored numbers: after a change of any of these they have to be made again.
CODE = (make_columns, prepare, split, keras_network, train_keras)


def main():
    """Run all that the chapter compares and store it; what an interrupted run has finished is not run again."""
    table = load_insurance(source="real")
    train = functools.partial(train_keras, prepare(*split(table)))
    results = nn.sweep(
        train,
        {"seed": list(SEEDS), "setting": SETTINGS},
        directory=UNFINISHED / "compare_keras",
        workers=1,
        stale="rerun",
        retry_failed=True,
    )
    failed = results["error"].dropna()
    if len(failed):
        raise SystemExit(
            f"{len(failed)} trainings raised an error, the first: {failed.iloc[0]}"
        )
    settings = pd.DataFrame(results.pop("setting").tolist(), columns=SETTING)
    results = results.drop(columns=["seconds", "error"])
    store(
        pd.concat([settings, results], axis=1),
        "keras_real",
        CODE,
        packages=["keras", "jax"],
    )


if __name__ == "__main__":
    main()
