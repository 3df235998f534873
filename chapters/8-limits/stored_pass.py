"""When a network of the digits should say nothing, and whether it notices a stranger: over seeds, detectors, strangers.

`python chapters/8-limits/stored_pass.py` trains some 800 small networks (about three minutes of one core; its sweeps go
on where they were stopped), and renews the tables in data/limits that the page "Let it pass" prints.
"""

import functools
import sys
from pathlib import Path

import numpy as np
from scipy.stats import beta

import nnlib as nn
from nnlib.course import augment, datasets

PROJECT = Path(__file__).resolve().parents[2]
for part in ("3-insurance", "4-digits", "7-sequences"):
    sys.path.append(str(PROJECT / "chapters" / part))

import stored_forged_film as film  # noqa: E402
import stored_results  # noqa: E402
from own_network import split  # noqa: E402

RESULTS = PROJECT / "data" / "limits"
SEEDS = range(20)  # of the answers at home
PROMISE_SEEDS = range(200)
STRANGER_SEEDS = range(10)
CLASS_SEEDS = range(5)  # of each class that is left out
MEMBERS = 5  # networks that may disagree
RATES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
RATE, ACCURATE = (
    0.001,
    0.03,
)  # best for validation writers: by cross-entropy, by share right
EPOCHS = 30
PRICES = (0.02, 0.1, 0.3)  # of a pass; a wrong answer costs 1
PROMISES = (0.02, 0.05)  # share of wrong answers, at most
DELTA = 0.05  # share of the bounds that may be too low
TEMPERATURES = np.arange(0.5, 8.01, 0.1)

# Letters that are drawn on 8 by 8 pixels
LETTERS = {
    "A": "...##... ..#..#.. .#....#. .#....#. .######. .#....#. .#....#. .#....#.",
    "E": ".######. .#...... .#...... .#####.. .#...... .#...... .#...... .######.",
    "H": ".#....#. .#....#. .#....#. .######. .#....#. .#....#. .#....#. .#....#.",
    "K": ".#...#.. .#..#... .#.#.... .##..... .#.#.... .#..#... .#...#.. .#....#.",
    "M": "#......# ##....## #.#..#.# #..##..# #......# #......# #......# #......#",
    "N": ".#....#. .##...#. .#.#..#. .#.#..#. .#..#.#. .#..#.#. .#...##. .#....#.",
    "T": ".######. ...##... ...##... ...##... ...##... ...##... ...##... ...##...",
    "U": ".#....#. .#....#. .#....#. .#....#. .#....#. .#....#. .#....#. ..####..",
    "V": "#......# #......# .#....#. .#....#. ..#..#.. ..#..#.. ...##... ...##...",
    "W": "#......# #......# #......# #......# #..##..# #.#..#.# ##....## #......#",
    "X": ".#....#. .#....#. ..#..#.. ...##... ...##... ..#..#.. .#....#. .#....#.",
    "Y": ".#....#. .#....#. ..#..#.. ...##... ...##... ...##... ...##... ...##...",
}


def letters(rows, rng):
    """Return (rows, 64): letters turned by up to 10 degrees, moved by up to a pixel, with ink of the digits' range."""
    drawn = np.array(
        [
            [[c == "#" for c in line] for line in text.split()]
            for text in LETTERS.values()
        ],
        dtype=float,
    )[..., None]
    X = drawn[rng.integers(len(drawn), size=rows)]
    X = augment.shift(augment.rotate(X, 10, rng), 1, rng)
    ink = rng.uniform(0.7, 1, (rows, 1, 1, 1))
    return np.clip(ink * X, 0, 1).reshape(rows, 64)


def quarter_turn(X):
    """Return digits, (rows, 64), turned by 90 degrees."""
    return np.rot90(X.reshape(-1, 8, 8), axes=(1, 2)).reshape(len(X), 64)


def forged(rows, seed):
    """Return (rows, 64): what the generator of "Forge digits" makes of random numbers."""
    return np.asarray(
        film.made_by(film.load()["weights"], film.noise(seed, rows)), float
    )


