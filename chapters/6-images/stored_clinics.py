"""A network that learned in clinic A, in other clinics: what changes, what helps, and what wrong labels cost; ten seeds.

`python chapters/6-images/stored_clinics.py` trains them all (eight minutes; it goes on where it was stopped) and renews the
tables of data/images that the page "Go to another clinic" reads. One training takes nine seconds.
"""

import functools
import sys
from pathlib import Path

import numpy as np

import nnlib as nn
import tissue_network
from nnlib.course import augment, datasets
from nnlib.course.datasets.tissue import CLINICS

PROJECT = Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "chapters" / "3-insurance"))

import stored_results  # noqa: E402

RESULTS = PROJECT / "data" / "images"
SEEDS = range(10)
PICTURES, EPOCHS = 1000, 40
TEST_SEED = 9000  # of the 1,000 test pictures: the same tissue in every clinic
LABELLED, OWN = 50, 200  # pictures of clinic B with labels; others without
SPREAD = 0.1  # of the factors that the colours' densities get: standard deviation of the logarithm
TUNE_EPOCHS, TUNE_RATE, TUNE_BATCH = 10, 3e-4, 10

TRAINED = ("A", "A, recoloured", "A and B", "50 of B")
PARTS = {
    "stain": ("stain", "strength"),
    "light": ("light",),
    "blur": ("blur",),
    "noise": ("noise", "grain"),
}
FARTHER = {"halfway": 0.5, "farther": 1.5, "twice as far": 2.0}
RARE = 0.1  # share of lesions in the views called rare
VIEWS = (
    "A", *PARTS, "B", *FARTHER, "B, own scale", "B, shifted", "B, tuned",
    "A, tuned", "B, rare", "B, rare, own scale",
)  # fmt: skip
SHOWN = 12  # the first test pictures, whose answers are kept one by one


def clinic(view):
    """Return the clinic that a view looks into, as `tissue` takes it: A with some of B's parameters, or beyond B."""
    place = view.partition(",")[0]
    if place in CLINICS:
        return place
    if place in PARTS:
        return {key: CLINICS["B"][key] for key in PARTS[place]}
    return between(FARTHER[place])


def between(share):
    """Return a clinic whose every parameter lies this share of the way from A to B; above 1 it lies beyond B."""
    made = {}
    for key, at_a in CLINICS["A"].items():
        a, b = np.array(at_a), np.array(CLINICS["B"][key])
        made[key] = (a + share * (b - a)).tolist()
    return made


def recoloured(X, rng, spread=SPREAD):
    """Return pictures whose optical density, −log X, is multiplied by a random factor for each picture and colour.

    Parameters
    ----------
    X : ndarray, shape (n, height, width, 3)
        Red, green and blue from 0 to 1.
    rng : numpy.random.Generator
    spread : float
        Standard deviation of the factors' logarithm.
    """
    factors = np.exp(spread * rng.standard_normal((len(X), 1, 1, 3)))
    return X**factors


def logits(p):
    """Return log(p/(1 − p)) of probabilities, kept from infinity."""
    p = np.clip(np.asarray(p, dtype=float), 1e-9, 1 - 1e-9)
    return np.log(p / (1 - p))


def sigmoid(z):
    """Return 1/(1 + exp(−z))."""
    return 1 / (1 + np.exp(-np.clip(z, -700, 700)))


def shift(z, y):
    """Return the number b with mean σ(z + b) = mean y, by bisection: as many lesions are said as there are.

    Of all shifts this one has the lowest binary cross-entropy.
    """
    low, high = -50.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        if sigmoid(z + middle).mean() < np.mean(y):
            low = middle
        else:
            high = middle
    return (low + high) / 2


@functools.cache
def pictures(place, prevalence):
    """Return 1,000 test pictures of a clinic (the name of a view)."""
    return datasets.tissue(
        1000, seed=TEST_SEED, clinic=clinic(place), prevalence=prevalence
    )


@functools.cache
def labelled(seed):
    """Return the 50 labelled pictures of clinic B."""
    return datasets.tissue(LABELLED, seed=40_000 + seed, clinic="B")


@functools.lru_cache(maxsize=2)
def trained(kind, seed):
    """Return a trained network, and the pictures by whose colours its inputs are standardized."""
    if kind == "50 of B":
        X, y = labelled(seed).X, labelled(seed).y
    else:
        made = datasets.tissue(PICTURES, seed=seed)
        X, y = made.X, made.y
    if kind == "A and B":  # the second half was photographed in B
        X = X.copy()
        X[PICTURES // 2 :] = datasets.tissue(PICTURES, seed=seed, clinic="B").X[
            PICTURES // 2 :
        ]
    model, rng = tissue_network.network(seed), np.random.default_rng(seed)
    if kind != "A, recoloured":
        tissue_network.train(
            model,
            tissue_network.standardized(X, X),
            y,
            epochs=EPOCHS,
            seed=seed,
        )
        return model, X
    optimizer = nn.Adam(3e-3)
    for _ in range(EPOCHS):  # what `train` does, with other colours each time
        new = tissue_network.standardized(recoloured(X, rng), X)
        model.fit(
            augment.quarter_turns(augment.flip(new, rng), rng),
            y,
            loss="binary_crossentropy",
            optimizer=optimizer,
            epochs=1,
            batch_size=32,
        )
    return model, X


def tuned(model, scale, seed):
    """Return a copy of the network that went on learning, on the 50 labelled pictures of clinic B."""
    copy = tissue_network.network(seed)
    copy.build((28, 28, 3))
    copy.set_weights(model.get_weights())
    tissue_network.train(
        copy,
        tissue_network.standardized(labelled(seed).X, scale),
        labelled(seed).y,
        epochs=TUNE_EPOCHS,
        learning_rate=TUNE_RATE,
        batch_size=TUNE_BATCH,
        seed=seed,
    )
    return copy


