"""A small network for the digits, filmed while it learns: how far each layer is from its end, and what learning is worth.

`python chapters/6-images/stored_film.py` trains it for ten seeds and four widths, with every layer learning and with the
first ones left as they were drawn (minutes; it goes on where it was stopped), and renews the tables in data/images that the
page "Film the training" prints. The page itself trains one network; ten seeds are too long to wait for.
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

RESULTS = PROJECT / "data" / "images"
SEEDS = range(10)
LAYERS = ("first", "second", "last")  # the layers that have weights
WIDTHS = (2, 4, 8, 16)  # filters of the first layer
RATES = {  # layers that stay as they were drawn -> learning rates
    0: (0.01, 0.03, 0.1),
    1: (0.01, 0.03, 0.1),
    2: (0.03, 0.1, 0.3),
}
WIDTH, RATE, EPOCHS, BATCH = 8, 0.01, 30, 32


def layers(width=WIDTH):
    """Return `width` windows of 5 by 5, twelve of 3 by 3, the largest number of each map, and ten classes."""
    kind = {"padding": "same", "activation": "relu", "initializer": "he_normal"}
    return [
        nn.Conv2D(width, 5, **kind),
        nn.MaxPool2D(2),
        nn.Conv2D(12, 3, **kind),
        nn.MaxPool2D(4),
        nn.Flatten(),
        nn.Dense(10, "softmax"),
    ]


def network(seed, width=WIDTH):
    """Return these layers as a network, with its first weights drawn."""
    return nn.Sequential(layers(width), seed=seed).build((8, 8, 1))


def digits(seed):
    """Return training, validation and test pictures, (X, y) each: nine writers, two others, three others."""
    X, y = datasets.load_digits()
    return [(X[rows], y[rows]) for rows in split("writers", seed)]


class Film(nn.Callback):
    """Keeps the weights before the training and after each epoch.

    Attributes
    ----------
    weights : list
        What `get_weights` returns, for epochs 0, 1, 2, ...
    """

    def on_train_begin(self, model, epochs):
        """Keep the weights as they were drawn."""
        self.weights = [model.get_weights()]

    def on_epoch_end(self, model, epoch, logs):
        """Keep the weights of this epoch."""
        self.weights.append(model.get_weights())


def train(model, X, y, rate=RATE, epochs=EPOCHS):
    """Train the model in place with Adam, whose rate sinks to 0; return the weights of each epoch."""
    steps = epochs * -(-len(X) // BATCH)
    film = Film()
    model.fit(
        X,
        y,
        loss="categorical_crossentropy",
        optimizer=nn.Adam(nn.schedules.CosineDecay(rate, steps)),
        epochs=epochs,
        batch_size=BATCH,
        callbacks=[film],
    )
    return film.weights


def maps(model, X):
    """Return what comes out of both convolutions, and the scores of the ten classes before the softmax."""
    found = []
    for layer in model.layers:
        if isinstance(layer, nn.Dense):
            found.append(X @ layer.params["W"] + layer.params["b"])
        X = layer.forward(X)
        if isinstance(layer, nn.Conv2D):
            found.append(X)
    return found


def likeness(now, end):
    """Return the mean correlation of maps with what they become, and with what the other maps of the layer become.

    Parameters
    ----------
    now, end : ndarray, shape (pictures, ..., maps)
        Each map is taken over all pictures and places; one that is constant is left out.
    """
    z = []
    for part in (now, end):
        part = part.reshape(-1, part.shape[-1])
        part = part - part.mean(axis=0)
        size = np.sqrt((part**2).mean(axis=0))
        z.append(part / np.where(size > 1e-9, size, np.nan))
    r = z[0].T @ z[1] / len(z[0])
    own = np.eye(len(r), dtype=bool)
    return float(np.nanmean(r[own])), float(np.nanmean(r[~own]))


def weighted(model):
    """Return the layers that have weights."""
    return [layer for layer in model.layers if layer.params]


def run_course(seed):
    """Return the rows of the table "film_course" for a seed: one for each epoch and layer.

    Columns: `left`, the distance of the layer's weights from their end, as a share of that at the start; `turned`, the mean
    cosine between a unit's weights and those it was drawn with; `likeness` of its maps on validation pictures with what
    they become, and `strangers` with what the other maps become; `put_back`, the accuracy on them of the trained network in which this layer alone is set back to this
    epoch; and `accuracy`, that of the whole network at this epoch.
    """
    (X, y), (X_watch, y_watch), _ = digits(seed)
    model = network(seed)
    weights = train(model, X, y)
    parts = []
    for flat in weights:
        model.set_weights(flat)
        parts.append(
            [
                {name: part.copy() for name, part in layer.params.items()}
                for layer in weighted(model)
            ]
        )
    end = maps(model, X_watch)
    rows = []
    for epoch, flat in enumerate(weights):
        model.set_weights(flat)
        now = maps(model, X_watch)
        accuracy = nn.metrics.accuracy(model.predict(X_watch), y_watch)
        for at, name in enumerate(LAYERS):
            W, first, last = (
                parts[k][at]["W"] for k in (epoch, 0, len(weights) - 1)
            )
            columns = [part.reshape(-1, part.shape[-1]) for part in (W, first)]
            lengths = np.prod([np.linalg.norm(c, axis=0) for c in columns], 0)
            model.set_weights(weights[-1])
            for key, part in parts[epoch][at].items():
                weighted(model)[at].params[key][...] = part
            back = nn.metrics.accuracy(model.predict(X_watch), y_watch)
            same, strangers = likeness(now[at], end[at])
            rows.append(
                {
                    "seed": seed,
                    "epoch": epoch,
                    "layer": name,
                    "left": np.linalg.norm(W - last)
                    / np.linalg.norm(first - last),
                    "turned": np.mean(
                        (columns[0] * columns[1]).sum(0) / lengths
                    ),
                    "likeness": same,
                    "strangers": strangers,
                    "put_back": back,
                    "accuracy": accuracy,
                }
            )
    return rows


def without(model, frozen, seed):
    """Return the two halves of a network as networks: its first layers, and a copy of the others, which can learn.

    Parameters
    ----------
    model : nnlib.Sequential
    frozen : int
        How many convolutions, each with its pooling, the first half has.
    seed : int
        Of the order in which the second half sees its rows.

    Returns
    -------
    first : callable
        From pictures to the numbers that the second half takes.
    rest : nnlib.Sequential
    """
    cut = 2 * frozen

    def first(X):
        for layer in model.layers[:cut]:
            X = layer.forward(X)
        return X

    shape = first(np.zeros((1, *model.input_shape))).shape[1:]
    kept = layers(model.layers[0].filters)[cut:]
    rest = nn.Sequential(kept, seed=seed).build(shape)
    for mine, theirs in zip(
        weighted(rest), weighted(model)[frozen:], strict=True
    ):
        for name, part in theirs.params.items():
            mine.params[name][...] = part
    return first, rest


def run_frozen(width, frozen, rate, seed):
    """Return a row of the table "film_frozen": the accuracies with the first layers left as they were drawn."""
    sets = digits(seed)
    first, rest = without(network(seed, width), frozen, seed)
    (X, y), *_ = sets = [(np.ascontiguousarray(first(X)), y) for X, y in sets]
    train(rest, X, y, rate)
    learn, watch, test = (
        nn.metrics.accuracy(rest.predict(X), y) for X, y in sets
    )
    return {"training": learn, "validation": watch, "test": test}


CODE = (
    layers, network, digits, Film, train, maps, likeness, weighted, run_course, without, run_frozen,
)  # fmt: skip


stored, made = stored_results.readers(RESULTS)


def tables(seeds, folder, workers=1):
    """Train everything for these seeds; return both tables by name."""
    import pandas as pd

    course = [row for seed in seeds for row in run_course(seed)]
    print("film_course is done", flush=True)
    frozen = [
        stored_results.swept(
            run_frozen,
            {
                "width": WIDTHS,
                "frozen": [frozen],
                "rate": rates,
                "seed": list(seeds),
            },
            folder / f"frozen_{frozen}",
            workers=workers,
        )
        for frozen, rates in RATES.items()
    ]
    return {
        "film_course": pd.DataFrame(course),
        "film_frozen": pd.concat(frozen, ignore_index=True),
    }


def main():
    """Train everything, and write the tables."""
    folder = stored_results.UNFINISHED / "film"
    found = tables(SEEDS, folder)
    stored_results.store_all(found, CODE, ["scikit-learn"], RESULTS)


if __name__ == "__main__":
    main()
