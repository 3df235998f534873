"""The digits' network in nnlib, scikit-learn, Keras and PyTorch: trained ten times in each, and from the same start.

`make frameworks` installs the frameworks, runs this (half an hour) and renews the tables in data/digits that the page
"Use a framework" prints: `said` (what Keras says of `input_shape=`), `same_start` (losses from the same weights),
`carried` (predictions with the same weights), `frameworks` (test scores), `batches` and `threads` (time for a digit
against how many are taken at once, and by how many threads).
"""

import os
import sys
import warnings
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time

os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # small matrices: more threads would only wait for each other

import numpy as np
from sklearn.neural_network import MLPClassifier

import nnlib as nn
from nnlib.course import datasets, transplant

os.environ.setdefault("KERAS_BACKEND", transplant.backend() or "jax")
PROJECT = Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "chapters" / "3-insurance"))

import stored_results  # noqa: E402
from over_seeds import parts  # noqa: E402

RESULTS = PROJECT / "data" / "digits"
SEEDS = range(10)
SPLITS = ("rows", "writers")
EPOCHS = 30
PACKAGES = ("scikit-learn", "keras", "jax", "torch")


def in_nnlib(X, y, seed):
    """Train 64-64-10 in nnlib; return the function that predicts."""
    model = nn.Sequential(
        [nn.Dense(64, "relu"), nn.Dense(10, "softmax")], seed=seed
    )
    model.fit(
        X,
        y,
        loss="categorical_crossentropy",
        optimizer=nn.Adam(1e-3),
        epochs=EPOCHS,
        batch_size=32,
    )
    return model.predict


def in_sklearn(X, y, seed):
    """Train 64-64-10 in scikit-learn; return the function that predicts."""
    model = MLPClassifier(
        [64],
        learning_rate_init=1e-3,
        max_iter=EPOCHS,
        batch_size=32,
        random_state=seed,
        alpha=0,  # no penalty
        n_iter_no_change=EPOCHS,  # no stop of its own
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "... hasn't converged yet"
        model.fit(X, y.argmax(axis=1))
    return model.predict_proba


def in_keras(X, y, seed):
    """Train 64-64-10 in Keras; return the function that predicts."""
    import keras

    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(10, "softmax"),
        ]
    )
    model.compile(
        loss="categorical_crossentropy",
        optimizer=keras.optimizers.Adam(1e-3),
    )
    model.fit(X, y, epochs=EPOCHS, batch_size=32, verbose=0)
    return lambda X: model.predict(X, verbose=0)


def in_torch(X, y, seed):
    """Train 64-64-10 in PyTorch; return the function that predicts."""
    import torch

    torch.manual_seed(seed)
    model = torch.nn.Sequential(
        torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10)
    )
    loss = torch.nn.CrossEntropyLoss()  # has the softmax in it
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    X = torch.tensor(X, dtype=torch.float32)
    labels = torch.tensor(y.argmax(axis=1))
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(X)).split(32):
            optimizer.zero_grad()
            loss(model(X[rows]), labels[rows]).backward()
            optimizer.step()

    def predict(X):
        with torch.no_grad():
            scores = model(torch.tensor(X, dtype=torch.float32))
        return scores.softmax(dim=1).numpy()

    return predict


FRAMEWORKS = {
    "nnlib": in_nnlib,
    "scikit-learn": in_sklearn,
    "Keras": in_keras,
    "PyTorch": in_torch,
}


def scores():
    """Return a row for each framework, split and seed: accuracy and loss on the rows apart."""
    X, y = datasets.load_digits(flat=True)
    found = []
    for split in SPLITS:
        for seed in SEEDS:
            kept, apart = parts(split, seed, np.arange(len(X)))
            for name, train in FRAMEWORKS.items():
                p = train(X[kept], y[kept], seed)(X[apart]).astype(float)
                truth = np.maximum((p * y[apart]).sum(axis=1), 1e-30)
                found.append(
                    {
                        "split": split,
                        "seed": seed,
                        "framework": name,
                        "accuracy": nn.metrics.accuracy(p, y[apart]),
                        "loss": -np.log(truth).mean(),
                    }
                )
            print(f"scores: {split}, seed {seed}", flush=True)
    return found


# From the same start ----------------------------------------------------------

# learning rate, ε of Adam (None: gradient descent; "own": what each has by itself), batch size, epochs
RECIPES = {
    "gradient descent": (1.0, None, None, 100),
    "Adam": (1e-3, "own", 32, EPOCHS),
    "Adam, ε = 1e-30": (1e-3, 1e-30, 32, EPOCHS),
}


def start():
    """Return the model that all begin with, in float64."""
    layers = [nn.Dense(64, "relu"), nn.Dense(10, "softmax")]
    return nn.Sequential(layers, seed=0).build((64,))


def setting(name, epsilon):
    """Return the argument for an ε that is not a framework's own."""
    return {} if epsilon in (None, "own") else {name: epsilon}


