"""Digits changed on purpose: two attacks, their controls, and what training on them buys.

`python chapters/8-limits/stored_deceived.py` trains and attacks it all for ten seeds (four minutes of one core; it goes on
where it was stopped) and renews the tables in data/limits that the page "Deceive it" prints. The page itself attacks one
network; ten seeds and the training on attacked pictures are too long to wait for.
"""

import sys
from pathlib import Path

import numpy as np

import nnlib as nn
from nnlib.course import datasets

PROJECT = Path(__file__).resolve().parents[2]
for part in ("3-insurance", "4-digits"):
    sys.path.append(str(PROJECT / "chapters" / part))

import stored_results  # noqa: E402
from own_network import split  # noqa: E402

RESULTS = PROJECT / "data" / "limits"
SEEDS = range(10)
SIZES = (0.0, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3)  # eps of the curves
SIZE = 0.1  # eps where there is only one
KINDS = ("network", "wide", "windows", "logistic")
RATES = (0.003, 0.01, 0.03, 0.1)
CHOOSING = range(5)  # seeds whose validation writers choose these rates
TRAINED = range(5)  # seeds of the training on changed pictures
STRENGTHS = {  # how to train -> how much the training pictures are changed
    "plain": (0.0,),
    "longer": (0.0,),
    "noise": (0.1, 0.2, 0.4, 0.6),
    "one step": (0.05, 0.1, 0.2, 0.3),
    "iterated": (0.05, 0.1, 0.2, 0.3),
}
TRIED = {  # how to train -> learning rates
    "plain": (0.0003, 0.001, 0.003, 0.01, 0.03),
    "longer": (0.03,),
    "noise": (0.003, 0.01, 0.03),
    "one step": (0.003, 0.01, 0.03),
    "iterated": (0.003, 0.01, 0.03),
}
GRADIENTS = {"plain": 1, "longer": 5, "noise": 1, "one step": 2, "iterated": 5}
SHARPER = (1, 10, 100, 1_000, 10_000)  # factors of the logits
EPOCHS, BATCH = 30, 64
LOSS = "categorical_crossentropy"


def digits(seed):
    """Return training, validation and test digits, (X, y) each: nine writers, two others, three others; 64 pixels a row."""
    X, y = datasets.load_digits(flat=True)
    return [(X[rows], y[rows]) for rows in split("writers", seed)]


def network(seed, kind="network"):
    """Return a network for the digits with its first weights drawn: dense of 64 units, "wide", of "windows", or "logistic"."""
    last = nn.Dense(10, "softmax")
    if kind == "windows":
        filters = nn.Conv2D(8, 3, "same", 1, "relu", "he_normal")
        layers = [filters, nn.MaxPool2D(2), nn.Flatten(), last]
        return nn.Sequential(layers, seed=seed).build((8, 8, 1))
    width = {"network": 64, "wide": 256, "logistic": 0}[kind]
    hidden = [nn.Dense(width, "relu", "he_normal")] if width else []
    return nn.Sequential([*hidden, last], seed=seed).build(64)


def loss_gradient(model, X, y):
    """Return the gradient of each row's loss with respect to its 64 pixels, times a number that is above 0."""
    pictures = X.reshape(-1, *model.input_shape)
    return model.input_gradient(pictures, y, loss=LOSS).reshape(X.shape)


def says(model, X):
    """Return the shares of the ten classes for rows of 64 pixels."""
    return model.predict(X.reshape(-1, *model.input_shape))


def right(model, X, y):
    """Return the share of rows that the model reads rightly."""
    return nn.metrics.accuracy(says(model, X), y)


def project(X_new, X, size):
    """Return the pictures nearest to X_new that differ by at most `size` from X in each pixel, with ink from 0 to 1."""
    return np.clip(np.clip(X_new, X - size, X + size), 0, 1)


def one_step(model, X, y, size):
    """x' = clip(x + size * sign(dL/dx), 0, 1): the fast gradient sign method (Goodfellow et al. 2015)."""
    return project(X + size * np.sign(loss_gradient(model, X, y)), X, size)