def strangers(X, seed):
    """Return pictures that are no digits, or no upright dark ones, by their kind; X, (rows, 64), are digits."""
    rng = np.random.default_rng([seed, 44])
    return {
        "a quarter turn": quarter_turn(X),
        "dark and light exchanged": 1 - X,
        "faint, a third of the ink": X / 3,
        "noise": rng.random(X.shape),
        "letters": letters(len(X), rng),
        "forged digits": forged(len(X), seed),
    }


# The networks


def home(seed):
    """Return training, validation and test digits, (X, y) each: nine writers, two others, three others."""
    X, y = datasets.load_digits(flat=True)
    return [(X[rows], y[rows]) for rows in split("writers", seed)]


def trained(X, y, seed, rate=RATE):
    """Return a network of 64 hidden units that has learned these digits."""
    layers = [
        nn.Dense(64, "relu", "he_normal"),
        nn.Dense(y.shape[1], "softmax"),
    ]
    model = nn.Sequential(layers, seed=seed)
    model.fit(
        X,
        y,
        loss="categorical_crossentropy",
        optimizer=nn.Adam(rate),
        epochs=EPOCHS,
        batch_size=32,
    )
    return model


def inside(model, X):
    """Return what the hidden layer passes on, and the scores of the classes before the softmax."""
    hidden, last = model.layers
    h = np.asarray(hidden.forward(X), float)
    return h, h @ last.params["W"] + last.params["b"]


def softmax(z, T=1.0):
    """Return shares: e to the z/T, divided by their sum."""
    e = np.exp((z - z.max(axis=1, keepdims=True)) / T)
    return e / e.sum(axis=1, keepdims=True)


def temperature(z, y):
    """Return the temperature with the lowest cross-entropy for these scores and classes (one-hot)."""
    losses = [
        -np.log(np.maximum(softmax(z, T)[y > 0], 1e-12)).mean()
        for T in TEMPERATURES
    ]
    return float(TEMPERATURES[np.argmin(losses)])


# Answers and passes


def risks(sure, wrong):
    """Return the share of wrong answers among the 1, 2, 3, ... surest.

    Parameters
    ----------
    sure : ndarray, shape (n,)
        The larger, the sooner it is answered.
    wrong : ndarray of bool, shape (n,)
    """
    order = np.argsort(-sure, kind="stable")
    return np.cumsum(wrong[order]) / np.arange(1, len(wrong) + 1)


def bill(sure, wrong, threshold, price):
    """Return the mean cost where a wrong answer costs 1 and a pass `price`: answered is what is at least so sure."""
    return float(np.mean(np.where(sure >= threshold, wrong, price)))


def cheapest(sure, wrong, price):
    """Return the threshold with the lowest bill among all that make a difference."""
    cuts = np.append(np.unique(sure), np.inf)
    return float(min(cuts, key=lambda cut: bill(sure, wrong, cut, price)))


def bound(wrong, n, delta=DELTA):
    """Return what the true share of wrong answers is at most, with certainty 1 − delta, after `wrong` in n.

    Clopper and Pearson (1934): the share at which so few wrong answers, or fewer, have the probability delta.
    """
    return (
        float(beta.ppf(1 - delta, wrong + 1, n - wrong)) if wrong < n else 1.0
    )