def curve_nnlib(X, y, recipe):
    """Return the training loss of each epoch."""
    rate, epsilon, batch_size, epochs = RECIPES[recipe]
    rule = nn.SGD if epsilon is None else nn.Adam
    history = start().fit(
        X,
        y,
        loss="categorical_crossentropy",
        optimizer=rule(rate, **setting("epsilon", epsilon)),
        epochs=epochs,
        batch_size=batch_size or len(X),
        shuffle=False,
    )
    return history["loss"]


def curve_sklearn(X, y, recipe):
    """Return the training loss of each epoch."""
    rate, epsilon, batch_size, epochs = RECIPES[recipe]
    model = transplant.to_sklearn(start()).set_params(
        solver="sgd" if epsilon is None else "adam",
        momentum=0,
        learning_rate_init=rate,
        max_iter=epochs,
        batch_size=batch_size or len(X),
        shuffle=False,
        n_iter_no_change=epochs,
        **setting("epsilon", epsilon),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y.argmax(axis=1))
    return model.loss_curve_[-epochs:]


def curve_keras(X, y, recipe):
    """Return the training loss of each epoch."""
    import keras

    rate, epsilon, batch_size, epochs = RECIPES[recipe]
    rule = keras.optimizers.SGD if epsilon is None else keras.optimizers.Adam
    keras.config.set_floatx("float64")
    try:
        model = transplant.to_keras(start())
        model.compile(
            loss="categorical_crossentropy",
            optimizer=rule(rate, **setting("epsilon", epsilon)),
        )
        return model.fit(
            X,
            y,
            epochs=epochs,
            batch_size=batch_size or len(X),
            shuffle=False,
            verbose=0,
        ).history["loss"]
    finally:
        keras.config.set_floatx("float32")


def curve_torch(X, y, recipe):
    """Return the training loss of each epoch."""
    import torch

    rate, epsilon, batch_size, epochs = RECIPES[recipe]
    rule = torch.optim.SGD if epsilon is None else torch.optim.Adam
    model = transplant.to_torch(start(), logits=True)
    optimizer = rule(model.parameters(), rate, **setting("eps", epsilon))
    loss = torch.nn.CrossEntropyLoss()
    X, labels = torch.tensor(X), torch.tensor(y.argmax(axis=1))
    curve = []
    for _ in range(epochs):
        total = 0.0
        for rows in torch.arange(len(X)).split(batch_size or len(X)):
            optimizer.zero_grad()
            value = loss(model(X[rows]), labels[rows])
            value.backward()
            optimizer.step()
            total += value.item() * len(rows)
        curve.append(total / len(X))
    return curve


CURVES = {
    "nnlib": curve_nnlib,
    "scikit-learn": curve_sklearn,
    "Keras": curve_keras,
    "PyTorch": curve_torch,
}


def same_start():
    """Return a row for each recipe, framework and epoch: the loss, and how far it is from that of nnlib."""
    X, y = datasets.load_digits(flat=True)
    kept, _ = parts("rows", 0, np.arange(len(X)))
    found = []
    for recipe in RECIPES:
        ours = np.array(curve_nnlib(X[kept], y[kept], recipe))
        for name, curve in CURVES.items():
            losses = np.array(curve(X[kept], y[kept], recipe))
            found += [
                {
                    "recipe": recipe,
                    "framework": name,
                    "epoch": epoch,
                    "loss": loss,
                    "off": abs(loss - our),
                }
                for epoch, (loss, our) in enumerate(
                    zip(losses, ours, strict=True), 1
                )
            ]
            print(f"same start: {recipe}, {name}", flush=True)
    return found


# There and back ---------------------------------------------------------------


def carry_sklearn(model):
    """Return scikit-learn's network with these weights: what it predicts with, and the weights brought back."""
    there = transplant.to_sklearn(model)
    return there.predict_proba, transplant.from_sklearn(there)


def carry_keras(model):
    """Return Keras' network with these weights: what it predicts with, and the weights brought back."""
    there = transplant.to_keras(model)
    return lambda X: np.asarray(there(X)), transplant.from_keras(there)


def carry_torch(model):
    """Return PyTorch's network with these weights: what it predicts with, and the weights brought back."""
    import torch

    there = transplant.to_torch(model)

    def predict(X):
        with torch.no_grad():
            return there(torch.tensor(X)).numpy()

    return predict, transplant.from_torch(there)


CARRY = {
    "scikit-learn": carry_sklearn,
    "Keras": carry_keras,
    "PyTorch": carry_torch,
}


def carried(names=tuple(CARRY)):
    """Return a row for each framework and dtype: how far the predictions are apart, and the weights that came back."""
    X, y = datasets.load_digits(flat=True)
    found = []
    for dtype in ("float32", "float64"):
        layers = [nn.Dense(64, "relu"), nn.Dense(10, "softmax")]
        model = nn.Sequential(layers, seed=0, dtype=dtype)
        model.fit(
            X[:1000],
            y[:1000],
            loss="categorical_crossentropy",
            optimizer=nn.Adam(0.01),
            epochs=5,
        )
        new = X[1000:].astype(dtype)
        for name in names:
            predict, back = CARRY[name](model)
            found.append(
                {
                    "framework": name,
                    "dtype": dtype,
                    "off": np.abs(predict(new) - model.predict(new)).max(),
                    "back": np.abs(back.params - model.params).max(),
                }
            )
    return found


