"""The task on which the chapters on tuning measure every setting, and the way they measure.

The chapter "Tune the rest" explains each function. 80 points of two half circles that overlap, a network to tell them
apart, and 2,000 new points; everything is repeated over seeds, and compared in pairs.
"""

import matplotlib.pyplot as plt
import numpy as np

import nnlib as nn
from nnlib.course import datasets, plots
from nnlib.course.explore import picture

X_new, y_new = datasets.two_moons(2000, noise=0.3, seed=1000)


def data(seed):
    """Return the 80 training points of a seed."""
    return datasets.two_moons(80, noise=0.3, seed=seed)


def layers(units=64, depth=2, norm=None, dropout=0.0, start="he_normal"):
    """Return `depth` hidden layers of ReLU units, with normalization and dropout if wanted, and the output layer."""
    stack = []
    for _ in range(depth):
        stack.append(nn.Dense(units, None, start))
        if norm is not None:
            stack.append(norm())
        stack.append(nn.Activation("relu"))
        if dropout:
            stack.append(nn.Dropout(dropout))
    return [*stack, nn.Dense(1, "sigmoid")]


def train(
    seed, stack=None, optimizer=None, epochs=150, batch_size=20, callbacks=()
):
    """Return a network that has been trained on the points of a seed."""
    model = nn.Sequential(stack or layers(), seed=seed, dtype="float32")
    X, y = data(seed)
    model.fit(
        X,
        y,
        loss="binary_crossentropy",
        optimizer=optimizer or nn.Adam(0.01),
        epochs=epochs,
        batch_size=batch_size,
        metrics=["accuracy"],
        callbacks=callbacks,
    )
    return model


def scores(model, seed):
    """Return the loss on the training points, the loss on the new ones, and the percentage of these that is wrong."""
    old, new = model.evaluate(*data(seed)), model.evaluate(X_new, y_new)
    return old["loss"], new["loss"], 100 * (1 - new["accuracy"])


def repeat(settings, seeds=10):
    """Return one row of scores per seed of `settings`, a function from a seed to a trained network."""
    return np.array([scores(settings(seed), seed) for seed in range(seeds)])


def standard_error(v):
    """Return s/√N of N repetitions, one per row."""
    return np.std(v, axis=0, ddof=1) / np.sqrt(len(v))


def paired(a, b, column=1):
    """Return the mean of a − b, seed by seed, in a column of the scores, and its standard error."""
    difference = a[:, column] - b[:, column]
    return difference.mean(), standard_error(difference)


def compare(results, title):
    """Draw mean ± standard error of the scores of each setting: losses on the left, wrong answers on the right."""
    names = list(results)
    means = np.array([r.mean(axis=0) for r in results.values()])
    errors = np.array([standard_error(r) for r in results.values()])
    height = 1.3 + 0.42 * len(names)
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.4, height))
    plots.bars_with_errors(
        names,
        means[:, 1],
        errors[:, 1],
        ylabel="loss on new points",
        fmt="{:.2f}",
        ax=left,
    )
    (at,) = left.plot(
        means[:, 0],
        np.arange(len(names))[::-1],
        "^",
        color=plots.VERMILLION,
        markersize=6,
    )
    left.legend(
        [at],
        ["on training points"],
        fontsize=9,
        loc="lower left",
        bbox_to_anchor=(0, 0.98),
    )
    plots.bars_with_errors(
        names,
        means[:, 2],
        errors[:, 2],
        ylabel="wrong among new points (%)",
        fmt="{:.1f}",
        ax=right,
    )
    right.set_yticklabels([])
    figure.suptitle(title, fontsize=12)
    told = "; ".join(
        f"{name}: training loss {m[0]:.2f}, new loss {m[1]:.2f} ± {e[1]:.2f}, "
        f"wrong {m[2]:.1f} ± {e[2]:.1f} %"
        for name, m, e in zip(names, means, errors, strict=True)
    )
    return picture(figure, alt=f"{title}. {told}.")
