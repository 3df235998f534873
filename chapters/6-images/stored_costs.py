"""What a right answer costs: five models of the tissue, how often they are right in two clinics, and how long a picture takes.

`python chapters/6-images/stored_costs.py` trains the four that no other table has (two minutes; it goes on where it was stopped),
measures the times of all five in one run, and renews the tables data/images/costs.csv and times.csv. The fifth is the network of
`tissue_network.py`; its accuracy stands in clinics.csv.
"""

import sys
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import nnlib as nn
import tissue_network
from nnlib.course import datasets

PROJECT = Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "chapters" / "3-insurance"))

import stored_results  # noqa: E402
from stored_how_hard import histograms, mean_colour  # noqa: E402

RESULTS = PROJECT / "data" / "images"
SEEDS = range(10)
PICTURES, TEST_SEED = 1000, 9000  # as in stored_clinics.py
MODELS = ("mean colour", "histograms", "dense", "small windows", "windows")
# of the networks: learning rate and epochs, chosen on other pictures (seeds 50 to 52)
SETTINGS = {"dense": (1e-3, 40), "small windows": (3e-3, 40)}
AT_ONCE, REPEATS = 100, 15


def network(name, seed):
    """Return one of the three networks, untrained."""
    if name == "windows":
        return tissue_network.network(seed)
    layers = []
    if name == "small windows":
        for filters, pool in ((4, 2), (6, 2), (8, 3)):
            layers.append(
                nn.Conv2D(
                    filters, 3, activation="relu", initializer="he_normal"
                )
            )
            layers.append(nn.MaxPool2D(pool))
        layers.append(nn.Flatten())
    else:
        layers = [nn.Flatten(), nn.Dense(32, "relu", "he_normal")]
    return nn.Sequential(
        [*layers, nn.Dense(1, "sigmoid")], seed=seed, dtype="float32"
    )


def model(name, seed, learn, settings=None):
    """Return a function of pictures, trained on some: the probability of a lesion, (n, 1)."""
    if name in ("mean colour", "histograms"):
        look = mean_colour if name == "mean colour" else histograms
        logistic = make_pipeline(
            StandardScaler(), LogisticRegression(max_iter=5000)
        ).fit(look(learn.X), learn.y[:, 0])
        return lambda X: logistic.predict_proba(look(X))[:, 1:]
    net = network(name, seed)
    if settings is not None:
        rate, epochs = settings
        tissue_network.train(
            net,
            tissue_network.standardized(learn.X, learn.X),
            learn.y,
            epochs=epochs,
            learning_rate=rate,
            seed=seed,
        )
    return lambda X: net.predict(tissue_network.standardized(X, learn.X))


def parameters(name):
    """Return how many numbers a model learns."""
    if name in ("mean colour", "histograms"):
        return {"mean colour": 3, "histograms": 48}[name] + 1
    net = network(name, 0)
    net.build((28, 28, 3))
    return int(net.params.size)


def run_accuracy(name, seed):
    """Return a row of the table "costs"."""
    learn = datasets.tissue(PICTURES, seed=seed)
    say = model(name, seed, learn, SETTINGS.get(name))
    row = {"parameters": parameters(name)}
    for clinic in "AB":
        others = datasets.tissue(1000, seed=TEST_SEED, clinic=clinic)
        p = say(others.X)
        row[f"accuracy_{clinic}"] = nn.metrics.accuracy(p, others.truth)
        row[f"auc_{clinic}"] = nn.metrics.roc_auc(p, others.truth)
    return row


def measure_times():
    """Return rows of the table "times": µs a picture, in batches of 100 and one by one; the median of 15 rounds."""
    learn = datasets.tissue(AT_ONCE, seed=0)
    says = {name: model(name, 0, learn) for name in MODELS}
    found = {(name, n): [] for name in MODELS for n in (AT_ONCE, 1)}
    for _ in range(REPEATS):  # in turns, so that a busy machine is fair to all
        for name, n in found:
            start = time.process_time()
            for _ in range(5):
                says[name](learn.X[:n])
            found[name, n].append((time.process_time() - start) / 5 / n)
    return [
        {"model": name, "at_once": n, "us": 1e6 * float(np.median(seconds))}
        for (name, n), seconds in found.items()
    ]


CODE = (
    mean_colour, histograms, network, model, parameters, run_accuracy, measure_times,
    tissue_network.standardized, tissue_network.network, tissue_network.train,
)  # fmt: skip
TABLES = ("costs", "times")


stored, made = stored_results.readers(RESULTS)


def main():
    """Train and measure, and write the tables."""
    import pandas as pd

    found = stored_results.swept(
        run_accuracy,
        {"name": MODELS[:-1], "seed": list(SEEDS)},
        stored_results.UNFINISHED / "costs",
    )
    both = {
        "costs": found.rename(columns={"name": "model"}),
        "times": pd.DataFrame(measure_times()),
    }
    stored_results.store_all(both, CODE, ["scikit-learn"], RESULTS)


if __name__ == "__main__":
    main()