# Many at a time ---------------------------------------------------------------

WIDTHS = (64, 256, 1024)
BATCHES = (1, 4, 16, 64, 256, 1024)
THREADS = (1, 2)
AT_ONCE = 128  # digits in a step where threads are compared: short enough to run undisturbed now and then
SECONDS = 5, 40  # for each step: of one thread, and of several


def stepper_nnlib(width, X, y):
    """Return a function that does one training step of 64-width-width-10 in nnlib."""
    layers = [nn.Dense(width, "relu"), nn.Dense(width, "relu")]
    model = nn.Sequential([*layers, nn.Dense(10, "softmax")], dtype="float32")
    settings = {"loss": "categorical_crossentropy", "optimizer": nn.SGD(0.01)}
    return lambda: model.train_on_batch(X, y, **settings)


def stepper_torch(width, X, y):
    """Return a function that does one training step of 64-width-width-10 in PyTorch."""
    import torch

    sizes = (64, width, width, 10)
    modules = []
    for inputs, outputs in pairwise(sizes):
        modules += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    model, loss = (
        torch.nn.Sequential(*modules[:-1]),
        torch.nn.CrossEntropyLoss(),
    )
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    X, labels = torch.tensor(X), torch.tensor(y.argmax(axis=1))

    def step():
        optimizer.zero_grad()
        loss(model(X), labels).backward()
        optimizer.step()

    return step


STEPPERS = {"nnlib": stepper_nnlib, "PyTorch": stepper_torch}


def shortest(step, clock, seconds):
    """Return the shortest time of many: the one least disturbed by what else the machine does."""
    step()
    times, begun = [], perf_counter()
    while len(times) < 5 or perf_counter() - begun < seconds:
        start = clock()
        step()
        times.append(clock() - start)
    return min(times)


def rows_of_steps(widths, sizes):
    """Yield width, size, name and step for each network, in float32."""
    X, y = datasets.load_digits(flat=True)
    X, y = X.astype(np.float32), y.astype(np.float32)
    for width in widths:
        for size in sizes:
            for name, make in STEPPERS.items():
                yield width, size, name, make(width, X[:size], y[:size])


def batches():
    """Return a row for each framework, width and batch size: µs of one processor core for each digit."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    found = []
    with threadpool_limits(1, "blas"):
        for width, size, name, step in rows_of_steps(WIDTHS, BATCHES):
            # the time of the core, not of the clock on the wall: others may use the machine as well
            took = shortest(step, process_time, SECONDS[0])
            about = {"framework": name, "width": width, "batch": size}
            found.append(about | {"us": 1e6 * took / size})
    return found


def threads():
    """Return a row for each framework, width and number of threads: µs on the wall for each digit."""
    import torch
    from threadpoolctl import threadpool_limits

    found = []
    for width, size, name, step in rows_of_steps(WIDTHS, (AT_ONCE,)):
        took = dict.fromkeys(THREADS, np.inf)
        for _ in range(SECONDS[1]):
            for count in THREADS:
                torch.set_num_threads(count)
                with threadpool_limits(count, "blas"):
                    best = shortest(step, perf_counter, 1 / len(THREADS))
                took[count] = min(took[count], best)
        about = {"framework": name, "width": width, "batch": size}
        found += [
            about | {"threads": count, "us": 1e6 * seconds / size}
            for count, seconds in took.items()
        ]
        print(f"threads: {name}, width {width}", flush=True)
    return found


def said():
    """Return what Keras says of the layer as the source writes it."""
    import keras

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        keras.layers.Dense(64, activation="relu", input_shape=(64,))
    return [
        {"kind": warning.category.__name__, "words": str(warning.message)}
        for warning in caught
        if "input_shape" in str(warning.message)
    ]


TABLES = {
    "said": (said, (said,)),
    "same_start": (same_start, (start, setting, *CURVES.values(), same_start)),
    "carried": (carried, (*CARRY.values(), carried)),
    "frameworks": (scores, (parts, *FRAMEWORKS.values(), scores)),
    "batches": (
        batches,
        (*STEPPERS.values(), shortest, rows_of_steps, batches),
    ),
    "threads": (
        threads,
        (*STEPPERS.values(), shortest, rows_of_steps, threads),
    ),
}


def main(names):
    """Measure and store the tables of these names."""
    import pandas as pd

    for name in names:
        measure, code = TABLES[name]
        stored_results.store(
            pd.DataFrame(measure()), name, code, PACKAGES, folder=RESULTS
        )


if __name__ == "__main__":
    main(sys.argv[1:] or TABLES)
