"""A network for the table of the outbreak, what holds it back, and every remedy in every dose over twenty seeds.

`python chapters/5-outbreak/overfitting.py` trains them all (ten minutes; it goes on where it was stopped) and renews the
tables in data/outbreak that the pages "Overfit on purpose" and "Find what holds it back" print. One training takes a page half a
second; twenty seeds of fifty networks are too long to wait for.
"""

import functools
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split

import nnlib as nn
from nnlib.course import datasets

PROJECT = Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "chapters" / "3-insurance"))

import stored_results  # noqa: E402

RESULTS = PROJECT / "data" / "outbreak"
SEEDS = range(20)
NUMBERS = ("density", "age", "beds", "temperature", "humidity")
SKEWED = ("density", "beds")  # a few regions have very much of these
CATEGORIES = {
    "province": ("Arden", "Brava", "Corin", "Delmar", "Estia", "Falken"),
    "measures": ("none", "advice", "closures"),
}
UNITS, DEPTH, EPOCHS, BATCH = 64, 2, 200, 32
PATIENCE = 20
PARTS = ("training", "validation", "test")


def columns(table, logs=False):
    """Return 14 inputs of each region: five numbers, and 0 or 1 for each of six provinces and three measures."""
    values = table[list(NUMBERS)].astype(float)
    if logs:
        for name in SKEWED:
            values[name] = np.log(values[name])
    kinds = [
        table[column] == kind
        for column, kinds in CATEGORIES.items()
        for kind in kinds
    ]
    return np.column_stack([values, *kinds]).astype(float)


@functools.cache
def new_regions():
    """Return 4,000 regions of another country under the same laws: the truth that no team has."""
    return datasets.outbreak(4000, seed=2031)


@dataclass(frozen=True)
class Regions:
    """A table in three sets, and the new regions, as a model gets them: X standardized by the training regions.

    `X`, `y` are dicts by set: "training", "validation", "test", "new". y, (regions, 1), is log R.
    """

    X: dict
    y: dict
    floor: float


def thousandths(said, y):
    """Return the mean square of the error in log R, in thousandths."""
    return 1000 * float(np.mean((np.ravel(said) - np.ravel(y)) ** 2))


def three_sets(y, seed):
    """Return the rows of training, validation and test set, 60, 20 and 20%, each with its share of every fifth of y."""
    fifth = np.searchsorted(np.quantile(y, [0.2, 0.4, 0.6, 0.8]), y)
    rows = np.arange(len(y))
    learn, rest = train_test_split(
        rows, test_size=0.4, stratify=fifth, random_state=seed
    )
    watch, last = train_test_split(
        rest, test_size=0.5, stratify=fifth[rest], random_state=seed
    )
    return dict(zip(PARTS, (learn, watch, last), strict=True))


def regions(seed, logs=False, more=0):
    """Return the 400 regions of a seed in three sets, and `more` regions of a further country in the training set."""
    world = datasets.outbreak(seed=seed)
    y = np.log(world.table["R"].to_numpy())
    X = columns(world.table, logs)
    rows = three_sets(y, seed)
    inputs = {part: X[of] for part, of in rows.items()}
    targets = {part: y[of] for part, of in rows.items()}
    if more:
        further = datasets.outbreak(more, seed=10_000 + seed).table
        inputs["training"] = np.r_[inputs["training"], columns(further, logs)]
        targets["training"] = np.r_[targets["training"], np.log(further["R"])]
    new = new_regions()
    inputs["new"] = columns(new.table, logs)
    targets["new"] = np.log(new.table["R"].to_numpy())

    middle, size = np.zeros(X.shape[1]), np.ones(X.shape[1])
    count = len(NUMBERS)  # zeros and ones stay as they are
    middle[:count] = inputs["training"][:, :count].mean(axis=0)
    size[:count] = inputs["training"][:, :count].std(axis=0)
    return Regions(
        {part: (values - middle) / size for part, values in inputs.items()},
        {part: values[:, None] for part, values in targets.items()},
        thousandths(new.truth["expected"], targets["new"]),
    )


class Penalized(nn.Adam):
    """Adam on the loss plus λ/2 times the sum of the squared weights (biases are left alone)."""

    def __init__(self, learning_rate, strength):
        super().__init__(learning_rate)
        self.strength = strength

    def step(self, params, grads, learning_rate=None):
        """Add λw to the gradient of each weight w, then take Adam's step."""
        grads[: self.decayed] += self.strength * params[: self.decayed]
        super().step(params, grads, learning_rate)


class Follow(nn.Callback):
    """Reads the errors after these epochs, and in the epoch in which early stopping would have ended the training.

    Attributes
    ----------
    at : dict
        Epoch -> errors by set, in thousandths.
    stopped : dict
        The same at the best epoch before the patience was over, and ``epoch``.
    """

    def __init__(self, data, say, epochs=(), patience=PATIENCE):
        self.data, self.say, self.epochs = data, say, set(epochs)
        self.patience, self.at, self.stopped = patience, {}, {}

    def read(self, model, parts=("training", "validation", "new")):
        """Return the errors of the network in these sets."""
        return {
            part: thousandths(
                self.say(model, self.data.X[part]), self.data.y[part]
            )
            for part in parts
        }

    def on_epoch_end(self, model, epoch, logs):
        """Read what is due."""
        if epoch in self.epochs:
            self.at[epoch] = self.read(model)
        best = self.stopped.get("epoch", 0)
        if not best or epoch - best <= self.patience:
            now = self.read(model, ["validation"])["validation"]
            if not best or now < self.stopped["validation"]:
                self.stopped = {"epoch": epoch, **self.read(model)}


