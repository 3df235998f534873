"""Digits with noise, with gaps and with columns that mean nothing: five kinds of models, each with its best setting.

`python chapters/8-limits/stored_noise.py` trains them for ten seeds (four minutes of one core; it goes on where it was
stopped), and renews the tables in data/limits that the page "Add noise, and leave gaps" prints.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)

import nnlib as nn
from nnlib.course import augment, datasets

PROJECT = Path(__file__).resolve().parents[2]
for part in ("3-insurance", "4-digits"):
    sys.path.append(str(PROJECT / "chapters" / part))

import stored_results  # noqa: E402
from own_network import split  # noqa: E402

RESULTS = PROJECT / "data" / "limits"
SEEDS, CHOOSING = range(10), range(10, 13)  # reported; that choose settings
NOISE = (0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8)  # standard deviations
GAPS = (0.1, 0.25, 0.5, 0.75)  # shares of the pixels
TRAININGS = (
    ("plain", 0), ("noise", 0.2), ("noise", 0.4), ("noise", 0.6), ("gaps", 0.25), ("gaps", 0.5),
)  # fmt: skip
COLUMNS = (0, 64, 256)  # that mean nothing
SETTINGS = {  # learning rates; how many neighbours vote; columns tried at each split
    "logistic": (0.01, 0.03, 0.1, 0.3),
    "dense": (0.003, 0.01, 0.03, 0.1),
    "windows": (0.003, 0.01, 0.03),
    "neighbours": (1, 3, 7, 15, 31),
    "forest": (8, 16, 32),
}
DECAYS = (0, 0.3, 3)  # weight decay of networks that get such columns
ROUNDS = 0.3  # learning rate of the boosted trees, which get no other
EPOCHS, COPIES = 20, 4  # passes of a network; copies for the others


# What happens to the pictures: X (n, 8, 8, 1), ink from 0 to 1


def with_gaps(X, share, rng):
    """x' = 0 with this probability, for each pixel on its own, else x; also return where pixels are left."""
    there = rng.random(X.shape) >= share
    return X * there, there


def damaged(X, kind, amount, rng):
    """Return pictures with noise of this standard deviation, or with gaps at this share of their pixels."""
    if kind == "noise":
        return augment.noise(X, amount, rng)
    return with_gaps(X, amount, rng)[0] if kind == "gaps" else X


def filled(X, there, fill, average):
    """Return the pictures with another number in their gaps.

    Parameters
    ----------
    X, there : ndarray, shape (n, 8, 8, 1)
        As `with_gaps` returns them.
    fill : {"pixel", "around"}
        The pixel's average, or the average of those of the eight pixels around that are left (where none is: the
        pixel's average).
    average : ndarray, shape (8, 8, 1)
        Of each pixel over the training pictures.
    """
    new = np.broadcast_to(average, X.shape)
    if fill == "around":
        inks, counts = (
            sum(
                np.pad(part, ((0, 0), (1, 1), (1, 1), (0, 0)))[
                    :, i : i + 8, j : j + 8
                ]
                for i in range(3)
                for j in range(3)
                if (i, j) != (1, 1)
            )
            for part in (X, there.astype(float))
        )
        new = np.where(counts > 0, inks / np.maximum(counts, 1), new)
    return np.where(there, X, new)


# Five kinds of models: `trained` returns a function from pictures or rows to shares of the ten classes


def layers(model):
    """Return the layers of a network."""
    relu = {"activation": "relu", "initializer": "he_normal"}
    first = {
        "logistic": [nn.Flatten()],
        "dense": [nn.Flatten(), nn.Dense(64, **relu)],
        "windows": [
            nn.Conv2D(8, 3, "same", **relu),
            nn.MaxPool2D(2),
            nn.Conv2D(16, 3, "same", **relu),
            nn.MaxPool2D(2),
            nn.Flatten(),
        ],
    }
    return [*first[model], nn.Dense(10, "softmax")]


