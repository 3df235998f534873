"""Digits made by two networks and by simpler makers, what judges say of them, and six optimizers for the two networks.

`python chapters/7-sequences/stored_forged.py` trains the page's two networks for ten seeds, and smaller budgets of the same
with each optimizer and rate (six minutes of one core and more; it goes on where it was stopped), and renews the tables in
data/sequences that the page "Forge digits" prints. The page itself trains one pair of networks.
"""

import functools
import sys
from pathlib import Path

import numpy as np

import nnlib as nn
from nnlib.course import datasets

PROJECT = Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "chapters" / "3-insurance"))

import stored_results  # noqa: E402

RESULTS = PROJECT / "data" / "sequences"
LATENT, HIDDEN, BATCH, RATE, STEPS = 16, 64, 32, 0.005, 3000
MEMORY = 0.995  # of the moving average of the generator's weights
SHORT = 1500  # steps with each optimizer
SEEDS, TRIES = range(10), range(100, 102)  # to report, and to choose rates
OPTIMIZERS = {
    "SGD": lambda rate: nn.SGD(rate),
    "momentum": lambda rate: nn.SGD(rate, momentum=0.9),
    "Adagrad": lambda rate: nn.Adagrad(rate),
    "RMSprop": lambda rate: nn.RMSprop(rate),
    "Adam 0.5": lambda rate: nn.Adam(rate, beta1=0.5),
    "Adam 0.9": lambda rate: nn.Adam(rate),
}
RATES = {  # wider ones were tried on one seed and did worse
    "SGD": (0.1, 0.3, 1.0),
    "momentum": (0.0003, 0.001, 0.003),
    "Adagrad": (0.01, 0.03, 0.1),
    "RMSprop": (0.003, 0.01, 0.03),
    "Adam 0.5": (0.003, 0.01, 0.03),
    "Adam 0.9": (0.0003, 0.001, 0.003),
}


@functools.cache
def parts(seed):
    """Return digits to learn from, of the same writers never shown, and of the judge's writers: (X, class numbers) each.

    Nine writers, drawn by the seed, write for the generator: 800 of their digits to learn from, the others kept aside. The
    other five write for the judge.
    """
    rng = np.random.default_rng(seed)
    X, y = datasets.load_digits(flat=True)
    y = y.argmax(axis=1)
    writers = datasets.digit_writers()
    drawn = np.isin(writers, rng.permutation(14)[:9])
    rows = rng.permutation(np.flatnonzero(drawn))
    others = np.flatnonzero(~drawn)
    return [(X[part], y[part]) for part in (rows[:800], rows[800:], others)]


@functools.cache
def judge(seed):
    """Return a classifier that has learned from the other writers."""
    _, _, (X, y) = parts(seed)
    layers = [nn.Dense(64, "relu"), nn.Dense(10, "softmax")]
    model = nn.Sequential(layers, seed=seed)
    model.fit(
        X,
        np.eye(10)[y],
        loss="categorical_crossentropy",
        optimizer=nn.Adam(0.003),
        epochs=40,
    )
    return model


def networks(seed):
    """Return an untrained generator and an untrained discriminator."""
    generator = [
        nn.Dense(HIDDEN, "leaky_relu"),
        nn.Dense(HIDDEN, "leaky_relu"),
        nn.Dense(64, "sigmoid"),
    ]
    discriminator = [
        nn.Dense(HIDDEN, "leaky_relu"),
        nn.Dense(HIDDEN, "leaky_relu"),
        nn.Dense(1, "sigmoid"),
    ]
    return (
        nn.Sequential(generator, seed=seed).build(LATENT),
        nn.Sequential(discriminator, seed=1000 + seed).build(64),
    )


