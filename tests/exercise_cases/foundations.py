"""Right and wrong answers to checks of the part "foundations"."""

import numpy as np

from nnlib.schedules import CosineDecay

from .common import _he_uniform


def _send_data_forward_maximum(space):
    W1, b1, W2, b2 = [[1, 0, 0], [-1, 1, -1]], [0, 0, 0], [[1], [1], [-1]], [0]
    scaled = (np.multiply(W1, 1e-3), b1, np.multiply(W2, 1e3), b2)
    four = ([[1, -1, 0, 0], [0, 0, 1, -1]], [0] * 4, [[0.5], [0.5], [0.5], [0.5]], [0])
    right = [
        scaled,
        ([[1, 0, 0], [-1, 1, -1]], b1, W2, 0),
        ([[1, -1, 1, -1], [1, -1, -1, 1]], [0] * 4, [[0.5], [-0.5], [0.5], [0.5]], [0]),
    ]
    wrong = [([[1, 0], [-1, 1]], [0, shift], [[1], [1]], [-shift]) for shift in (10.0, 1001, 1e5, 1e9)]
    wrong += [([[1, 0], [-1, 1e-6]], [0, 1], [[1], [1e6]], [-1e6]), four]
    return right, wrong


def _initialize_he_uniform(space):
    def arcsine(fan_in, fan_out, rng):
        return np.sqrt(4 / fan_in) * np.cos(rng.uniform(0, np.pi, (fan_in, fan_out)))

    def one_draw_per_row(fan_in, fan_out, rng):
        a = np.sqrt(6 / fan_in)
        return rng.uniform(-a, a, (fan_in, 1)) * np.ones(fan_out)

    def unseeded(fan_in, fan_out, rng):
        return _he_uniform(fan_in, fan_out, np.random.default_rng())

    def from_numpy(fan_in, fan_out, rng):
        return np.sqrt(6 / fan_in) * np.random.uniform(-1, 1, (fan_in, fan_out))  # noqa: NPY002

    def loops(fan_in, fan_out, rng):
        a = np.sqrt(6 / fan_in)
        return [[rng.uniform(-a, a) for _ in range(fan_out)] for _ in range(fan_in)]

    def shifted(fan_in, fan_out, rng):
        return np.sqrt(6 / fan_in) * (2 * rng.random((fan_in, fan_out)) - 1)

    def transposed(fan_in, fan_out, rng):
        return _he_uniform(fan_in, fan_out, rng, (fan_out, fan_in)).T

    return [(loops,), (shifted,), (transposed,)], [(arcsine,), (one_draw_per_row,), (unseeded,), (from_numpy,)]


def _tune_dropout(space):
    def in_place(a, p, rng):
        a *= (rng.random(a.shape) >= p) / (1 - p)
        return a

    def loops(a, p, rng):
        kept = np.array([rng.random() >= p for _ in range(a.size)]).reshape(a.shape)
        return np.where(kept, a / (1 - p), 0)

    def binomial(a, p, rng):
        return a * rng.binomial(1, 1 - p, a.shape) / (1 - p)

    def from_numpy(a, p, rng):
        return a * (np.random.random(a.shape) >= p) / (1 - p)  # noqa: NPY002

    def hard_coded(a, p, rng):
        return a * (rng.random(a.shape) >= p) * 1.25

    def fixed(a, p, rng):
        return a * (rng.random(a.shape) >= 0.2) / 0.8

    def per_column(a, p, rng):
        return a * (rng.random(a.shape[1:]) >= p) / (1 - p)

    return [(in_place,), (loops,), (binomial,)], [(from_numpy,), (hard_coded,), (fixed,), (per_column,)]


def _compare_adamax(space):
    def in_place(w, gradient, steps, rate, beta1, beta2):
        m, u, points = 0 * w, 0 * w, [w.copy()]
        for t in range(1, steps + 1):
            g = gradient(w)
            m = beta1 * m + (1 - beta1) * g
            u = np.maximum(beta2 * u, abs(g))
            w -= rate / (1 - beta1**t) * m / u
            points.append(w.copy())
        return points

    def same_array(w, gradient, steps, rate, beta1, beta2):
        return [w] * (steps + 1)

    return [(in_place,)], [(same_array,)]


def _look_ahead_pair(space):
    nn = space["nn"]
    pairs = [(0.032, 0.7), (0.029, 0.72), (0.028, 0.72), (0.031, 0.7), (0.033, 0.7), (0.025, 0.74), (0.022, 0.76)]
    return [(nn.SGD(rate, momentum=beta),) for rate, beta in pairs], [(nn.Adam(0.1),), (nn.SGD,)]


def _compare_valley(space):
    nn = space["nn"]
    right = [nn.SGD(rate, momentum=0.95, nesterov=True) for rate in (0.001, 0.00105, 0.0011)]
    right += [nn.Adam(CosineDecay(rate, 200), beta2=0.9) for rate in (0.15, 0.2, 0.25, 0.3, 0.4)]
    return [(optimizer,) for optimizer in right], [(nn.Adam(0.1),), (nn.SGD,)]


def _judge_honest(space):
    def left_out_one(features):
        def score(X, y, rng):
            hits = 0
            for row in range(len(y)):
                train = np.delete(np.arange(len(y)), row)
                kept = space["keep_best"](X[train], y[train], features=features)
                guess = space["nearer_mean"](X[train][:, kept], y[train], X[[row]][:, kept])
                hits += int(guess[0] == (y[row] == 1))
            return hits / len(y)

        return score

    return [(left_out_one(1),), (left_out_one(3),)], []


def _judge_folds(space):
    def dealt(y, k, rng):
        folds = [[] for _ in range(k)]
        for c in np.unique(y):
            for place, row in enumerate(rng.permutation(np.flatnonzero(y == c))):
                folds[place % k].append(int(row))
        return tuple(folds)

    def with_one_row_twice(y, k, rng):
        first, *others = dealt(y, k, rng)
        return [first + first[:1], *others]

    return [(dealt,)], [(with_one_row_twice,)]


CASES = {
    "04-send-data-forward": {
        "check_biases": lambda space: (
            [([[20, 7]], [0, 54], [370]), ([20, 7], np.array([[0], [54]]), "370")],
            [([20, 7], [0, 54], 370.5)],
        ),
        "check_maximum": _send_data_forward_maximum,
    },
    "05-count-the-cost": {
        "check_shapes": lambda space: ([((100, 50), 50, (32, 1)), ("(100, 50)", (50), [32, 1])], []),
    },
    "08-keep-the-signal": {"check_he_uniform": _initialize_he_uniform},
    "18-look-ahead": {"check_pair": _look_ahead_pair},
    "20-take-adam-apart": {"check_adamax": _compare_adamax},
    "21-compare-optimizers": {"check_valley": _compare_valley},
    "22-bend-the-line": {"check_slope": lambda space: ([(0.188,), (0.1875,), ("3/16",)], [(0.19,), (0.2,)])},
    "27-weigh-a-rare-class": {"check_weighted": lambda space: ([(0.5, 0.69), (0.5, 0.692)], [(0.5, 0.7)])},
    "29-hold-it-back": {"check_dropout": _tune_dropout},
    "32-split-without-a-leak": {"check_folds": _judge_folds, "check_honest": _judge_honest},
    "33-judge-yes-and-no": {"check_auc": lambda space: ([(0.83,), (0.833,), ("7.5/9",)], [(0.8,)])},
}