def iterated(model, X, y, size, rng, steps=10, starts=2):
    """x <- project(x + a * sign(dL/dx)), a = 2.5 * size / steps, from random starts (Madry et al. 2018).

    Parameters
    ----------
    model : nnlib.Sequential
    X, y : ndarray, shape (n, 64) and (n, 10)
    size : float
        The most by which a pixel may change.
    rng : numpy.random.Generator
        Draws the starts, uniform within the size.
    steps, starts : int

    Returns
    -------
    ndarray, shape (n, 64)
        For each row the picture, of those at the ends, on which the right answer is furthest behind the best other one.
    """
    worst, behind = None, np.full(len(X), -np.inf)
    for _ in range(starts):
        X_new = project(X + rng.uniform(-size, size, X.shape), X, size)
        for _ in range(steps):
            sign = np.sign(loss_gradient(model, X_new, y))
            X_new = project(X_new + 2.5 * size / steps * sign, X, size)
        if starts == 1:
            return X_new
        p = says(model, X_new)
        now = np.where(y == 1, -np.inf, p).max(axis=1) - p[y == 1]
        worst = X_new.copy() if worst is None else worst
        better = now > behind
        worst[better], behind[better] = X_new[better], now[better]
    return worst


def signs(X, size, rng):
    """Return X with `size` added to or taken from each pixel, by lot, within the ink from 0 to 1."""
    return project(X + size * rng.choice([-1.0, 1.0], X.shape), X, size)


def gaussian(X, size, rng):
    """Return X with normal noise of this standard deviation, within the ink from 0 to 1."""
    return np.clip(X + size * rng.standard_normal(X.shape), 0, 1)