def network(units=UNITS, depth=DEPTH, dropout=0.0, seed=0):
    """Return a network for one number: `depth` hidden layers of ReLU units, with dropout after each if wanted."""
    layers = []
    for _ in range(depth):
        layers.append(nn.Dense(units, "relu", "he_normal"))
        if dropout:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential([*layers, nn.Dense(1)], seed=seed)


def train(
    data, model, optimizer=None, epochs=EPOCHS, batch_size=BATCH, watch=()
):
    """Train a network on the training set; return it as a function of inputs, and what was read on the way.

    The network learns log R in standard units of the training set; the function says log R.
    """
    y = data.y["training"]
    middle, size = y.mean(), y.std()

    def say(model, X):
        return middle + size * model.predict(X)

    follow = Follow(data, say, watch)
    model.fit(
        data.X["training"],
        (y - middle) / size,
        loss="mse",
        optimizer=optimizer or nn.Adam(0.003),
        epochs=epochs,
        batch_size=batch_size,
        callbacks=[follow],
    )
    return functools.partial(say, model), follow


def line(data):
    """Return the straight line, fitted to the training set by least squares, as a function of inputs."""
    return (
        LinearRegression().fit(data.X["training"], data.y["training"]).predict
    )


# --- what is stored -------------------------------------------------------------------------------------------------

MORE = 720  # three times as many again
WIDTHS, DEPTHS = (4, 8, 16, 32, 64, 128), (1, 2, 3)
BATCHES, STOPS = (8, 32, 240), (5, 10, 20, 50, 100, 200)
# remedy -> doses: λ, the rate of dropout, how many regions more; a dose of 0 is no remedy
DOSES = {
    "nothing": (0,),
    "penalty": (0.003, 0.01, 0.03, 0.1, 0.3),
    "decay": (0.1, 0.3, 1, 3, 10),
    "dropout": (0.1, 0.25, 0.5, 0.75),
    "more regions": (240, 720),
    "more regions, decay": (0.3, 1, 3),
    "logs": (0,),
    "logs, decay": (0.3, 1, 3, 10),
}


def remedy(name, dose, seed, watch=()):
    """Return the regions, the trained network as a function, and what was read on the way, for one remedy and dose."""
    more = {"more regions": dose, "more regions, decay": MORE}.get(name, 0)
    data = regions(seed, logs=name.startswith("logs"), more=more)
    model = network(dropout=dose if name == "dropout" else 0.0, seed=seed)
    optimizer = nn.Adam(0.003)
    if name == "penalty":
        optimizer = Penalized(0.003, dose)
    elif name.endswith("decay"):
        optimizer = nn.Adam(0.003, weight_decay=dose)
    say, follow = train(data, model, optimizer, watch={EPOCHS, *watch})
    return data, say, follow


def run_remedy(name, dose, seed):
    """Return a row of the table "remedies": the errors at the end, and where early stopping ends it."""
    data, _, follow = remedy(name, dose, seed)
    stopped = {f"stopped_{key}": value for key, value in follow.stopped.items()}
    return {**follow.at[EPOCHS], **stopped, "floor": data.floor}


def run_size(depth, units, seed):
    """Return a row of the table "sizes"."""
    data = regions(seed)
    model = network(units, depth, seed=seed)
    _, follow = train(data, model, watch=[EPOCHS])
    return {
        **follow.at[EPOCHS],
        "parameters": model.params.size,
        "floor": data.floor,
    }


def run_batch(batch_size, seed, epochs):
    """Return rows of the table "batches", one for each number of epochs."""
    data = regions(seed)
    _, follow = train(
        data,
        network(seed=seed),
        epochs=max(epochs),
        batch_size=batch_size,
        watch=epochs,
    )
    return {
        epoch: {**readings, "floor": data.floor}
        for epoch, readings in follow.at.items()
    }


CODE = (
    columns, new_regions, Regions, thousandths, three_sets, regions, Penalized, Follow, network, train, remedy,
    run_remedy, run_size, run_batch,
)  # fmt: skip


stored, made = stored_results.readers(RESULTS)


def tables(seeds, folder, workers=1):
    """Train everything for these seeds; return the three tables by name."""
    import pandas as pd

    swept = functools.partial(stored_results.swept, workers=workers)
    seeds = list(seeds)
    sizes = swept(
        run_size,
        {"depth": DEPTHS, "units": WIDTHS, "seed": seeds},
        folder / "sizes",
    )
    batches = swept(
        run_batch,
        {"batch_size": BATCHES, "seed": seeds, "epochs": STOPS},
        folder / "batches",
        shared="epochs",
    )
    remedies = [
        swept(
            run_remedy,
            {"name": [name], "dose": doses, "seed": seeds},
            folder / name.replace(", ", "_").replace(" ", "_"),
        )
        for name, doses in DOSES.items()
    ]
    return {
        "sizes": sizes,
        "batches": batches,
        "remedies": pd.concat(remedies, ignore_index=True),
    }


def main():
    """Train everything, and write the tables."""
    folder = stored_results.UNFINISHED / "overfitting"
    found = tables(SEEDS, folder)
    stored_results.store_all(found, CODE, ["scikit-learn"], RESULTS)


if __name__ == "__main__":
    main()