def forge(X, create, detect, steps, seed, keep=()):
    """Train a generator against a discriminator.

    Parameters
    ----------
    X : ndarray, shape (rows, 64)
        Real digits.
    create, detect : nnlib optimizers
        Of the generator and of the discriminator.
    steps, seed : int
    keep : collection of int
        After which steps the average weights are kept, too.

    Returns
    -------
    generator : nnlib.Sequential
    average : ndarray
        The moving average of its weights.
    losses : ndarray, shape (steps, 2)
        Of the discriminator and of the generator, before each step.
    film : dict
        Step -> average weights.
    """
    rng = np.random.default_rng(seed)
    generator, discriminator = networks(seed)
    ones, zeros = np.ones((BATCH, 1)), np.zeros((BATCH, 1))
    labels, loss = np.concatenate([ones, zeros]), "binary_crossentropy"
    average, losses, film = generator.params.copy(), [], {}
    if 0 in keep:
        film[0] = average.copy()
    for step in range(1, steps + 1):
        real = X[rng.integers(len(X), size=BATCH)]
        made = generator.predict(rng.standard_normal((BATCH, LATENT)))
        found = discriminator.train_on_batch(
            np.concatenate([real, made]), labels, loss=loss, optimizer=detect
        )
        fooled = generator.train_on_batch(
            rng.standard_normal((BATCH, LATENT)),
            ones,
            loss=loss,
            optimizer=create,
            through=discriminator,
        )
        losses.append((found, fooled))
        share = max(1 / step, 1 - MEMORY)
        average += share * (generator.params - average)
        if step in keep:
            film[step] = average.copy()
    return generator, average, np.array(losses), film


def makers(X, y, rows, seed):
    """Return digits by makers that need no training: dict by name, `rows` pictures each.

    Parameters
    ----------
    X, y : ndarray
        Digits to learn from and their class numbers.
    """
    rng = np.random.default_rng(seed)

    def drawn(part, number):
        return rng.multivariate_normal(part.mean(0), np.cov(part.T), number)

    of_class = np.bincount(rng.choice(y, rows), minlength=10)
    found = {
        "noise": rng.random((rows, 64)),
        "each pixel alone": np.stack(
            [rng.choice(column, rows) for column in X.T], axis=1
        ),
        "one Gaussian": drawn(X, rows),
        "ten Gaussians": np.concatenate(
            [drawn(X[y == k], of_class[k]) for k in range(10)]
        ),
        "smudged copies": X[rng.integers(len(X), size=rows)]
        + 0.05 * rng.standard_normal((rows, 64)),
    }
    return {
        name: rng.permutation(np.clip(part, 0, 1))
        for name, part in found.items()
    }


def squared_distances(A, B):
    """Return the squared distance of each row of A to each row of B."""
    found = (A**2).sum(1)[:, None] + (B**2).sum(1) - 2 * A @ B.T
    return np.maximum(found, 0)


def kinds(classes):
    """Return e to the entropy of the shares of the ten classes: how many even classes would be as varied."""
    p = np.bincount(classes, minlength=10) / len(classes)
    p = p[p > 0]
    return float(np.exp(-(p * np.log(p)).sum()))


def told(A, B):
    """Return the share of rows of both sets whose nearest other row is of their own set."""
    both = np.concatenate([A, B])
    label = np.repeat([0, 1], [len(A), len(B)])
    far = squared_distances(both, both)
    np.fill_diagonal(far, np.inf)
    return float(np.mean(label[far.argmin(axis=1)] == label))


def frechet(A, B):
    """Return the squared Fréchet distance of the two Gaussians with the means and covariances of the sets."""
    a, b = np.cov(A.T), np.cov(B.T)
    values, vectors = np.linalg.eigh(a)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ b @ root)
    between = np.sum((A.mean(0) - B.mean(0)) ** 2)
    trace = np.trace(a) + np.trace(b)
    return float(between + trace - 2 * np.sqrt(np.maximum(shared, 0)).sum())


def report(made, seed):
    """Return what the judges say of pictures, a dict.

    `sure`: the share of which the classifier is more than 90% sure; `kinds` of digits among its answers; `away`, the median
    distance to the nearest training row; `told` from unseen digits; `frechet` distance to them, and `frechet_seen` to the
    training rows.
    """
    (X, _), (unseen, _), _ = parts(seed)
    p = judge(seed).predict(made)
    return {
        "sure": float(np.mean(p.max(axis=1) > 0.9)),
        "kinds": kinds(p.argmax(axis=1)),
        "away": float(np.median(np.sqrt(squared_distances(made, X).min(1)))),
        "told": told(made, unseen),
        "frechet": frechet(made, unseen),
        "frechet_seen": frechet(made, X),
    }


