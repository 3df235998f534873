"""The source's recipe for the digits at eight learning rates, ten seeds each, on shuffled rows and on new writers.

`python chapters/4-digits/rates_by_hand.py` runs it (ten minutes) and renews data/digits/rates_by_hand.csv, and beside it
the date and the versions.
"""

import datetime
import json
import platform
from pathlib import Path

import numpy as np

from by_hand import GradientDescent, NeuralNetwork
from nnlib.course import datasets

RATES = [0.01, 0.03, 0.1, 0.3, 1.0, 2.0, 5.0, 10.0]
STEPS = [1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 700, 1000]
SEEDS = range(10)
TABLE = Path(__file__).resolve().parents[2] / "data/digits/rates_by_hand.csv"


def splits(seed):
    """Return {"rows": the source's split, "writers": three writers held back}: (X, Y, X_test, Y_test) each.

    The split by rows is the same for every seed, that by writers is drawn anew. The pixels are scaled as in the
    source, each from its smallest to its largest value in all rows.
    """
    from sklearn.model_selection import GroupShuffleSplit, train_test_split
    from sklearn.preprocessing import MinMaxScaler

    X, Y = datasets.load_digits(flat=True)
    X = MinMaxScaler().fit_transform(X)
    by_rows = train_test_split(X, Y, test_size=0.2, random_state=42)
    by_writers = GroupShuffleSplit(1, test_size=0.2, random_state=seed)
    known, new = next(by_writers.split(X, groups=datasets.digit_writers()))
    return {
        "rows": [by_rows[i] for i in (0, 2, 1, 3)],
        "writers": [X[known], Y[known], X[new], Y[new]],
    }


def accuracy(network, X, Y):
    """Return the share of rows whose largest probability is that of the truth."""
    return np.mean(network.forward(X).argmax(axis=1) == Y.argmax(axis=1))


def run(data, rate, seed, steps=None):
    """Train as the source does: 64 sigmoid units, weights from N(0, 1), all rows in each step.

    Returns
    -------
    list of (step, training loss, test loss, test accuracy), all three after the step
    """
    X, Y, X_test, Y_test = data
    steps = STEPS if steps is None else steps
    network = NeuralNetwork(64, 64, 10, np.random.default_rng(seed))
    update, found = GradientDescent(rate), []
    for step in range(1, max(steps) + 1):
        update(network.parameters, network.backward(X, Y))
        if step in steps:
            right = accuracy(network, X_test, Y_test)
            found.append(
                (step, network.loss(X, Y), network.loss(X_test, Y_test), right)
            )
    return found


def stored():
    """Return the stored table as {(split, rate): array (seeds, steps, 3)} of both losses and the accuracy."""
    table = np.genfromtxt(
        TABLE, delimiter=",", names=True, dtype=None, encoding="utf-8"
    )
    shape = len(SEEDS), len(STEPS), 3
    columns = ["training_loss", "test_loss", "test_accuracy"]
    return {
        (split, rate): np.array(
            table[(table["split"] == split) & (table["rate"] == rate)][
                columns
            ].tolist()
        ).reshape(shape)
        for split in ("rows", "writers")
        for rate in RATES
    }


def main():
    """Run all, and store."""
    lines = ["split,rate,seed,step,training_loss,test_loss,test_accuracy"]
    for split in ("rows", "writers"):
        for rate in RATES:
            for seed in SEEDS:
                for step, *found in run(splits(seed)[split], rate, seed):
                    numbers = ",".join(f"{number:.6g}" for number in found)
                    lines.append(f"{split},{rate:g},{seed},{step},{numbers}")
            print(f"{split}, rate {rate:g}: last {numbers}", flush=True)
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    about = {
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    TABLE.with_suffix(".json").write_text(
        json.dumps(about, indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