def promised(sure, wrong, promise, kind):
    """Return the lowest threshold for which the promise seems kept; infinite if there is none.

    Parameters
    ----------
    sure, wrong : ndarray, shape (n,)
    promise : float
        The share of wrong answers, at most.
    kind : "share" or "bound"
        By the share that was wrong: the lowest threshold of all. Or by its bound: beginning with the surer half (or with
        the fewest answers that can show it, if these are more), one answer more at a time, as long as the bound holds:
        so no lucky place is picked.
    """
    order = np.argsort(-sure, kind="stable")
    count, n = np.cumsum(wrong[order]), np.arange(1, len(wrong) + 1)
    if kind == "share":
        kept = np.flatnonzero(count / n <= promise)
        return float(sure[order][kept[-1]]) if len(kept) else np.inf
    fewest = int(np.ceil(np.log(DELTA) / np.log(1 - promise)))
    best = np.inf
    for k in range(max(len(n) // 2, fewest) - 1, len(n)):
        if bound(count[k], n[k]) > promise:
            break
        best = float(sure[order][k])
    return best


# Detectors: the larger, the stranger


class Detectors:
    """What each detector makes of pictures; none of them has a setting that was tuned.

    Parameters
    ----------
    models : list of nnlib.Sequential
        The first is the network; all of them together may disagree.
    X, y : ndarray, shapes (rows, 64) and (rows, classes)
        What they were trained on.
    """

    def __init__(self, models, X, y):
        self.models, self.X, self.ink = models, X, X.mean()
        h, _ = inside(models[0], X)
        self.means = np.array([h[c > 0].mean(axis=0) for c in y.T])
        spread = h - self.means[y.argmax(axis=1)]
        covariance = spread.T @ spread / len(h)
        # some units never answer: a hundredth of the mean variance keeps the matrix invertible
        ridge = 0.01 * np.trace(covariance) / len(covariance)
        self.inverse = np.linalg.inv(covariance + ridge * np.eye(h.shape[1]))

    def __call__(self, X):
        """Return a dict: the name of each detector -> ndarray, shape (rows,)."""
        h, z = inside(self.models[0], X)
        p = softmax(z)
        members = np.array([softmax(inside(m, X)[1]) for m in self.models])
        apart = h[:, None] - self.means
        squares = np.einsum("nki,ij,nkj->nk", apart, self.inverse, apart)
        top = z.max(axis=1)
        return {
            "largest share": 1 - p.max(axis=1),
            "entropy": entropy(p),
            "energy": -top - np.log(np.exp(z - top[:, None]).sum(axis=1)),
            "Mahalanobis": np.sqrt(squares.min(axis=1)),
            "five networks": entropy(members.mean(axis=0))
            - entropy(members).mean(axis=0),
            "nearest digit": nearest(X, self.X),
            "ink": np.abs(X.mean(axis=1) - self.ink),
        }


DETECTORS = (
    "largest share",
    "entropy",
    "energy",
    "Mahalanobis",
    "five networks",
    "nearest digit",
    "ink",
)


def entropy(p):
    """Return −Σ p ln p over the last axis, 0 where p is 0."""
    return -(p * np.log(np.where(p > 0, p, 1))).sum(axis=-1)


def nearest(X, known):
    """Return the distance of each row of X from the nearest row of `known`."""
    squares = (X**2).sum(1)[:, None] - 2 * X @ known.T + (known**2).sum(1)
    return np.sqrt(np.maximum(squares.min(axis=1), 0))


def auc(home, strange):
    """Return the probability that a stranger has the larger score, ties counted half."""
    score = np.concatenate([home, strange])[:, None]
    stranger = np.repeat([0.0, 1.0], [len(home), len(strange)])[:, None]
    return nn.metrics.roc_auc(score, stranger)


def found(home, strange, threshold):
    """Return the shares above a threshold: of those at home (false alarms), and of strangers."""
    return float(np.mean(home > threshold)), float(np.mean(strange > threshold))


def members(X, y, seed):
    """Return five networks that differ by their first weights and by the order of their batches."""
    return [trained(X, y, 100 * seed + k) for k in range(MEMBERS)]


# What is stored


def run_rate(rate, seed):
    """Return a row of the table "pass_rates": how the network does with the validation writers."""
    (X, y), (V, v), _ = home(seed)
    p = trained(X, y, 100 * seed, rate).predict(V)
    loss = -np.log(np.maximum(p[v > 0], 1e-12)).mean()
    return {"loss": loss, "right": nn.metrics.accuracy(p, v)}


@functools.cache
def answers(seed, rate):
    """Return (scores, y) of the network for validation and test digits."""
    (X, y), *others = home(seed)
    model = trained(X, y, 100 * seed, rate)
    return [(inside(model, Z)[1], z) for Z, z in others]


def surest(z, y, T=1.0):
    """Return the largest share of each row, and whether its class is the wrong one."""
    return softmax(z, T).max(axis=1), z.argmax(axis=1) != y.argmax(axis=1)


def run_price(rate, price, seed):
    """Return a row of the table "pass_prices": what the answers cost by five ways to choose the threshold."""
    (z_val, val), (z, y) = answers(seed, rate)
    T = temperature(z_val, val)
    sure, wrong = surest(z, y)
    chosen = cheapest(*surest(z_val, val), price)
    return {
        "wrong": wrong.mean(),
        "confidence": sure.mean(),
        "temperature": T,
        "always": bill(sure, wrong, 0, price),
        "rule": bill(sure, wrong, 1 - price, price),
        "warmed": bill(*surest(z, y, T), 1 - price, price),
        "validation": bill(sure, wrong, chosen, price),
        "best": bill(sure, wrong, cheapest(sure, wrong, price), price),
        "passes": np.mean(sure < 1 - price),
    }


def run_promise(promise, kind, drawn, seed):
    """Return a row of the table "pass_promises": a promise made on some digits, and what comes of it on others.

    drawn : "writers" or "digits"
        The promise is made on two writers and kept or broken on three others; or all their digits are shuffled first.
    """
    sets = [surest(z, y) for z, y in answers(seed, RATE)]
    n = len(sets[0][0])
    if drawn == "digits":
        both = [np.concatenate(part) for part in zip(*sets, strict=True)]
        order = np.random.default_rng([seed, 4]).permutation(len(both[0]))
        sets = [
            [part[order[:n]] for part in both],
            [part[order[n:]] for part in both],
        ]
    (sure_val, wrong_val), (sure, wrong) = sets
    threshold = promised(sure_val, wrong_val, promise, kind)
    answered = sure >= threshold
    return {
        "coverage": answered.mean(),
        "risk": wrong[answered].mean() if answered.any() else 0.0,
    }


def run_mistakes(seed):
    """Return rows of the table "pass_mistakes": how each score sorts the answers to new writers' digits."""
    (X, y), _, (Z, z) = home(seed)
    models = members(X, y, seed)
    wrong = inside(models[0], Z)[1].argmax(axis=1) != z.argmax(axis=1)
    together = np.mean([m.predict(Z) for m in models], axis=0)
    rows = [
        {
            "score": name,
            "area": risks(-score, wrong).mean(),
            "auc": auc(score[~wrong], score[wrong]),
        }
        for name, score in Detectors(models, X, y)(Z).items()
    ]
    perfect = risks(-wrong.astype(float), wrong).mean()
    rows.append({"score": "perfect", "area": perfect, "auc": 1})
    rows.append({"score": "chance", "area": wrong.mean(), "auc": 0.5})
    # the mean of five networks is wrong on other digits, too
    missed = together.argmax(axis=1) != z.argmax(axis=1)
    sure = together.max(axis=1)
    mean = {
        "area": risks(sure, missed).mean(),
        "auc": auc(-sure[~missed], -sure[missed]),
    }
    return [*rows, {"score": "mean of five", **mean}]


def judged(detectors, watch, at_home, kinds):
    """Return a row for each detector and kind of strangers: AUC, and what two thresholds find.

    The threshold "home" lets 5% of the validation writers' digits raise an alarm; "half" finds 95% of half of these
    strangers, and is judged by the other half. "sure" is the share of the strangers to whose class the network gives more
    than 90%.
    """
    watched, own = detectors(watch), detectors(at_home)
    rows = []
    for kind, X in kinds.items():
        seen = detectors(X)
        sure = np.mean(seen["largest share"] < 0.1)
        for name in DETECTORS:
            strange = seen[name]
            tuned = np.quantile(strange[::2], 0.05)
            alarms, caught = found(
                own[name], strange, np.quantile(watched[name], 0.95)
            )
            costs, again = found(own[name], strange[1::2], tuned)
            row = {
                "detector": name,
                "kind": kind,
                "sure": sure,
                "auc": auc(own[name], strange),
                "alarms": alarms,
                "found": caught,
                "alarms_95": costs,
                "found_95": again,
            }
            rows.append(row)
    return rows


def run_strangers(seed):
    """Return rows of the table "pass_strangers"."""
    (X, y), (V, _), (Z, _) = home(seed)
    detectors = Detectors(members(X, y, seed), X, y)
    return judged(detectors, V, Z, strangers(Z, seed))


def without(digit, seed):
    """Return the detectors of networks that never saw a digit, and others' digits: validation, test, the left out."""
    (X, y), (V, v), (Z, z) = home(seed)
    keep = np.arange(10) != digit
    rows = y[:, digit] == 0
    X, y = X[rows], y[rows][:, keep]
    detectors = Detectors(members(X, y, seed), X, y)
    return (
        detectors,
        V[v[:, digit] == 0],
        Z[z[:, digit] == 0],
        Z[z[:, digit] > 0],
    )


def run_left_out(digit, seed):
    """Return rows of the table "pass_left_out": the strangers are the digits of a class that nobody was shown."""
    detectors, watch, at_home, strange = without(digit, seed)
    return judged(detectors, watch, at_home, {"a digit left out": strange})


def run_elsewhere(seed):
    """Return rows of the table "pass_elsewhere": a threshold that finds 95% of one kind of strangers, met by another.

    The left-out digit is the 7 here, for all kinds, so that one network meets them all.
    """
    detectors, _, at_home, sevens = without(7, seed)
    kinds = {**strangers(at_home, seed), "a digit left out": sevens}
    own = detectors(at_home)
    seen = {kind: detectors(X) for kind, X in kinds.items()}
    rows = []
    for name in DETECTORS:
        for tuned_on, scores in seen.items():
            cut = np.quantile(scores[name], 0.05)
            for kind, others in seen.items():
                alarms, caught = found(own[name], others[name], cut)
                row = {
                    "detector": name,
                    "tuned_on": tuned_on,
                    "kind": kind,
                    "alarms": alarms,
                    "found": caught,
                }
                rows.append(row)
    return rows


CODE = (
    letters, quarter_turn, forged, strangers, home, trained, inside, softmax, temperature, risks, bill, cheapest, bound, promised,
    Detectors, entropy, nearest, auc, found, members, run_rate, answers, surest, run_price, run_promise, run_mistakes, judged,
    run_strangers, without, run_left_out, run_elsewhere,
)  # fmt: skip

stored, made = stored_results.readers(RESULTS)


def tables(folder, workers=1):
    """Train everything; return the tables by name."""

    def each(run, grid, name):
        return stored_results.swept(run, grid, folder / name, workers=workers)

    return {
        "pass_rates": each(run_rate, {"rate": RATES, "seed": SEEDS}, "rates"),
        "pass_prices": each(
            run_price,
            {"rate": (RATE, ACCURATE), "price": PRICES, "seed": SEEDS},
            "prices",
        ),
        "pass_promises": each(
            run_promise,
            {
                "promise": PROMISES,
                "kind": ["share", "bound"],
                "drawn": ["writers", "digits"],
                "seed": PROMISE_SEEDS,
            },
            "promises",
        ),
        "pass_mistakes": each(run_mistakes, {"seed": SEEDS}, "mistakes"),
        "pass_strangers": each(
            run_strangers, {"seed": STRANGER_SEEDS}, "strangers"
        ),
        "pass_left_out": each(
            run_left_out, {"digit": range(10), "seed": CLASS_SEEDS}, "left_out"
        ),
        "pass_elsewhere": each(
            run_elsewhere, {"seed": STRANGER_SEEDS}, "elsewhere"
        ),
    }


def main():
    """Train everything, and write the tables."""
    found = tables(stored_results.UNFINISHED / "pass")
    stored_results.store_all(found, CODE, ["scikit-learn", "scipy"], RESULTS)


if __name__ == "__main__":
    main()
