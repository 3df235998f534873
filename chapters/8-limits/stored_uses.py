"""Which columns do three kinds of models use in the outbreak's countries? Asked in several ways, beside the law.

`python chapters/8-limits/stored_uses.py` chooses settings on ten countries, asks the models of twenty others (four minutes
of one core; it goes on where it was stopped), and renews the tables in data/limits that the page "See what it uses" prints.
"""

import sys
from pathlib import Path

import numpy as np

import nnlib as nn
from nnlib.course import datasets

PROJECT = Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "chapters" / "3-insurance"))

import stored_results  # noqa: E402

RESULTS = PROJECT / "data" / "limits"
SEEDS = range(20)
CHOOSING = range(100, 110)  # countries that choose the settings
LINKS = (0.0, 0.5, 1.0, 1.5)
COLUMNS = ("density", "age", "beds", "temperature", "humidity")
EFFECTS = {  # what one standard unit adds to ln R: the law
    "density": 0.20,
    "age": -0.12,
    "beds": -0.155,
    "temperature": 0.0,
    "humidity": 0.0,
}
FAMILIES = ("law", "linear", "network", "boosted")
HALF = 300  # regions to learn from, and as many new ones
SHUFFLES = 10
BLOCK = 10  # regions that are alike, for a shuffle among them
NETWORKS = [
    {"rate": rate, "epochs": epochs}
    for rate in (0.003, 0.01, 0.03, 0.1)
    for epochs in (5, 10, 20, 40)
]
TREES = [
    {"depth": depth, "rate": rate}
    for depth in (1, 2, 3, 4)
    for rate in (0.05, 0.1, 0.2, 0.4)
]
BEST = {
    "network": {"rate": 0.03, "epochs": 10},
    "boosted": {"depth": 1, "rate": 0.2},
}


def inputs(table):
    """Return the columns that were there before the virus: five in standard units, then province and measures."""
    import pandas as pd

    groups = pd.get_dummies(table[["province", "measures"]], dtype=float)
    groups = groups.drop(columns=["province_Arden", "measures_none"])
    return datasets.standard_units(table).join(groups)


def country(seed, link=1.0):
    """Return (X, y, law) of 300 regions to learn from, and of 300 others; law is ln R without chance."""
    world = datasets.outbreak(2 * HALF, seed=seed, link=link)
    X = inputs(world.table).to_numpy()
    y = np.log(world.table["R"].to_numpy())
    law = world.truth["expected"].to_numpy()
    return [
        (X[part], y[part], law[part])
        for part in (slice(HALF), slice(HALF, None))
    ]


def fitted(family, X, y, seed=0, settings=None):
    """Return a trained model's function from rows to predictions."""
    from sklearn.ensemble import GradientBoostingRegressor
    from sklearn.linear_model import LinearRegression

    settings = settings or BEST.get(family)
    if family == "linear":
        return LinearRegression().fit(X, y).predict
    if family == "boosted":
        return (
            GradientBoostingRegressor(
                n_estimators=100,
                max_depth=settings["depth"],
                learning_rate=settings["rate"],
                subsample=0.7,
                random_state=seed,
            )
            .fit(X, y)
            .predict
        )
    model = nn.Sequential(
        [nn.Dense(16, "relu", "he_normal"), nn.Dense(1)], seed=seed
    )
    model.fit(
        X,
        y[:, None],
        loss="mse",
        optimizer=nn.Adam(settings["rate"]),
        epochs=settings["epochs"],
    )
    return lambda rows: model.predict(rows)[:, 0]


def law_of(X, law):
    """Return the law as a model: a straight line through values without chance, which it meets exactly."""
    return fitted("linear", X, law)


# Ways to ask


def shuffled(X, columns, rng, groups=None):
    """Return X with columns in another order, side by side; only within groups if there are any."""
    order = np.arange(len(X))
    parts = [order] if groups is None else groups
    for rows in parts:
        order[rows] = rng.permutation(order[rows])
    X = X.copy()
    X[:, columns] = X[order][:, columns]
    return X