def noise(seed, rows):
    """Return the latent numbers of the pictures that are judged."""
    return np.random.default_rng(5000 + seed).standard_normal((rows, LATENT))


def run_makers(seed):
    """Return the rows of the table "forged" for a seed: one for each maker, the page's networks among them."""
    (X, y), (unseen, _), (others, _) = parts(seed)
    rows = len(unseen)
    create, detect = (OPTIMIZERS["Adam 0.5"](RATE) for _ in range(2))
    generator, average, _, _ = forge(X, create, detect, STEPS, seed)
    z = noise(seed, rows)
    rng = np.random.default_rng(seed)
    pictures = {
        "real, training": X[:rows],
        "real, unseen": unseen,
        "real, other writers": rng.permutation(others)[:rows],
    }
    pictures |= makers(X, y, rows, seed)
    pictures["two networks, last"] = generator.predict(z)
    generator.params[...] = average
    pictures["two networks"] = generator.predict(z)
    found = []
    for name, made in pictures.items():
        row = {"seed": seed, "maker": name} | report(made, seed)
        if name == "real, unseen":
            # against itself, and not against other digits
            row["told"] = row["frechet"] = np.nan
        if name == "real, other writers":
            row["sure"] = np.nan  # the judge has learned from these
        found.append(row)
    return found


def run_optimizer(optimizer, rate, seed):
    """Return a row of the table "forged_optimizers": the average generator after `SHORT` steps, and the last one."""
    (X, _), (unseen, _), _ = parts(seed)
    create, detect = (OPTIMIZERS[optimizer](rate) for _ in range(2))
    with np.errstate(all="ignore"):
        generator, average, losses, _ = forge(X, create, detect, SHORT, seed)
    z = noise(seed, len(unseen))
    last = report(generator.predict(z), seed)
    generator.params[...] = average
    return report(generator.predict(z), seed) | {
        "last_frechet_seen": last["frechet_seen"],
        "last_frechet": last["frechet"],
        "detect": losses[-200:, 0].mean(),
    }


CODE = (
    parts, judge, networks, forge, makers, squared_distances, kinds, told, frechet, report, noise, run_makers, run_optimizer,
)  # fmt: skip


stored, made = stored_results.readers(RESULTS)


def best_rates(table):
    """Return the rate of each optimizer that was best on the seeds to choose with: closest to the training rows."""
    tries = table[table.seed.isin(TRIES)]
    mean = tries.groupby(["optimizer", "rate"]).frechet_seen.mean()
    return {name: mean[name].idxmin() for name in OPTIMIZERS}


def tables(folder, workers=1):
    """Train everything; return both tables by name."""
    import pandas as pd

    def sweep(name, rates, seeds, stage):
        grid = {"optimizer": [name], "rate": list(rates), "seed": list(seeds)}
        at = folder / f"{stage}_{name.replace(' ', '_')}"
        return stored_results.swept(run_optimizer, grid, at, workers=workers)

    found = [sweep(name, RATES[name], TRIES, "tries") for name in OPTIMIZERS]
    best = best_rates(pd.concat(found, ignore_index=True))
    found += [sweep(name, [best[name]], SEEDS, "best") for name in OPTIMIZERS]
    rows = [row for seed in SEEDS for row in run_makers(seed)]
    return {
        "forged": pd.DataFrame(rows),
        "forged_optimizers": pd.concat(found, ignore_index=True),
    }


def main():
    """Train everything, and write the tables."""
    folder = stored_results.UNFINISHED / "forged"
    found = tables(folder)
    stored_results.store_all(found, CODE, ["scikit-learn"], RESULTS)


if __name__ == "__main__":
    main()
