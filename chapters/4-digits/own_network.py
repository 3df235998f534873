"""The gaps that the source leaves to its reader, filled for the network by hand, and what each of them is worth.

`python chapters/4-digits/own_network.py` trains it all, ten seeds on either split (minutes), and renews
data/digits/own_network.csv, and beside it the date and the versions.
"""

import datetime
import json
import platform
from pathlib import Path

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from by_hand import GradientDescent, NeuralNetwork, Trainer
from nnlib.course.datasets import digit_writers, load_digits

TABLE = Path(__file__).resolve().parents[2] / "data/digits/own_network.csv"
SEEDS = range(10)
NOISES = (0, 0.15, 0.3, 0.45)
SETTINGS = {"batch_size": 32, "rate": 0.003, "patience": 20, "epochs": 120}
TRIALS = {  # of the trainer, with noise 0.3; the page offers them to each split, too
    "trial 64": {
        "batch_size": 64,
        "rate": 0.005,
        "patience": 10,
        "epochs": 100,
    },
    "trial 100": {
        "batch_size": 100,
        "rate": 0.01,
        "patience": 10,
        "epochs": 80,
    },
}

# f(z), and its slope as a function of the output a = f(z)
RELU = (lambda z: np.maximum(z, 0), lambda a: (a > 0).astype(float))


def he_normal(fan_in, fan_out, rng):
    """Draw weights (fan_in, fan_out) with mean 0 and variance 2/fan_in (He et al. 2015)."""
    return np.sqrt(2 / fan_in) * rng.standard_normal((fan_in, fan_out))


class Adam:
    """parameter ← parameter - η m̂/(√v̂ + ε), in place (Kingma & Ba 2015).

    Parameters
    ----------
    learning_rate : float
    beta1, beta2 : float
        How much the averages of the gradients, and of their squares, keep in each step.
    epsilon : float
    """

    def __init__(
        self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8
    ):
        self.learning_rate, self.epsilon = learning_rate, epsilon
        self.beta1, self.beta2 = beta1, beta2
        self.t, self.m, self.v = 0, {}, {}

    def __call__(self, parameters, gradients):
        """Take one step: change the arrays in the dict `parameters`; `gradients` has the same names."""
        self.t += 1
        for name, g in gradients.items():
            m, v = self.m.get(name, 0), self.v.get(name, 0)
            self.m[name] = m = self.beta1 * m + (1 - self.beta1) * g
            self.v[name] = v = self.beta2 * v + (1 - self.beta2) * g**2
            m, v = m / (1 - self.beta1**self.t), v / (1 - self.beta2**self.t)
            parameters[name] -= (
                self.learning_rate * m / (np.sqrt(v) + self.epsilon)
            )


class NoisyNetwork(NeuralNetwork):
    """A network by hand that learns from noisy pictures: X + noise · N(0, 1), drawn anew in each step.

    Only `backward` adds noise, so the loss and the predictions are those of the pictures as they are.
    """

    def __init__(self, inputs, hidden, outputs, rng, *, noise=0.0, **options):
        super().__init__(inputs, hidden, outputs, rng, **options)
        self.noise, self.rng = noise, rng

    def backward(self, X, Y):
        """Return the gradients for a noisy copy of X."""
        if self.noise:
            X = X + self.noise * self.rng.standard_normal(X.shape)
        return super().backward(X, Y)


def shuffled_batches(n, size, rng):
    """List the row numbers of each step of an epoch: 0 to n - 1, newly shuffled, `size` at a time."""
    order = rng.permutation(n)
    return [order[start : start + size] for start in range(0, n, size)]


def epoch_to_keep(losses, patience):
    """Return the epoch, from 1, with the lowest loss before `patience` epochs have passed without a lower one."""
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        if epoch - best >= patience:
            break
    return best + 1


def split(kind, seed):
    """Return training, validation and test rows: three arrays of row numbers.

    Parameters
    ----------
    kind : "rows" or "writers"
        Rows drawn at random, with the same share of each digit in each part; or whole writers: three to test, two to
        validate, and nine to train with.
    """
    writers, labels = digit_writers(), load_digits(one_hot=False)[1][:, 0]
    if kind == "rows":
        options = {"test_size": 0.2, "random_state": seed}
        every = np.arange(len(labels))
        known, test = train_test_split(every, stratify=labels, **options)
        train, held = train_test_split(known, stratify=labels[known], **options)
        return train, held, test
    known, test = next(
        GroupShuffleSplit(1, test_size=0.2, random_state=seed).split(
            writers, groups=writers
        )
    )
    train, held = next(
        GroupShuffleSplit(1, test_size=2, random_state=seed).split(
            known, groups=writers[known]
        )
    )
    return known[train], known[held], test


