"""Ten worlds of the last page's project, worked on properly and with slips: what was promised, and what came.

    python chapters/8-limits/stored_own.py

Some two minutes on one core; it goes on where it was stopped. The tables are data/limits/own_slips.csv and own_few.csv.
"""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "3-insurance")]

import model_solution  # noqa: E402
import nnlib as nn  # noqa: E402
import stored_results  # noqa: E402
from nnlib.course import datasets  # noqa: E402
from own_data import cross_entropy  # noqa: E402

RESULTS = stored_results.PROJECT / "data" / "limits"
SEEDS = range(1, 11)  # the reader's world is that of seed 0
SLIPS = ("none", "from the future", "patients in both", "as it comes")
KINDS = ("base rate", "line", "network", "trees")
TREES = (0.03, 0.1)  # learning rates
FEW_SEEDS = range(20)
FEW_RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
FEW = {"line": (), "network": (46,)}


def inputs(slip, training, others):
    """Return the inputs of both, as `model_solution.prepare` makes them; after one slip with a column more."""
    pair = model_solution.prepare(training, others)
    if slip != "from the future":
        return pair
    seen = np.log(training.entries)
    extra = [
        (np.log(rows.entries) - seen.mean()) / seen.std()
        for rows in (training, others)
    ]
    return [
        np.column_stack([X, more]) for X, more in zip(pair, extra, strict=True)
    ]


def parts(world, slip):
    """Return training, validation and test rows."""
    table, later = (model_solution.clean(t) for t in (world.table, world.later))
    raw = [world.table, world.later]
    training, validation, test = model_solution.split(table, later)
    if slip == "patients in both":  # validation rows drawn from all rows
        order = np.random.default_rng(0).permutation(len(table))
        size = len(validation)
        validation, training = (
            table.iloc[order[:size]],
            table.iloc[order[size:]],
        )
    if slip == "as it comes":
        training, validation = (
            raw[0][raw[0].patient.isin(rows.patient)]
            for rows in (training, validation)
        )
        test = raw[1][raw[1].patient.isin(test.patient)]
    return training, validation, test


def candidates(kind, X, y, seed):
    """Yield functions from inputs to probabilities, one for each setting."""
    if kind == "base rate":
        share = np.mean(y)
        yield lambda Z: np.full(len(Z), share)
    elif kind == "trees":
        from sklearn.ensemble import HistGradientBoostingClassifier

        for rate in TREES:
            trees = HistGradientBoostingClassifier(
                learning_rate=rate, max_leaf_nodes=8, random_state=0
            ).fit(X, y)
            yield lambda Z, trees=trees: trees.predict_proba(Z)[:, 1]
    else:
        for rate, epochs in model_solution.SETTINGS:
            model = model_solution.fitted(kind, X, y, rate, epochs, seed)
            yield lambda Z, model=model: model.predict(Z)[:, 0]


def run_slip(slip, kind, seed):
    """Return a row of the table "own_slips": the loss that the validation rows promise, and that of the later test."""
    world = datasets.admissions(seed=seed)
    training, validation, test = parts(world, slip)
    X, V = inputs(slip, training, validation)
    _, Z = inputs(slip, training, test)
    y, v = training.readmitted == "yes", validation.readmitted == "yes"
    came_back = world.truth.readmitted[test.admission].to_numpy()
    promised, delivered = min(
        (
            (cross_entropy(say(V), v), cross_entropy(say(Z), came_back))
            for say in candidates(kind, X, y, seed)
        ),
        key=lambda pair: pair[0],
    )
    return {
        "rows": len(training),
        "promised": promised,
        "delivered": delivered,
        "floor_promised": world.floor(validation.admission),
        "floor": world.floor(test.admission),
    }


def patients(rows, rng):
    """Sixty patients and their like, as "Choose a network" draws them: a weighted sum of eight columns, and chance."""
    X = rng.standard_normal((rows, 8))
    weights = np.array([2, -1.5, 1, 1, -1, 0.5, 0, 0])
    return X, X @ weights + 2 * rng.standard_normal(rows) > 0


def run_few(rows, kind, rate, seed):
    """Return a row of the table "own_few": the shares that are right on 300 validation and 1,000 new patients."""
    rng = np.random.default_rng(seed)
    (X, y), *others = [patients(n, rng) for n in (rows, 300, 1000)]
    hidden = [nn.Dense(units, "relu", "he_normal") for units in FEW[kind]]
    model = nn.Sequential([*hidden, nn.Dense(1, "sigmoid")], seed=seed)
    adam, goal = nn.Adam(rate), y[:, None].astype(float)
    model.fit(X, goal, loss="binary_crossentropy", optimizer=adam, epochs=60)
    validation, new = (
        np.mean((model.predict(A)[:, 0] > 0.5) == b) for A, b in others
    )
    return {"validation": validation, "new": new}


CODE = (
    inputs, parts, candidates, run_slip, patients, run_few, cross_entropy,
    model_solution.letters, model_solution.clean, model_solution.split, model_solution.prepare, model_solution.fitted,
    datasets.admissions,
)  # fmt: skip


stored, made = stored_results.readers(RESULTS)


def tables(seeds, few_seeds, folder, workers=1):
    """Train everything for these seeds; return both tables by name."""
    slips = {"slip": SLIPS, "kind": KINDS, "seed": list(seeds)}
    few = {
        "rows": [60],
        "kind": list(FEW),
        "rate": FEW_RATES,
        "seed": list(few_seeds),
    }
    return {
        "own_slips": stored_results.swept(
            run_slip, slips, folder / "slips", workers=workers
        ),
        "own_few": stored_results.swept(
            run_few, few, folder / "few", workers=workers
        ),
    }


def main():
    """Train everything, and write the tables."""
    found = tables(SEEDS, FEW_SEEDS, stored_results.UNFINISHED / "own")
    stored_results.store_all(
        found, CODE, packages=("pandas", "scikit-learn"), folder=RESULTS
    )


if __name__ == "__main__":
    main()
