"""Digits turned, and four other kinds of strangers: how often models are right there, and how sure they say they are.

`python chapters/8-limits/stored_turn.py` trains the models of ten seeds and renews the tables in data/limits that the page
"Show it something else" prints (four and a half minutes of one core; it goes on where it was stopped). The page trains one network.
"""

import functools
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage

import nnlib as nn
from nnlib.course import augment, datasets

PROJECT = Path(__file__).resolve().parents[2]
for part in ("3-insurance", "4-digits", "5-outbreak"):
    sys.path.append(str(PROJECT / "chapters" / part))

import stored_results  # noqa: E402
import straight_line  # noqa: E402
from own_network import split  # noqa: E402

RESULTS = PROJECT / "data" / "limits"
SEEDS = range(10)
CHOOSING = range(10, 13)  # seeds that choose a rate and are not reported
ANGLES = tuple(range(0, 181, 15))
EPOCHS, PATIENCE = 300, 20  # of the long training; of the stopped one
C_TRIED = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # logistic regression
K_TRIED = (1, 3, 5, 7, 10, 15, 20)  # nearest neighbours
RANGES = {
    64: (0, 30, 180),
    256: (0, 180),
}  # units -> degrees either way, while learning
RATES = (0.001, 0.003, 0.01, 0.03)
LEARN_EPOCHS = 100