def train(model, X, y, rate, way="plain", strength=0.0, seed=0):
    """Train the model in place with Adam, whose rate sinks to 0, on pictures that are changed anew in each step.

    Parameters
    ----------
    model : nnlib.Sequential
    X, y : ndarray, shape (n, 64) and (n, 10)
    rate : float
    way : "plain", "longer", "noise", "one step" or "iterated"
        What is done to the pictures: nothing, nothing in five times as many epochs, `gaussian`, `one_step` against the
        model as it is, or `iterated` with four steps from one start.
    strength : float
        The size of that change.
    seed : int
        Of the order of the rows, and of the changes.
    """
    rng = np.random.default_rng([seed, 1])
    epochs = EPOCHS * (GRADIENTS[way] if way == "longer" else 1)
    steps = epochs * -(-len(X) // BATCH)
    optimizer = nn.Adam(nn.schedules.CosineDecay(rate, steps))
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for start in range(0, len(X), BATCH):
            rows = order[start : start + BATCH]
            part, target = X[rows], y[rows]
            if way == "noise":
                part = gaussian(part, strength, rng)
            elif way == "one step":
                part = one_step(model, part, target, strength)
            elif way == "iterated":
                part = iterated(model, part, target, strength, rng, 4, 1)
            model.train_on_batch(
                part.reshape(-1, *model.input_shape),
                target,
                loss=LOSS,
                optimizer=optimizer,
            )
    return model


def trained(seed, kind="network", rate=0.01, **how):
    """Return such a network, trained on the training digits of a seed."""
    X, y = digits(seed % 100)[0]
    return train(network(seed, kind), X, y, rate, seed=seed, **how)


def margin(model, X, y):
    """m = z_y - z_c, the right logit minus the largest other one, and its gradient, for a network with one hidden layer.

    Returns
    -------
    m : ndarray, shape (n,)
        Above 0 where the answer is right.
    gradient : ndarray, shape (n, 64)
        Of m with respect to the pixels; c stays the class that is second now.
    """
    first, last = (layer.params for layer in model.layers)
    h = np.maximum(X @ first["W"] + first["b"], 0)
    z = h @ last["W"] + last["b"]
    c = np.where(y == 1, -np.inf, z).argmax(axis=1)
    apart = y - np.eye(10)[c]
    return (z * apart).sum(axis=1), ((h > 0) * (apart @ last["W"].T)) @ first[
        "W"
    ].T


def by_logits(model, X, y, size):
    """x' = clip(x - size * sign(dm/dx), 0, 1), one step against the margin, which needs no softmax."""
    return project(X - size * np.sign(margin(model, X, y)[1]), X, size)


def sharpened(model, factor):
    """Return a copy of the model with its last weights and biases times a factor: the same answers, surer."""
    weights = model.get_weights()
    copy = network(0)
    copy.set_weights(weights)
    for part in copy.layers[-1].params.values():
        part *= factor
    return copy


class Nearest:
    """Says what the nearest training picture is (Euclidean distance), with a share of 1.

    Parameters
    ----------
    X, y : ndarray, shape (n, 64) and (n, 10)
    """

    input_shape = (64,)

    def __init__(self, X, y):
        self.X, self.y = X, y

    def predict(self, X):
        """Return the classes of the nearest pictures."""
        return self.y[self._far(X).argmin(axis=1)]

    def input_gradient(self, X, y, loss=None):
        """Return the gradient of |x - a|^2 - |x - b|^2: a is the nearest picture of the right class, b of the others."""
        far, same = self._far(X), y @ self.y.T > 0
        a = self.X[np.where(same, far, np.inf).argmin(axis=1)]
        b = self.X[np.where(same, np.inf, far).argmin(axis=1)]
        return 2 * (b - a)

    def _far(self, X):
        return (self.X**2).sum(axis=1) - 2 * X @ self.X.T


def changes(model, X, y, size, rng):
    """Return the pictures changed in four ways by name: two by lot, two against the model; an assertion holds their sizes."""
    found = {
        "signs": signs(X, size, rng),
        "gaussian": gaussian(X, size, rng),
        "one step": one_step(model, X, y, size),
        "iterated": iterated(model, X, y, size, rng),
    }
    for name, X_new in found.items():
        assert X_new.min() >= 0
        assert X_new.max() <= 1
        assert name == "gaussian" or np.abs(X_new - X).max() <= size + 1e-12
    return found


def run_plain(kind, rate, seed):
    """Return a row of "deceived_rates": the accuracies of a network on training and validation digits."""
    (X, y), (X_watch, y_watch), _ = digits(seed)
    model = trained(seed, kind, rate)
    return {
        "training": right(model, X, y),
        "validation": right(model, X_watch, y_watch),
    }


def run_curve(kind, rates, seed):
    """Return the rows of "deceived_curves" for a seed: accuracies on test digits that are changed by each size.

    With the lengths of the changes: root of the sum of squares, mean over the digits.
    """
    X, y = digits(seed)[2]
    model = trained(seed, kind, rates[kind])
    rows = []
    for size in SIZES:
        rng = np.random.default_rng([seed, 2])
        for change, X_new in changes(model, X, y, size, rng).items():
            rows.append(
                {
                    "size": size,
                    "change": change,
                    "accuracy": right(model, X_new, y),
                    "length": np.linalg.norm(X_new - X, axis=1).mean(),
                }
            )
    return rows


def run_transfer(rates, seed):
    """Return the rows of "deceived_transfer": pictures made against one model, shown to another, which had another seed."""
    known, _, (X, y) = digits(seed)
    rng = np.random.default_rng([seed, 3])
    nearest = {"nearest": Nearest(*known)}
    victims = {k: trained(seed + 100, k, rates[k]) for k in KINDS} | nearest
    sources = {k: trained(seed, k, rates[k]) for k in KINDS} | nearest
    shown = {("none", "clean"): X, ("none", "signs"): signs(X, SIZE, rng)}
    rows = []
    for source, model in sources.items():
        against = changes(model, X, y, SIZE, rng)
        for change in ("one step", "iterated"):
            shown[source, change] = against[change]
            found = right(model, against[change], y)
            rows.append((source, change, "itself", found))
    for (source, change), X_new in shown.items():
        for victim, model in victims.items():
            rows.append((source, change, victim, right(model, X_new, y)))
    keys = ("source", "change", "victim", "accuracy")
    return [dict(zip(keys, row, strict=True)) for row in rows]


def run_trained(way, strength, rate, seed):
    """Return a row of "deceived_trained": accuracies on validation and test digits, clean, by signs, and attacked."""
    _, watch, test = digits(seed)
    model = trained(seed, "network", rate, way=way, strength=strength)
    row = {}
    for name, (X, y) in (("validation", watch), ("test", test)):
        rng = np.random.default_rng([seed, 4])
        row[f"{name} clean"] = right(model, X, y)
        for change, X_new in changes(model, X, y, SIZE, rng).items():
            row[f"{name} {change}"] = right(model, X_new, y)
    return row


def run_masked(rates, seed):
    """Return the rows of "deceived_masked": a network with its logits times a factor, under attacks that should not care.

    `zero`: the share of test digits whose gradient is exactly 0 in every pixel. `transferred`: the pictures were made
    against a network of another seed, in one step.
    """
    X, y = digits(seed)[2]
    rate = rates["network"]
    plain = trained(seed, rate=rate)
    other = one_step(trained(seed + 100, rate=rate), X, y, SIZE)
    rows = []
    for factor in SHARPER:
        model = sharpened(plain, factor)
        rng = np.random.default_rng([seed, 5])
        pictures = changes(model, X, y, SIZE, rng)
        pictures |= {"clean": X, "transferred": other}
        pictures["logits"] = by_logits(model, X, y, SIZE)
        found = {name: right(model, part, y) for name, part in pictures.items()}
        zero = (loss_gradient(model, X, y) == 0).all(axis=1).mean()
        sure = says(model, X).max(axis=1).mean()
        rows.append({"factor": factor, "zero": zero, "sure": sure, **found})
    return rows


def run_margins(rates, seed):
    """Return the rows of "deceived_margins": by how much a change lowers the margin, estimated and measured, medians.

    One step against the margin and random signs, of the digits that are read rightly; estimated is the gradient times
    the change (after clipping).
    """
    X, y = digits(seed)[2]
    model = trained(seed, rate=rates["network"])
    m, gradient = margin(model, X, y)
    X, y, m, gradient = (part[m > 0] for part in (X, y, m, gradient))
    rows = []
    for size in SIZES[1:]:
        rng = np.random.default_rng([seed, 6])
        for change, X_new in (
            ("one step", by_logits(model, X, y, size)),
            ("signs", signs(X, size, rng)),
        ):
            estimate = ((X_new - X) * gradient).sum(axis=1)
            moved = margin(model, X_new, y)[0] - m
            rows.append(
                {
                    "size": size,
                    "change": change,
                    "margin": np.median(m),
                    "estimated": np.median(np.abs(estimate)),
                    "measured": np.median(np.abs(moved)),
                }
            )
    return rows


CODE = (
    digits, network, loss_gradient, says, right, project, one_step, iterated, signs, gaussian, train, trained, margin,
    by_logits, sharpened, Nearest, changes, run_plain, run_curve, run_transfer, run_trained, run_masked, run_margins,
)  # fmt: skip


stored, made = stored_results.readers(RESULTS)


def best_rates(table):
    """Return the rate with the best mean accuracy on the validation digits, for each kind."""
    means = table.groupby(["kind", "rate"]).validation.mean()
    return {kind: float(means[kind].idxmax()) for kind in KINDS}


def tables(folder, workers=1):
    """Train and attack everything; return the tables by name."""
    import pandas as pd

    def sweep(run, name, **grid):
        return stored_results.swept(run, grid, folder / name, workers=workers)

    plain = sweep(run_plain, "rates", kind=KINDS, rate=RATES, seed=CHOOSING)
    rates = best_rates(plain)
    ways = [
        sweep(
            run_trained,
            f"trained_{way}",
            way=[way],
            strength=strengths,
            rate=TRIED[way],
            seed=TRAINED,
        )
        for way, strengths in STRENGTHS.items()
    ]
    found = {
        "deceived_rates": plain,
        "deceived_trained": pd.concat(ways, ignore_index=True),
    }
    for name, run, grid in (
        ("curves", run_curve, {"kind": ("network", "logistic")}),
        ("transfer", run_transfer, {}),
        ("masked", run_masked, {}),
        ("margins", run_margins, {}),
    ):
        table = sweep(run, name, **grid, rates=[rates], seed=SEEDS)
        found[f"deceived_{name}"] = table.drop(columns="rates")
    return found


def main():
    """Train and attack everything, and write the tables."""
    found = tables(stored_results.UNFINISHED / "deceived")
    stored_results.store_all(found, CODE, ["scikit-learn"], RESULTS)


if __name__ == "__main__":
    main()