def new_network(seed, noise=0.0, activation=RELU, initializer=he_normal):
    """Return an untrained network of 64 inputs, 64 hidden units and ten classes, and its generator."""
    rng = np.random.default_rng(seed)
    network = NoisyNetwork(
        64,
        64,
        10,
        rng,
        noise=noise,
        activation=activation,
        initializer=initializer,
    )
    return network, rng


def accuracy(network, X, Y):
    """Return the share of rows whose largest probability is that of the truth."""
    return float(np.mean(network.forward(X).argmax(1) == Y.argmax(1)))


def train(X, Y, rows, seed, noise, epochs, *, held=None, update=None, settings):
    """Train a new network on some rows, early stopping where validation rows are held; return network and trainer."""
    network, rng = new_network(seed, noise)
    trainer = Trainer(
        network,
        Adam(settings["rate"]) if update is None else update,
        settings["batch_size"],
        rng,
        None if held is None else settings["patience"],
    )
    validation = None if held is None else (X[held], Y[held])
    return network, trainer.train(X[rows], Y[rows], epochs, validation)


def stop_and_repeat(X, Y, parts, seed, noise, settings=SETTINGS):
    """Stop early on the validation rows; then begin again with them, for as many epochs as had been best.

    Returns
    -------
    list of (step, epochs, loss and accuracy on the validation rows, accuracy on the test rows)
    """
    rows, held, test = parts
    most = settings["epochs"]
    network, trainer = train(
        X, Y, rows, seed, noise, most, held=held, settings=settings
    )
    losses = trainer.validation_losses
    epochs = epoch_to_keep(losses, settings["patience"])
    known = min(losses), accuracy(network, X[held], Y[held])
    stopped = accuracy(network, X[test], Y[test])
    every = np.concatenate([rows, held])
    network, _ = train(X, Y, every, seed, noise, epochs, settings=settings)
    again = accuracy(network, X[test], Y[test])
    return [
        ("early stopping", epochs, *known, stopped),
        ("rows back", epochs, *known, again),
    ]


def ladder(kind, seed):
    """Return a row of the stored table for each step, with one split and seed."""
    X, Y = load_digits(flat=True)
    parts = split(kind, seed)
    rows, held, test = parts
    rows = np.concatenate([rows, held])
    found, epochs = [], SETTINGS["epochs"]
    for step, update in (("batches", GradientDescent(0.1)), ("Adam", None)):
        network, _ = train(
            X, Y, rows, seed, 0, epochs, update=update, settings=SETTINGS
        )
        right = accuracy(network, X[test], Y[test])
        found.append((kind, seed, step, 0, epochs, None, None, right))
    for noise in NOISES:
        for step, *numbers in stop_and_repeat(X, Y, parts, seed, noise):
            found.append((kind, seed, step, noise, *numbers))
    return found + trials(kind, seed)


def trials(kind, seed):
    """Return the rows of the stored table for the trainer's other settings."""
    X, Y = load_digits(flat=True)
    parts = split(kind, seed)
    found = []
    for name, settings in TRIALS.items():
        _, (_, *numbers) = stop_and_repeat(X, Y, parts, seed, 0.3, settings)
        found.append((kind, seed, name, 0.3, *numbers))
    return found


COLUMNS = [
    "split",
    "seed",
    "step",
    "noise",
    "epochs",
    "validation_loss",
    "validation_accuracy",
    "test_accuracy",
]


def stored():
    """Return the stored table, a row for each split, seed, step and noise."""
    import pandas as pd

    return pd.read_csv(TABLE)


def main():
    """Train all of it, and write the table whole."""
    import pandas as pd

    found = []
    for kind in ("rows", "writers"):
        for seed in SEEDS:
            found += ladder(kind, seed)
            print(kind, seed, flush=True)
    table = pd.DataFrame(found, columns=COLUMNS)
    table.to_csv(TABLE, index=False, float_format="%.6g")
    about = {
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    TABLE.with_suffix(".json").write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