def turned(X, degrees):
    """Return pictures (n, 8, 8, 1) turned about their centre by one angle, against the clock.

    Between pixels as `augment.rotate`: linearly in both directions, and 0 beyond the edges.
    """
    if degrees % 90 == 0:
        return np.rot90(X, degrees // 90, axes=(1, 2)).copy()
    return ndimage.rotate(
        X,
        degrees,
        axes=(2, 1),
        reshape=False,
        order=1,
        mode="grid-constant",
        prefilter=False,
    )


def flat(X):
    """Return pictures as rows of 64 numbers."""
    return X.reshape(len(X), -1)


@functools.cache
def digits(seed):
    """Return four pairs (X, y): to learn from, to choose with, of known writers but kept back, and of new writers.

    Nine writers, a fifth of whose digits are kept back; two others; three others.
    """
    X, y = datasets.load_digits()
    known, watch, new = split("writers", seed)
    order = np.random.default_rng(seed).permutation(known)
    cut = len(order) // 5
    rows = order[cut:], watch, order[:cut], new
    return [(X[part], y[part]) for part in rows]


def network(seed, width=64):
    """Return the network of "Stop in time": ReLU units and softmax."""
    return nn.Sequential(
        [nn.Dense(width, "relu"), nn.Dense(10, "softmax")], seed=seed
    )


def train(seed, epochs=EPOCHS, stop=False):
    """Return it trained with Adam at 0.001 in batches of 32, for so many epochs or until the validation loss turns."""
    (X, y), (X_watch, y_watch), *_ = digits(seed)
    model = network(seed)
    stopping = {
        "validation_data": (flat(X_watch), y_watch),
        "callbacks": [nn.EarlyStopping(patience=PATIENCE)],
    }
    model.fit(
        flat(X),
        y,
        loss="categorical_crossentropy",
        optimizer=nn.Adam(1e-3),
        epochs=epochs,
        batch_size=32,
        **(stopping if stop else {}),
    )
    return model


def softmax(z):
    """Return e to each score, over their sum in the row."""
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def scores(p):
    """Return ln p: the scores before the softmax, less one number in each row, which no share depends on."""
    return np.log(np.maximum(p, 1e-300))


def loss(p, y):
    """Return the cross-entropy: the mean of −ln of what the true class was given."""
    return float(-scores((p * y).sum(axis=1)).mean())


def fit_temperature(z, y):
    """Return the T > 0 for which softmax(z/T) has the lowest cross-entropy, by bisection of the slope in 1/T."""
    low, high = 1e-4, 1e3  # of 1/T
    for _ in range(80):
        middle = np.sqrt(low * high)
        slope = (softmax(middle * z) * z).sum(axis=1) - (y * z).sum(axis=1)
        if slope.mean() < 0:
            low = middle
        else:
            high = middle
    return float(1 / np.sqrt(low * high))


def control(kind, seed):
    """Return logistic regression or nearest neighbours, with the setting that does best on the validation writers.

    By cross-entropy the one, by the Brier score the other, whose shares can be 0.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    (X, y), (X_watch, y_watch), *_ = digits(seed)
    tried = []
    for setting in C_TRIED if kind == "logistic" else K_TRIED:
        if kind == "logistic":
            model = LogisticRegression(C=setting, max_iter=2000)
        else:
            model = KNeighborsClassifier(setting)
        model.fit(flat(X), y.argmax(axis=1))
        p = model.predict_proba(flat(X_watch))
        if kind == "logistic":
            tried.append((loss(p, y_watch), setting, model))
        else:
            brier = np.mean((p - y_watch) ** 2)
            tried.append((brier, setting, model))
    return min(tried, key=lambda one: one[0])[1:]


def models(seed):
    """Return four models by name, each a function from pictures to probabilities, and the settings chosen."""
    made, chosen = {}, {}
    for name in ("long", "stopped"):
        model = train(seed, stop=name == "stopped")
        made[name] = lambda X, model=model: model.predict(flat(X))
    for name in ("logistic", "neighbours"):
        chosen[name], model = control(name, seed)
        made[name] = lambda X, model=model: model.predict_proba(flat(X))
    return made, chosen


def readings(p, y):
    """Return what probabilities are judged by."""
    sure, right = p.max(axis=1), p.argmax(axis=1) == y.argmax(axis=1)
    return {
        "accuracy": right.mean(),
        "confidence": sure.mean(),
        "sure_and_wrong": (~right & (sure > 0.9)).mean(),
        "loss": loss(p, y),
        "calibration_error": nn.metrics.calibration_error(p, y),
    }


def order(stranger, known):
    """Return the share of pairs in which the stranger has the larger number: the area under the ROC curve."""
    values = np.concatenate([stranger, known])[:, None]
    label = np.repeat([1.0, 0.0], [len(stranger), len(known)])[:, None]
    return nn.metrics.roc_auc(values, label)


def run(seed):
    """Return the rows of tables for a seed by their name; "writers" are the known and the new ones of "turn_strangers"."""
    (X, _), (X_watch, y_watch), (X_home, y_home), (X_new, y_new) = digits(seed)
    made, chosen = models(seed)
    angles, answers, heat, strangers = [], [], [], []

    def nearest(Z):
        # distance to the nearest picture learned from
        square = (flat(Z) ** 2).sum(1)[:, None] + (flat(X) ** 2).sum(1)
        square -= 2 * flat(Z) @ flat(X).T
        return np.sqrt(np.maximum(square, 0).min(axis=1))

    views = {angle: turned(X_new, angle) for angle in ANGLES}
    for name, predict in made.items():
        upright = predict(X_new)
        for angle, Z in views.items():
            p = predict(Z)
            if name == "neighbours":
                told = order(nearest(Z), nearest(X_new))
            else:
                told = order(-p.max(axis=1), -upright.max(axis=1))
            about = {"seed": seed, "model": name, "angle": angle}
            angles.append(
                about
                | readings(p, y_new)
                | {"told_apart": told, "setting": chosen.get(name, 0)}
            )
            if name == "long" and angle in (90, 180):
                pair = y_new.argmax(axis=1), p.argmax(axis=1)
                for digit, said in np.unique(pair, axis=1).T:
                    here = (pair[0] == digit) & (pair[1] == said)
                    answers.append(
                        {
                            "seed": seed,
                            "angle": angle,
                            "digit": digit,
                            "said": said,
                            "count": here.sum(),
                            "confidence": p[here].max(axis=1).mean(),
                        }
                    )
        if name == "neighbours":
            continue
        tests = {"validation": (X_watch, y_watch), "new": (X_new, y_new)}
        tests |= {f"turned {a}": (views[a], y_new) for a in (30, 45, 90)}
        fitted = {"nothing": 1.0}
        for words, angle in (("validation", 0), ("turned 45", 45)):
            z = scores(predict(turned(X_watch, angle)))
            fitted[words] = fit_temperature(z, y_watch)
        for words, T in fitted.items():
            for test, (Z, y) in tests.items():
                p = softmax(scores(predict(Z)) / T)
                about = {"seed": seed, "model": name, "fitted_on": words}
                heat.append(about | {"test": test, "T": T} | readings(p, y))
    for name, predict in made.items():
        row = {"case": "writers", "model": name, "seed": seed}
        for where, Z, y in (("home", X_home, y_home), ("away", X_new, y_new)):
            found = readings(predict(Z), y)
            row[f"error_{where}"] = 1 - found["accuracy"]
            row[f"right_{where}"] = found["accuracy"]
            row[f"says_{where}"] = found["confidence"]
        strangers.append(row)
    return {
        "turn_angles": angles,
        "turn_answers": answers,
        "turn_temperature": heat,
        "writers": strangers,
    }


def learn(seed, degrees, rate, epochs=LEARN_EPOCHS, width=64):
    """Return a network that has learned from digits turned at random, anew in each epoch, by up to so many degrees."""
    (X, y), *_ = digits(seed)
    model, rng = network(seed, width), np.random.default_rng(seed)
    steps = epochs * -(-len(X) // 32)
    adam = nn.Adam(nn.schedules.CosineDecay(rate, steps))
    for _ in range(epochs):
        Z = augment.rotate(X, degrees, rng) if degrees else X
        model.fit(
            flat(Z),
            y,
            loss="categorical_crossentropy",
            optimizer=adam,
            epochs=1,
            batch_size=32,
        )
    return model


def run_rate(width, degrees, rate, seed):
    """Return how many validation digits, turned likewise, are right: what chooses the rate."""
    model = learn(seed, degrees, rate, width=width)
    _, (X, y), *_ = digits(seed)
    if degrees:
        X = augment.rotate(X, degrees, np.random.default_rng(1000 + seed))
    return {"validation": nn.metrics.accuracy(model.predict(flat(X)), y)}


def run_learned(width, degrees, rate, seed):
    """Return what such a network makes of new writers' digits at each angle; also of the sixes and nines alone."""
    model = learn(seed, degrees, rate, width=width)
    *_, (X, y) = digits(seed)
    pair = np.isin(y.argmax(axis=1), (6, 9))
    found = {}
    for angle in ANGLES:
        p = model.predict(flat(turned(X, angle)))
        found[f"right_{angle}"] = nn.metrics.accuracy(p, y)
        found[f"pair_{angle}"] = nn.metrics.accuracy(p[pair], y[pair])
        found[f"sure_{angle}"] = p.max(axis=1).mean()
    return found


def of_intervals(found):
    """Return what a model of numbers is judged by that gives intervals for 95%.

    Parameters
    ----------
    found : dict
        "home", "away" and "learned" (the same rows as away, by a model that has learned from such rows): errors (n,),
        and whether each row is in its interval.
    """
    row = {}
    for where, (off, inside) in found.items():
        row[f"error_{where}"] = np.sqrt(np.mean(off**2))
        row[f"bias_{where}"] = off.mean()
        row[f"right_{where}"] = inside.mean()
        row[f"says_{where}"] = 0.95
    return row


def second_wave(model, seed):
    """Return the spring's network or straight line in spring and in autumn, as in "Meet the second wave".

    Intervals are 1.96 times the error on test regions in spring; learned: from 300 regions of the autumn.
    """
    spring = datasets.outbreak(seed=seed)
    autumn = datasets.outbreak(seed=seed, wave=2)
    rows = np.random.default_rng(seed).permutation(400)
    rows, test = rows[:300], rows[300:]
    X = straight_line.inputs(spring.table).to_numpy(float)
    before, after = (np.log(w.table.R.to_numpy()) for w in (spring, autumn))

    def fit(target):
        if model == "straight line":
            A = np.column_stack([np.ones(len(X)), X])
            return A @ np.linalg.lstsq(A[rows], target[rows])[0]
        Z = (X - X[rows].mean(axis=0)) / X[rows].std(axis=0)
        net = nn.Sequential([nn.Dense(16, "relu"), nn.Dense(1)], seed=seed)
        adam, y = nn.Adam(0.01), target[rows, None]
        net.fit(Z[rows], y, loss="mse", optimizer=adam, epochs=40)
        return net.predict(Z)[:, 0]

    said = fit(before)
    off = {
        "home": (before - said)[test],
        "away": (after - said)[test],
        "learned": (after - fit(after))[test],
    }
    width = 1.96 * np.sqrt(np.mean(off["home"] ** 2))
    return of_intervals({key: (e, np.abs(e) < width) for key, e in off.items()})


def older_clients(model, seed):
    """Return the insurance's networks, or a straight line on the same inputs, for clients younger and older than 50.

    They learn from three quarters of the younger in a simulated table; at home they are judged on the fourth quarter,
    away on half of the older. Learned: from the other half of the older, too.
    """
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import KFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    from charges_model import ChargesInputs, ChargesModel, conformal_quantiles

    table = datasets.insurance_twin(seed)
    X = table.drop(columns="charges")
    y = table.charges.to_numpy(float)
    young, old = np.flatnonzero(X.age < 50), np.flatnonzero(X.age >= 50)
    home, rows = young[: len(young) // 4], young[len(young) // 4 :]
    tests = {"home": (rows, [home, old[::2]])}
    tests["learned"] = np.concatenate([rows, old[1::2]]), [old[::2]]

    def fit(rows, parts):
        if model == "network":
            made = ChargesModel()
        else:
            made = make_pipeline(ChargesInputs(pieces=1), LinearRegression())
        folds = KFold(5, shuffle=True, random_state=0)
        left = y[rows] - cross_val_predict(
            made, X.iloc[rows], y[rows], cv=folds
        )
        made.fit(X.iloc[rows], y[rows])
        ends = {
            answer: conformal_quantiles(
                left[(X.smoker.iloc[rows] == answer).to_numpy()], 0.95
            )
            for answer in ("no", "yes")
        }
        for part in parts:
            off = y[part] - made.predict(X.iloc[part])
            low, high = np.transpose([ends[a] for a in X.smoker.iloc[part]])
            yield off, (low <= off) & (off <= high)

    at_home, away = fit(rows, tests["home"][1])
    (learned,) = fit(*tests["learned"])
    return of_intervals({"home": at_home, "away": away, "learned": learned})


def run_stranger(case, model, seed):
    """Return a row of the table "turn_strangers" for the cases of numbers."""
    return {"second wave": second_wave, "older clients": older_clients}[case](
        model, seed
    )


CODE = (
    turned, flat, digits, network, train, softmax, scores, loss, fit_temperature, control, models, readings, order, run,
    learn, run_rate, run_learned, of_intervals, second_wave, older_clients, run_stranger,
)  # fmt: skip


stored, made = stored_results.readers(RESULTS)


def best_rates(rates):
    """Return the rate with the most right validation digits for each width and range, from the table of rates."""
    mean = rates.groupby(["width", "degrees", "rate"]).validation.mean()
    return {
        key[:2]: key[2] for key in mean.groupby(["width", "degrees"]).idxmax()
    }


def tables(folder):
    """Train everything; return all tables by name."""
    import pandas as pd

    parts = stored_results.swept(run, {"seed": SEEDS}, folder / "digits")
    found = {
        name: pd.DataFrame([row for rows in parts[name] for row in rows])
        for name in parts.columns.drop("seed")
    }
    rates = [
        stored_results.swept(
            run_rate,
            {
                "width": [width],
                "degrees": list(ranges),
                "rate": list(RATES),
                "seed": list(CHOOSING),
            },
            folder / f"rates_{width}",
        )
        for width, ranges in RANGES.items()
    ]
    found["turn_rates"] = pd.concat(rates, ignore_index=True)
    learned = [
        stored_results.swept(
            run_learned,
            {
                "width": [width],
                "degrees": [degrees],
                "rate": [rate],
                "seed": list(SEEDS),
            },
            folder / f"learned_{width}_{degrees}",
        )
        for (width, degrees), rate in best_rates(found["turn_rates"]).items()
    ]
    found["turn_learned"] = pd.concat(learned, ignore_index=True)
    strangers = stored_results.swept(
        run_stranger,
        {
            "case": ["second wave", "older clients"],
            "model": ["network", "straight line"],
            "seed": list(SEEDS),
        },
        folder / "strangers",
    )
    found["turn_strangers"] = pd.concat(
        [found.pop("writers"), strangers], ignore_index=True
    )
    return found


def main():
    """Train everything, and write the tables."""
    found = tables(stored_results.UNFINISHED / "turn")
    stored_results.store_all(found, CODE, ["scikit-learn", "scipy"], RESULTS)


if __name__ == "__main__":
    main()
