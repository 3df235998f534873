"""What several chapters of the insurance project share: the split, the inputs, the formula, the source's network."""

import itertools

import numpy as np

import nnlib as nn

NUMBERS = ["age", "bmi", "children"]
CATEGORIES = ["sex", "smoker", "region"]


def split(table, share=0.15, seed=42):
    """Return training, validation and test rows, divided as in the source.

    The last rows, `share` of the table, are for validation; of the rest a random `share` is the test.
    """
    from sklearn.model_selection import train_test_split

    held = int(share * len(table))
    train, test = train_test_split(
        table[:-held], test_size=share, shuffle=True, random_state=seed
    )
    return train, table[-held:], test


def inputs(table, without=()):
    """Return an array for linear regression, a row per person: 1, the numbers, and 0 or 1 for categories.

    `without` may name "sex" and "region"; with both in, the array has nine columns.
    """
    columns = [
        np.ones(len(table)),
        table.age,
        table.bmi,
        table.children,
        table.smoker == "yes",
    ]
    if "sex" not in without:
        columns.append(table.sex == "male")
    if "region" not in without:
        # three for four regions: with all four, they would add up to the 1
        for name in ("northwest", "southeast", "southwest"):
            columns.append(table.region == name)
    return np.column_stack(columns).astype(float)


def out_of_fold(X, y, seed, k=5):
    """Predict each row by a linear regression fitted without its fold; return the predictions and the folds.

    The weights for all rows solve G w = h with G = XᵀX and h = Xᵀy. What the rows of a fold have added to both is
    subtracted, so that one pass over the table serves all folds.
    """
    G, h = X.T @ X, X.T @ y
    order = np.random.default_rng(seed).permutation(len(y))
    folds = np.array_split(order, k)
    predictions = np.empty(len(y))
    for fold in folds:
        X_f, y_f = X[fold], y[fold]
        w = np.linalg.solve(G - X_f.T @ X_f, h - X_f.T @ y_f)
        predictions[fold] = X_f @ w
    return predictions, folds


def cross_validate(X, y, seed):
    """Return the RMSE of linear regression on each of five folds, trained on the other four."""
    predictions, folds = out_of_fold(X, y, seed)
    return [nn.metrics.rmse(predictions[fold], y[fold]) for fold in folds]


def make_columns():
    """Return a transformer, not yet fitted: numbers scaled to 0..1, categories one-hot, 11 columns in all."""
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import MinMaxScaler, OneHotEncoder

    return make_column_transformer(
        (MinMaxScaler(), NUMBERS),
        (
            OneHotEncoder(sparse_output=False, handle_unknown="ignore"),
            CATEGORIES,
        ),
        verbose_feature_names_out=False,
    )


def prepare(train, *others):
    """Return (X, y) of each table; scales and categories are those of `train`. X is (rows, 11), y (rows, 1)."""
    columns = make_columns().fit(train)
    return [
        (columns.transform(table), table[["charges"]].to_numpy())
        for table in (train, *others)
    ]


def source_network(
    initializer="glorot_uniform", batch_norm=True, seed=42, units=100
):
    """Return the network of the source, 11 → 100 → 100 → 100 → 1, not yet trained.

    Batch normalization has the settings of Keras, which the source used.
    """

    def norm():
        keras = {"momentum": 0.99, "epsilon": 1e-3, "unbiased": False}
        return [nn.BatchNorm(**keras)] if batch_norm else []

    def hidden():
        return [nn.Dense(units, "relu", initializer), *norm()]

    layers = [
        *norm(),
        *hidden(),
        nn.Dropout(0.5),
        *hidden(),
        nn.Dropout(0.5),
        *hidden(),
        nn.Dense(1),
    ]
    return nn.Sequential(layers, seed=seed, dtype="float32")


def formula(table):
    """What nine persons in ten pay, in US dollars a year, to the cent.

        charges = 1072 + 3.363·age² + 589·children − 489·[male] + 1.39·bmi
                  − 200·[northwest] − 583·[southeast or southwest]
                  + [smoker]·(1500 + 489·bmi + 15000·[bmi > 30])

    The table is a simulation, and this is its rule, without the extra that the others pay; "Find the floor under every
    error" shows how to find it. It is a yardstick for errors: no chapter chooses inputs or models by it.
    """
    south = table.region.isin(["southeast", "southwest"])
    smokers_pay = 1500 + 489 * table.bmi + 15_000 * (table.bmi > 30)
    return (
        1072
        + 3.363 * table.age**2
        + 589 * table.children
        - 489 * (table.sex == "male")
        + 1.39 * table.bmi
        - 200 * (table.region == "northwest")
        - 583 * south
        + smokers_pay * (table.smoker == "yes")
    )


def groups_of(table):
    """Return {"sex female": which rows, ...}: fifteen groups by sex, smoking, region, age and BMI, all of them masks."""
    groups = {
        f"{name} {value}": (table[name] == value).to_numpy()
        for name in ("sex", "smoker", "region")
        for value in sorted(set(table[name]))
    }
    for name, title, ends in (
        ("age", "age", (17, 34, 49, 64)),
        ("bmi", "BMI", (0, 25, 30, 35, np.inf)),
    ):
        for low, high in itertools.pairwise(ends):
            label = f"{low + 1}-{high}" if name == "age" else f"to {high}"
            if np.isinf(high):
                label = f"over {low}"
            inside = (table[name] > low) & (table[name] <= high)
            groups[f"{title} {label}"] = inside.to_numpy()
    return groups


def errors_by_group(residuals, groups, coverage=0.95, draws=1000, seed=0):
    """Return a table, one row per group: how large it is, its bias and its RMSE with intervals, its share of extras.

    The bias is the mean of y - ŷ. An interval is the middle `coverage` of what comes out when the persons of the group are
    drawn again, with replacement, `draws` times. An extra is a residual above 4,000 dollars.

    Parameters
    ----------
    residuals : array (n,)
        y - ŷ of rows that the model has not seen, dollars.
    groups : dict of name to array of bool (n,)
    coverage : float
    draws, seed : int

    Returns
    -------
    DataFrame with the columns persons, bias, bias_low, bias_high, rmse, rmse_low, rmse_high, extra
    """
    import pandas as pd

    rng, rows = np.random.default_rng(seed), {}
    for name, inside in groups.items():
        r = residuals[inside]
        drawn = rng.choice(r, (draws, len(r)))
        rows[name] = {"persons": len(r), "extra": np.mean(r > 4_000)}
        for column, here, again in (
            ("bias", r.mean(), drawn.mean(axis=1)),
            ("rmse", np.mean(r**2) ** 0.5, np.mean(drawn**2, axis=1) ** 0.5),
        ):
            low, high = np.quantile(
                again, [(1 - coverage) / 2, (1 + coverage) / 2]
            )
            rows[name] |= {
                column: here,
                f"{column}_low": low,
                f"{column}_high": high,
            }
    return pd.DataFrame(rows).T