def answers(kind, seed, view):
    """Return what a network says of the test pictures of a view, and the truth, (1000, 1) each."""
    place, _, remedy = view.partition(", ")
    model, scale = trained(kind, seed)
    prevalence = RARE if "rare" in remedy else 0.5
    shown = pictures(place, prevalence)
    if "own scale" in remedy:  # 200 pictures of this clinic, without labels
        scale = datasets.tissue(
            OWN,
            seed=50_000 + seed,
            clinic=clinic(place),
            prevalence=prevalence,
        ).X
    if remedy == "tuned":
        model = tuned(model, scale, seed)
    p = model.predict(tissue_network.standardized(shown.X, scale))
    if remedy == "shifted":
        few = labelled(seed)
        said = model.predict(tissue_network.standardized(few.X, scale))
        p = sigmoid(logits(p) + shift(logits(said), few.y))
    return p, shown.truth


def tenths(p, y):
    """Return for each tenth of the probabilities: how many pictures, their mean probability, how many lesions."""
    place = np.minimum((p * 10).astype(int), 9).ravel()
    count = np.bincount(place, minlength=10)
    said = np.bincount(place, p.ravel(), 10) / np.maximum(count, 1)
    came = np.bincount(place, y.ravel(), 10)
    return [
        {"pictures": int(n), "said": float(s), "lesions": int(c)}
        for n, s, c in zip(count, said, came, strict=True)
    ]


def run_view(trained, seed, view):
    """Return a row of the table "clinics", with the tenths and the answers to single pictures beside it."""
    p, y = answers(trained, seed, view)
    lesion = y == 1
    return {
        "accuracy": nn.metrics.accuracy(p, y),
        "auc": nn.metrics.roc_auc(p, y),
        "found": float((p[lesion] >= 0.5).mean()),
        "alarms": float((p[~lesion] >= 0.5).mean()),
        "sure": float(np.maximum(p, 1 - p).mean()),
        "calibration_error": nn.metrics.calibration_error(p, y),
        "tenths": tenths(p, y),
        "says": [float(one) for one in p[:SHOWN, 0]],
    }


# --- wrong labels -----------------------------------------------------------------------------------------------------

FEW, LABEL_EPOCHS = 400, 30
LABELS = (("none", 0.0), ("any", 0.2), ("any", 0.4), ("faint", 0.2))


def run_labels(kind, seed):
    """Return a row of the table "labels": a network from 400 pictures, some labels wrong, judged by the truth and by such labels."""
    noise_on, share = LABELS[kind]
    how = {
        "label_noise": share,
        "noise_on": "any" if noise_on == "none" else noise_on,
    }
    learn = datasets.tissue(FEW, seed=seed, **how)
    model = tissue_network.network(seed)
    tissue_network.train(
        model,
        tissue_network.standardized(learn.X, learn.X),
        learn.y,
        epochs=LABEL_EPOCHS,
        seed=seed,
    )
    others = datasets.tissue(1000, seed=TEST_SEED, **how)
    p = model.predict(tissue_network.standardized(others.X, learn.X))
    lesion = others.truth == 1
    return {
        "noise_on": noise_on,
        "share": share,
        "wrong": float((learn.y != learn.truth).mean()),
        "truth": nn.metrics.accuracy(p, others.truth),
        "labels": nn.metrics.accuracy(p, others.y),
        "found": float((p[lesion] >= 0.5).mean()),
        "alarms": float((p[~lesion] >= 0.5).mean()),
    }


CODE = (
    clinic, between, recoloured, logits, sigmoid, shift, pictures, labelled, trained, tuned, answers, tenths,
    run_view, run_labels, tissue_network.standardized, tissue_network.network, tissue_network.train,
)  # fmt: skip
TABLES = ("clinics", "clinics_tenths", "clinics_says", "labels")


stored, made = stored_results.readers(RESULTS)


def tables(seeds, folder):
    """Train everything for these seeds; return the tables by name."""
    import pandas as pd

    seeds = list(seeds)
    views = stored_results.swept(
        run_view,
        {"trained": TRAINED, "seed": seeds, "view": VIEWS},
        folder / "clinics",
    )
    labels = stored_results.swept(
        run_labels,
        {"kind": list(range(len(LABELS))), "seed": seeds},
        folder / "labels",
    )
    by = ["trained", "seed", "view"]
    home = views[views.trained == "A"]
    parts = pd.DataFrame([
        {"seed": row.seed, "view": row.view, "tenth": k, **part}
        for row in home.itertuples()
        if row.view in ("A", "B", "B, shifted")
        for k, part in enumerate(row.tenths)
    ])  # fmt: skip
    says = pd.DataFrame([
        {"trained": kind, "view": view, "picture": k, "says": one}
        for (kind, view), rows in views.groupby(["trained", "view"], sort=False)
        if kind in TRAINED[:2] and "," not in view
        for k, one in enumerate(np.mean(rows.says.tolist(), axis=0))
    ])  # fmt: skip
    measures = views.drop(columns=["tenths", "says"])
    return {
        "clinics": measures.sort_values(by, key=_order, kind="stable"),
        "clinics_tenths": parts,
        "clinics_says": says,
        "labels": labels.drop(columns="kind"),
    }


def _order(column):
    """Keep the order in which the kinds and views are listed."""
    for names in (TRAINED, VIEWS):
        if column.isin(names).all():
            return column.map(names.index)
    return column


def main():
    """Train everything, and write the tables."""
    folder = stored_results.UNFINISHED / "clinics"
    stored_results.store_all(tables(SEEDS, folder), CODE, folder=RESULTS)


if __name__ == "__main__":
    main()