def network(model, setting, X, y, kind="plain", amount=0, seed=0, decay=0):
    """Return a network trained 20 epochs with Adam, whose rate sinks to 0; the damage is drawn anew in each epoch."""
    net = nn.Sequential(layers(model), seed=seed, dtype="float32")
    steps = EPOCHS * -(-len(X) // 32)
    rate = nn.schedules.CosineDecay(setting, steps)
    optimizer = nn.Adam(rate, weight_decay=decay)
    rng = np.random.default_rng([seed, 1])
    for _ in range(EPOCHS):
        net.fit(
            damaged(X.astype(np.float32), kind, amount, rng),
            y,
            loss="categorical_crossentropy",
            optimizer=optimizer,
            epochs=1,
            batch_size=32,
            verbose=0,
        )
    return net


def votes(X, y, k):
    """Return the function that lets the k nearest of the rows X vote, the nearer first where they tie."""

    def predict(new):
        squares = (X**2).sum(1) - 2 * new.reshape(len(new), -1) @ X.T
        near = np.argpartition(squares, k - 1, axis=1)[:, :k]
        order = np.argsort(np.take_along_axis(squares, near, 1), axis=1)
        near = np.take_along_axis(near, order, 1)
        weight = 1 + 1e-3 * np.arange(k, 0, -1) / k
        return (y[near] * weight[:, None]).sum(axis=1) / weight.sum()

    return predict


def trained(model, setting, X, y, kind="plain", amount=0, seed=0, decay=0):
    """Train a model of this kind with this setting; the others get four damaged copies where networks get 20."""
    if model in ("logistic", "dense", "windows"):
        return network(model, setting, X, y, kind, amount, seed, decay).predict
    rng = np.random.default_rng([seed, 1])
    copies = 1 if kind == "plain" else COPIES
    rows = np.concatenate(
        [
            damaged(X, kind, amount, rng).reshape(len(X), -1)
            for _ in range(copies)
        ]
    )
    y = np.tile(y, (copies, 1))
    if model == "neighbours":
        return votes(rows, y, setting)
    forest = (
        RandomForestClassifier(60, max_features=setting, random_state=seed)
        if model == "forest"
        else HistGradientBoostingClassifier(
            learning_rate=setting,
            max_iter=25,
            max_leaf_nodes=8,
            early_stopping=False,
        )
    )
    forest.fit(rows, y.argmax(axis=1))
    return lambda new: forest.predict_proba(new.reshape(len(new), -1))


def digits(seed):
    """Return training, validation and test pictures, (X, y) each: nine writers, two others, three others."""
    X, y = datasets.load_digits()
    return [(X[rows], y[rows]) for rows in split("writers", seed)]


def right(predict, X, y):
    """Return the share that is right, and how sure the model is on average of what it says."""
    p = predict(X)
    return np.mean(p.argmax(1) == y.argmax(1)), p.max(axis=1).mean()


# The rows of the tables


def run_setting(model, kind, amount, setting, seed):
    """Return the accuracy on validation pictures that are damaged as those of the training."""
    (X, y), (V, v), _ = digits(seed)
    predict = trained(model, setting, X, y, kind, amount, seed)
    rng = np.random.default_rng([seed, 2])
    V = np.concatenate([damaged(V, kind, amount, rng) for _ in range(3)])
    return {"validation": right(predict, V, np.tile(v, (3, 1)))[0]}


def run_damage(model, kind, amount, setting, seed):
    """Return a row for each kind and level of damage: which shares are right, and how sure the model is on the test."""
    sets = digits(seed)
    X, y = sets[0]
    predict = trained(model, setting, X, y, kind, amount, seed)
    average = X.mean(axis=0)
    found = []
    for Z, z in sets[1:]:
        rng = np.random.default_rng([seed, 3])
        shown = {
            ("noise", level): damaged(Z, "noise", level, rng) for level in NOISE
        }
        for level in GAPS:
            holes, there = with_gaps(Z, level, rng)
            shown["gaps", level] = holes
            for fill in ("pixel", "around") if kind == "plain" else ():
                shown[fill, level] = filled(holes, there, fill, average)
        found.append(
            {key: right(predict, new, z) for key, new in shown.items()}
        )
    validation, test = found
    return [
        {
            "damage": damage,
            "level": level,
            "validation": validation[damage, level][0],
            "test": accuracy,
            "sure": sure,
        }
        for (damage, level), (accuracy, sure) in test.items()
    ]


def with_columns(X, columns, rng):
    """Return rows of 64 pixels and as many columns of noise, with the mean and the spread of the pixels' ink."""
    rows = X.reshape(len(X), -1)
    new = rng.normal(rows.mean(), rows.std(), (len(X), columns))
    return np.concatenate([rows, new], axis=1)


def run_columns(model, columns, setting, decay, seed):
    """Return the shares that are right with columns of noise beside the pixels."""
    rng = np.random.default_rng([seed, 4])
    sets = [(with_columns(X, columns, rng), y) for X, y in digits(seed)]
    (X, y), *_ = sets
    predict = trained(model, setting, X, y, seed=seed, decay=decay)
    names = ("training", "validation", "test")
    return {
        name: right(predict, Z, z)[0]
        for name, (Z, z) in zip(names, sets, strict=True)
    }


def chosen(settings, keys):
    """Return the setting of the best mean validation accuracy: a number, for each combination of the keys."""
    means = settings.groupby([*keys, "setting"]).validation.mean()
    return {
        key: where[-1] for key, where in means.groupby(keys).idxmax().items()
    }


def damages(model, kind, amount, seeds, folder, choosing):
    """Choose the setting of a model for a training and train it so; return what was tried, and what was found."""
    key = {"model": [model], "kind": [kind], "amount": [amount]}
    grid = {**key, "setting": SETTINGS[model], "seed": list(choosing)}
    name = f"{model}_{kind}_{amount}"
    tried = stored_results.swept(run_setting, grid, folder / f"{name}_settings")
    best = chosen(tried, ["model"])[model]
    grid = {**key, "setting": [best], "seed": list(seeds)}
    return tried, stored_results.swept(run_damage, grid, folder / name)


def meaningless(model, rate, seeds, folder, choosing):
    """Train a model with columns of noise: every setting on the seeds that choose, the best on those reported.

    Networks keep the rate that was best for the plain digits and choose a weight decay; the others choose again.
    """
    import pandas as pd

    decays = DECAYS if model in ("logistic", "dense") else (0,)
    values = (rate,) if len(decays) > 1 else SETTINGS.get(model, (ROUNDS,))
    found = []
    for columns in COLUMNS:
        grid = {"model": [model], "columns": [columns]}
        every = {**grid, "setting": values, "decay": decays}
        name = folder / f"columns_{model}_{columns}"
        best = {"setting": values[0], "decay": decays[0]}
        if len(values) * len(decays) > 1:
            tried = stored_results.swept(
                run_columns, {**every, "seed": list(choosing)}, name / "tried"
            )
            means = tried.groupby(list(best)).validation.mean()
            best = dict(zip(best, means.idxmax(), strict=True))
            found.append(tried.assign(reported=False))
        grid |= {key: [value] for key, value in best.items()}
        table = stored_results.swept(
            run_columns, {**grid, "seed": list(seeds)}, name / "reported"
        )
        found.append(table.assign(reported=True))
    return pd.concat(found, ignore_index=True)


def tables(seeds, folder, choosing=CHOOSING):
    """Choose the settings, train everything for these seeds; return the tables by name."""
    import pandas as pd

    settings, rows, columns = [], [], []
    for model in SETTINGS:
        for kind, amount in TRAININGS:
            if model == "forest" and kind != "plain":
                continue  # four copies would take it too long
            tried, found = damages(model, kind, amount, seeds, folder, choosing)
            settings.append(tried)
            rows.append(found)
    settings = pd.concat(settings, ignore_index=True)
    rates = chosen(settings[settings.kind == "plain"], ["model"])
    for model in ("logistic", "dense", "neighbours", "forest", "boosted"):
        columns.append(
            meaningless(model, rates.get(model), seeds, folder, choosing)
        )
    return {
        "noise": pd.concat(rows, ignore_index=True),
        "noise_settings": settings,
        "noise_columns": pd.concat(columns, ignore_index=True),
    }


CODE = (
    with_gaps, damaged, filled, layers, network, votes, trained, digits, right, run_setting, run_damage, with_columns,
    run_columns, chosen, damages, meaningless,
)  # fmt: skip


stored, made = stored_results.readers(RESULTS)


def main():
    """Train everything, and write the tables."""
    found = tables(SEEDS, stored_results.UNFINISHED / "noise")
    stored_results.store_all(found, CODE, ["scikit-learn"], RESULTS)


if __name__ == "__main__":
    main()