def alike(X, column):
    """Return groups of ten regions for which the other columns let one expect about the same value."""
    others = np.delete(X, column, axis=1)
    expected = fitted("linear", others, X[:, column])(others)
    by_size = np.argsort(expected, kind="stable")
    return np.split(by_size, len(X) // BLOCK)


def growth(predict, X, y, columns, rng, groups=None):
    """Return by how much the mean squared error grows when columns are shuffled: permutation importance."""
    before = np.mean((predict(X) - y) ** 2)
    after = [
        np.mean((predict(shuffled(X, columns, rng, groups)) - y) ** 2)
        for _ in range(SHUFFLES)
    ]
    return np.mean(after) - before


def edges(x, intervals=10):
    """Return the limits of intervals with equally many rows."""
    return np.unique(np.quantile(x, np.linspace(0, 1, intervals + 1)))


def dependence(predict, X, column, grid):
    """Return the lines of all rows, (rows, grid), with one column set to each value; partial dependence is their mean."""
    lines = []
    for value in grid:
        rows = X.copy()
        rows[:, column] = value
        lines.append(predict(rows))
    return np.transpose(lines)


def by_neighbours(predict, X, column, grid):
    """Return the mean prediction of the rows between two values, at the middle of both: (middles, means)."""
    place = np.clip(np.searchsorted(grid, X[:, column]) - 1, 0, len(grid) - 2)
    says = predict(X)
    means = [says[place == k].mean() for k in range(len(grid) - 1)]
    return (grid[1:] + grid[:-1]) / 2, np.array(means)


def accumulated(predict, X, column, grid):
    """Return the accumulated local effects at the grid's values; the first is 0."""
    place = np.clip(np.searchsorted(grid, X[:, column]) - 1, 0, len(grid) - 2)
    low, high = X.copy(), X.copy()
    low[:, column], high[:, column] = grid[place], grid[place + 1]
    steps = predict(high) - predict(low)
    means = [steps[place == k].mean() for k in range(len(grid) - 1)]
    return np.concatenate([[0], np.cumsum(means)])


def line_off(grid, curve, effect):
    """Return slope of a curve, and root mean square of how far it is from the law's straight line (both centred)."""
    slope = np.polyfit(grid, curve, 1)[0]
    off = (curve - curve.mean()) - effect * (grid - grid.mean())
    return slope, np.sqrt(np.mean(off**2))


# The runs


def run_choose(family, setting, seed):
    """Return a row of "uses_settings": the error of one setting in new regions of a country that chooses."""
    (X, y, _), (V, v, _) = country(seed)
    settings = {"network": NETWORKS, "boosted": TREES}[family][setting]
    predict = fitted(family, X, y, seed, settings)
    return {"mse": 1000 * np.mean((predict(V) - v) ** 2)}


def run_asked(family, link, seed):
    """Return rows of "uses_asked": each column of one model, asked in every way; squares in thousandths."""
    (X, y, law), (Z, z, true) = country(seed, link)
    judge = law_of(X, law)
    wanted, target = (true, law) if family == "law" else (z, y)
    kind = "linear" if family == "law" else family
    predict = fitted(kind, X, target, seed)
    base = np.mean((predict(Z) - wanted) ** 2)

    def off(rows):
        return np.sqrt(np.mean((predict(rows) - judge(rows)) ** 2))

    found = []
    for k, column in enumerate(COLUMNS):
        rng = np.random.default_rng([seed, k])
        groups = alike(Z, k)
        less = fitted(kind, np.delete(X, k, axis=1), target, seed)
        without = np.mean((less(np.delete(Z, k, axis=1)) - wanted) ** 2)
        grid = edges(Z[:, k])
        asked = {
            "column": column,
            "mse": 1000 * base,
            "shuffled": 1000 * growth(predict, Z, wanted, [k], rng),
            "similar": 1000 * growth(predict, Z, wanted, [k], rng, groups),
            "dropped": 1000 * (without - base),
            "off": off(Z),
            "off_shuffled": np.mean(
                [off(shuffled(Z, [k], rng)) for _ in range(SHUFFLES)]
            ),
            "off_similar": np.mean(
                [off(shuffled(Z, [k], rng, groups)) for _ in range(SHUFFLES)]
            ),
        }
        curves = {
            "neighbours": by_neighbours(predict, Z, k, grid),
            "pd": (grid, dependence(predict, Z, k, grid).mean(axis=0)),
            "ale": (grid, accumulated(predict, Z, k, grid)),
        }
        for name, (at, curve) in curves.items():
            slope, miss = line_off(at, curve, EFFECTS[column])
            asked |= {f"{name}_slope": slope, f"{name}_off": miss}
        found.append(asked)
    return found


def run_together(family, columns, seed):
    """Return a row of "uses_together": columns shuffled side by side, and the sum of each shuffled alone."""
    (X, y, law), (Z, z, true) = country(seed)
    wanted, target = (true, law) if family == "law" else (z, y)
    predict = fitted("linear" if family == "law" else family, X, target, seed)
    numbers = [COLUMNS.index(name) for name in columns.split(" and ")]
    rng = np.random.default_rng(seed)
    return {
        "together": 1000 * growth(predict, Z, wanted, numbers, rng),
        "alone": 1000
        * sum(growth(predict, Z, wanted, [k], rng) for k in numbers),
    }


def run_hidden(family, hidden, seed):
    """Return rows of "uses_hidden": slopes and importances when some columns were not recorded."""
    (X, y, _), (Z, z, _) = country(seed)
    away = [k for k, name in enumerate(COLUMNS) if name in hidden]
    X, Z = np.delete(X, away, axis=1), np.delete(Z, away, axis=1)
    predict = fitted(family, X, y, seed)
    found = []
    left = [name for name in COLUMNS if name not in hidden]
    for k, column in enumerate(left):
        rng = np.random.default_rng([seed, k])
        grid, groups = edges(Z[:, k]), alike(Z, k)
        curve = dependence(predict, Z, k, grid).mean(axis=0)
        row = {
            "column": column,
            "slope": np.polyfit(grid, curve, 1)[0],
            "shuffled": 1000 * growth(predict, Z, z, [k], rng),
            "similar": 1000 * growth(predict, Z, z, [k], rng, groups),
        }
        found.append(row)
    return found


def run_twins(family, start):
    """Return a row of "uses_twins": the density twice, in one country, from one start of the model."""
    (X, y, _), (Z, z, _) = country(0)
    X, Z = np.column_stack([X[:, 0], X]), np.column_stack([Z[:, 0], Z])
    predict = fitted(family, X, y, start)
    found = {"mse": 1000 * np.mean((predict(Z) - z) ** 2)}
    for name, numbers in (("first", [0]), ("second", [1]), ("both", [0, 1])):
        rng = np.random.default_rng(start)
        found[name] = 1000 * growth(predict, Z, z, numbers, rng)
    return found


def run_noise(epochs, seed):
    """Return a row of "uses_noise": ten columns of chance, a network of 100 rows; importance on old and on new rows."""
    (X, y, _), (Z, z, _) = country(seed)
    chance = np.random.default_rng(seed).standard_normal((2 * HALF, 10))
    X, Z = (
        np.column_stack([chance[:HALF], X]),
        np.column_stack([chance[HALF:], Z]),
    )
    X, y = X[:100], y[:100]
    predict = fitted("network", X, y, seed, {"rate": 0.03, "epochs": epochs})
    rng = np.random.default_rng(seed)
    found = {}
    for part, rows, values in (("old", X, y), ("new", Z, z)):
        found[f"{part}_mse"] = 1000 * np.mean((predict(rows) - values) ** 2)
        alone = [growth(predict, rows, values, [k], rng) for k in range(11)]
        found[f"{part}_chance"] = 1000 * np.mean(alone[:10])
        found[f"{part}_density"] = 1000 * alone[10]
    return found


CODE = (
    inputs, country, fitted, law_of, shuffled, alike, growth, edges, dependence, by_neighbours, accumulated, line_off,
    run_choose, run_asked, run_together, run_hidden, run_twins, run_noise,
)  # fmt: skip


stored, made = stored_results.readers(RESULTS)


def tables(folder, seeds=SEEDS):
    """Ask everything; return the tables by name."""
    import pandas as pd

    swept = stored_results.swept
    seeds = list(seeds)
    settings = [
        swept(
            run_choose,
            {
                "family": [family],
                "setting": list(range(len(tried))),
                "seed": list(CHOOSING),
            },
            folder / f"choose_{family}",
        )
        for family, tried in (("network", NETWORKS), ("boosted", TREES))
    ]
    pairs = ["density and age", "density and beds"]
    hidden = ["nothing", "density and age"]
    return {
        "uses_settings": pd.concat(settings, ignore_index=True),
        "uses_asked": swept(
            run_asked,
            {"family": FAMILIES, "link": LINKS, "seed": seeds},
            folder / "asked",
        ),
        "uses_together": swept(
            run_together,
            {"family": FAMILIES, "columns": pairs, "seed": seeds},
            folder / "together",
        ),
        "uses_hidden": swept(
            run_hidden,
            {"family": FAMILIES[1:], "hidden": hidden, "seed": seeds},
            folder / "hidden",
        ),
        "uses_twins": swept(
            run_twins,
            {"family": FAMILIES[1:], "start": seeds},
            folder / "twins",
        ),
        "uses_noise": swept(
            run_noise,
            {"epochs": [10, 30, 300], "seed": seeds},
            folder / "noise",
        ),
    }


def main():
    """Ask everything, and write the tables."""
    found = tables(stored_results.UNFINISHED / "uses")
    stored_results.store_all(found, CODE, ("scikit-learn",), RESULTS)


if __name__ == "__main__":
    main()
