"""Right and wrong answers to checks of the part "images"."""

import numpy as np


def _film_ready(space):
    def loop(left, limit):
        epoch = len(left)
        while epoch > 0 and left[epoch - 1] <= limit:
            epoch -= 1
        return epoch

    def all_from_there(left, limit):
        return np.int64(min(t for t in range(len(left)) if max(left[t:]) <= limit))

    def first_time(left, limit):
        return int(np.argmax(np.asarray(left) <= limit))

    def below(left, limit):
        return max((t + 1 for t, d in enumerate(left) if d >= limit), default=0)

    def never_zero(left, limit):
        return max((t + 1 for t, d in enumerate(left) if d > limit), default=1)

    return [(loop,), (all_from_there,)], [(first_time,), (below,), (never_zero,)]


def _window_average(space):
    def loops(dy, size):
        dX = np.zeros((size * len(dy), size * len(dy[0])))
        for p, q in np.ndindex(dX.shape):
            dX[p, q] = dy[p // size, q // size] / size**2
        return dX

    def as_lists(dy, size):
        return np.kron(dy, np.full((size, size), 1 / size**2)).tolist()

    def to_the_first(dy, size):
        dX = np.zeros((size * len(dy), size * len(dy[0])))
        dX[::size, ::size] = dy
        return dX

    def two_only(dy, size):
        return np.kron(dy, np.full((2, 2), 0.25))

    def flat(dy, size):
        return loops(dy, size).ravel()

    return [(loops,), (as_lists,)], [
        (to_the_first,),
        (two_only,),
        (flat,),
        (lambda dy, size: loops(dy.T, size).T[::-1],),
    ]


def _window_spots(space):
    plus = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    right = [(plus,), ((plus / 4).tolist(),), (np.array([[1, 2, 1], [2, -12, 2], [1, 2, 1]]) / 12,)]
    right += [([[0, 0, 0], [0.5, -1, 0.5], [0, 0, 0]],), (np.array([[1, 0, 0], [0, -2, 0], [0, 0, 1]], np.float32),)]
    uneven = np.array([[0, 1, 0], [0, -3, 1], [0, 1, 0]])  # answers 0 on even grounds only
    return right, [(-plus,), (plus + 1,), (uneven,), (np.ones((3, 3)) / 9,), (plus.ravel(),), (0 * plus,)]


def _shuffle_most_alike(space):
    def loops(X):
        X, found = np.asarray(X, float), []
        for i in range(X.shape[1]):
            others = [j for j in range(X.shape[1]) if j != i]
            found.append(max(others, key=lambda j: np.corrcoef(X[:, i], X[:, j])[0, 1]))
        return found

    def standardized(X):
        Z = (X - X.mean(0)) / X.std(0)
        r = Z.T @ Z / len(Z)
        return np.argsort(r - 3 * np.eye(len(r)), axis=1)[:, -1]

    def second(X):
        return np.argsort(np.corrcoef(X, rowvar=False), axis=1)[:, -2]

    def between_rows(X):
        r = np.corrcoef(X)
        np.fill_diagonal(r, -2)
        return r.argmax(axis=1)

    def covariance(X):
        r = np.cov(X.T)
        np.fill_diagonal(r, -np.inf)
        return r.argmax(axis=1)

    def nearest(X):
        d = ((X[:, :, None] - X[:, None]) ** 2).sum(0)
        np.fill_diagonal(d, np.inf)
        return d.argmin(axis=1)

    def whatever_sign(X):
        r = np.abs(np.corrcoef(X.T))
        np.fill_diagonal(r, 0)
        return r.argmax(axis=1)

    def how_much(X):
        r = np.corrcoef(X.T)
        np.fill_diagonal(r, -2)
        return r.max(axis=1)

    right = [(loops,), (standardized,), (second,)]
    return right, [(between_rows,), (covariance,), (nearest,), (whatever_sign,), (how_much,)]


def _filters_twins(space):
    def columns(W):
        return W.reshape(-1, W.shape[-1])

    def loops(W, least):
        rows, found = columns(W).T, set()
        for i, a in enumerate(rows):
            for j, b in enumerate(rows):
                if i != j and a @ b >= least * np.sqrt(a @ a) * np.sqrt(b @ b):
                    found.add(i)
        return len(found)

    def by_sorting(W, least):
        unit = columns(W) / np.sqrt((columns(W) ** 2).sum(axis=0))
        return np.count_nonzero(np.sort(unit.T @ unit, axis=0)[-2] >= least)

    def with_tensordot(W, least):
        size = np.sqrt((W**2).sum(axis=(0, 1, 2)))
        table = np.tensordot(W, W, axes=([0, 1, 2], [0, 1, 2])) / np.outer(size, size)
        return ((table >= least).sum(axis=1) > 1).sum()

    def pairs(W, least):
        table = columns(W).T @ columns(W)
        size = np.sqrt(np.diag(table))
        return int((np.triu(table / np.outer(size, size), 1) >= least).sum())

    def not_divided(W, least):
        table = columns(W).T @ columns(W)
        np.fill_diagonal(table, -np.inf)
        return int((table.max(axis=1) >= least).sum())

    def correlations(W, least):
        table = np.corrcoef(columns(W).T)
        np.fill_diagonal(table, -1)
        return int((table.max(axis=1) >= least).sum())

    def average_of_channels(W, least):
        return by_sorting(W.mean(axis=2, keepdims=True), least)

    def nobody(W, least):
        return None

    right = [loops, by_sorting, with_tensordot]
    wrong = [pairs, not_divided, correlations, average_of_channels, nobody]
    return [(f,) for f in right], [(f,) for f in wrong]


def _pool_at_shift(space):
    def score(predict, pictures, labels):
        return (np.argmax(predict(pictures), axis=-1) == labels).mean()

    def padded(predict, X, labels, by):
        return score(predict, np.pad(X, ((0, 0), (0, 0), (by, 0), (0, 0)))[:, :, : X.shape[2]], labels)

    def wiped(predict, X, labels, by):
        out = np.roll(X, by, axis=2)
        out[:, :, :by] = 0
        return [score(predict, out, labels)]

    def in_place(predict, X, labels, by):
        X[:, :, by:] = X[:, :, : X.shape[2] - by].copy()
        X[:, :, :by] = 0
        return score(predict, X, labels)

    def loops(predict, X, labels, by):
        hits = 0
        for picture, label in zip(X, labels, strict=True):
            out = np.zeros(X.shape[1:])
            for column in range(X.shape[2] - by):
                out[:, column + by] = picture[:, column]
            hits += int(predict(out[None])[0].argmax() == label)
        return hits / len(labels)

    def smeared(predict, X, labels, by):
        return score(predict, np.pad(X, ((0, 0), (0, 0), (by, 0), (0, 0)), mode="edge")[:, :, : X.shape[2]], labels)

    def filled_with_ones(predict, X, labels, by):
        out = np.roll(X, by, axis=2)
        out[:, :, :by] = 1
        return score(predict, out, labels)

    def in_percent(predict, X, labels, by):
        return 100 * padded(predict, X, labels, by)

    def both_ways(predict, X, labels, by):
        return score(predict, np.roll(padded_picture(X, by), by, axis=1), labels)

    def padded_picture(X, by):
        return np.pad(X, ((0, 0), (0, 0), (by, 0), (0, 0)))[:, :, : X.shape[2]]

    def first_batch(predict, X, labels, by):
        return padded(predict, X[:32], labels[:32], by)

    return (
        [(padded,), (wiped,), (in_place,), (loops,)],
        [(smeared,), (filled_with_ones,), (in_percent,), (both_ways,), (first_batch,), (lambda *given: 0.5,)],
    )


def _clinic_shift(space):
    from scipy.optimize import brentq

    def moved(p, b):
        return np.mean(1 / (1 + (1 / p - 1) * np.exp(-b)))

    def root(p, y):
        return brentq(lambda b: moved(p, b) - np.mean(y), -60, 60)

    def newton(p, y):
        z, b = np.log(p / (1 - p)), 0.0
        for _ in range(500):
            q = 1 / (1 + np.exp(-(z + b)))
            b += np.clip((y.mean() - q.mean()) / max(np.mean(q * (1 - q)), 1e-9), -1, 1)
        return np.array([b])

    def steps(p, y):
        b, size = 0.0, 8.0
        while size > 1e-5:
            way = 1 if moved(p, b) < y.mean() else -1
            while (moved(p, b + way * size) < y.mean()) == (way == 1):
                b += way * size
            size /= 2
        return b

    def of_odds(p, y):
        odds = p / (1 - p)
        return np.log(y.mean() / (1 - y.mean())) - np.log(odds.mean())

    def threshold(p, y):  # as many over one half as there are lesions
        z = np.log(p / (1 - p))
        return -np.quantile(z, 1 - y.mean())

    def by_probability(p, y):
        return brentq(lambda b: np.clip(p + b, 0, 1).mean() - y.mean(), -1, 1)

    def narrow(p, y):
        low, high = -5.0, 5.0
        for _ in range(60):
            b = (low + high) / 2
            low, high = (b, high) if moved(p, b) < y.mean() else (low, b)
        return b

    return [(root,), (newton,), (steps,)], [(of_odds,), (threshold,), (by_probability,), (narrow,)]


def _doctors_lead(space):
    def loops(network, doctor, truth):
        d = [int(a == y) - int(b == y) for a, b, y in zip(network, doctor, truth, strict=True)]
        mean = sum(d) / len(d)
        variance = sum((x - mean) ** 2 for x in d) / len(d)
        half = 1.96 * (variance / len(d)) ** 0.5
        return [mean - half, mean + half]

    def by_counts(network, doctor, truth):
        n = len(truth)
        one, other = np.sum((network == truth) & (doctor != truth)), np.sum((network != truth) & (doctor == truth))
        half = 1.96 / n * np.sqrt(one + other - (one - other) ** 2 / n)
        return np.array([(one - other) / n - half, (one - other) / n + half])

    def says_only(network, doctor, truth):
        d = network - doctor
        return d.mean() - 1.96 * d.std() / np.sqrt(len(d)), d.mean() + 1.96 * d.std() / np.sqrt(len(d))

    def disagreements_only(network, doctor, truth):
        d = (1.0 * (network == truth) - (doctor == truth))[network != doctor]
        return d.mean() - 1.96 * d.std() / np.sqrt(len(d)), d.mean() + 1.96 * d.std() / np.sqrt(len(d))

    def in_place(network, doctor, truth):
        network -= doctor
        return loops(network + doctor, doctor, truth)

    return [(loops,), (by_counts,)], [(says_only,), (disagreements_only,), (in_place,), (lambda *three: (0.0, 0.5),)]


def _tissue_forms(space):
    def transposed(x):
        out = []
        for k in range(4):
            turned = np.rot90(x, k)
            out += [turned, turned.transpose(1, 0, 2)]
        return out

    def by_hand(x):
        out = np.empty((8, *x.shape))
        for k in range(8):
            y = x.swapaxes(0, 1) if k & 4 else x
            out[k] = y[:: -1 if k & 1 else 1, :: -1 if k & 2 else 1]
        return out

    def in_place(x):
        out = transposed(x)
        x[...] = 0
        return out

    def all_axes(x):  # np.flip without an axis turns the colours round, too
        return [np.rot90(y, k) for y in (x, np.flip(x)) for k in range(4)]

    def grey(x):
        y = np.repeat(x.mean(axis=2, keepdims=True), 3, axis=2)
        return transposed(y)

    def mirrors(x):
        return [x, x[::-1], x[:, ::-1], x[::-1, ::-1]] * 2

    def chance(x):
        rng = np.random.default_rng(0)
        both = rng.integers(2, size=8), rng.integers(4, size=8)
        return [np.rot90(x[:, ::-1] if flip else x, k) for flip, k in zip(*both, strict=True)]

    return [(transposed,), (by_hand,)], [(in_place,), (all_axes,), (grey,), (mirrors,), (chance,)]


CASES = {
    "01-look-through-a-small-window": {
        "check_map": lambda space: (
            [("12, 3, 7, 14", "14"), (np.array([[12, 3], [7, 14]]), [14]), ((12.0, 3, 7, 14), np.int64(14))],
            [((12, 7, 3, 14), 14), ((11, 2, 6, 13), 13), ((12, 3, 7, 14), 9), ((12, 3, 7), 14)],
        ),
        "check_count": lambda space: (
            [(30, 15, 1216, 1_080_000), ("30", [15], "1,216", "1,080,000"), (30.0, 15, 1216, 1.08e6)],
            [(30, 15, 1200, 1_080_000), (31, 15, 1216, 1_153_200), (30, 15, 1216, 270_000), (30, 14, 1216, 1_080_000)],
        ),
        "check_spots": _window_spots,
    },
    "02-backpropagate-a-window": {
        "check_grads": lambda space: (
            [("4, -4, 7, 4", "2", "5"), ([[4, -4], [7, 4]], [2], 5.0), (np.array([4, -4, 7, 4]), np.float64(2), [5])],
            [((4, 7, -4, 4), 2, 5), ((4, -4, 7, 4), 6, 5), ((4, -4, 7, 4), 2, -3), ((1, 3, -4, 1), 2, 5)],
        ),
        "check_average": _window_average,
        "check_shape": lambda space: (
            [("(75, 576)", "1", "25"), ([75, 576], [1], np.int64(25))],
            [((576, 75), 1, 25), ((75, 784), 1, 25), ((75, 576), 25, 1), ((75, 576), 1, 75)],
        ),
    },
    "04-pool-or-not": {
        "check_fair": lambda space: (
            [("92,170", "5,770", "4"), ([92170], np.int64(5770), 4.0), (92_170.0, [5770], "4.0")],
            [(92_160, 5_760, 4), (92_170, 23_050, 4), (92_170, 5_770, 2), (5_770, 92_170, 4), (92_170, 5_770, 0)],
        ),
        "check_at_shift": _pool_at_shift,
    },
    "06-film-the-training": {
        "check_decision": lambda space: (
            [("0.5, 0", "0.622"), ([1 / 2, 0.0], [0.6225]), (np.array([0.5, 0]), np.float64(0.62246))],
            [((0, 0.5), 0.622), ((0.5, 0), 0.378), ((2.5, 1), 0.818), ((0.5, 0), 0.5), ((0, 1), 0.622)],
        ),
        "check_ready": _film_ready,
        "check_frozen": lambda space: (
            [("1,006", "0.479"), ([1006], 12_800 / 26_744), (np.int64(1006), "12800/26744")],
            [(208, 0.479), (1006, 0.171), (1006, 0.521), (876, 0.479)],
        ),
    },
    "03-shuffle-the-pixels": {
        "check_line": lambda space: (
            [("1, 5, 6, 2", [3, 2, 0, -1], (4, 1, -4)), (np.array([[1], [5], [6], [2]]), (3.0, 2, 0, -1), "4, 1, -4")],
            [
                ((2, 1, 6, 5), (3, 2, 0, -1), (4, 1, -4)),
                ((1, 5, 6, 2), (2, -1, 0, 3), (4, 1, -4)),
                ((1, 5, 6, 2), (3, 2, 0, -1), (-4, -1, 4)),
            ],
        ),
        "check_orders": lambda space: (
            [({"twist", "mirror"},), (["mirror", "twist"],), ("twist, mirror",)],
            [({"twist"},), ({"mirror", "twist", "pairs"},), (set(),), ({"mirror", "rows"},)],
        ),
        "check_alike": _shuffle_most_alike,
    },
    "05-look-at-the-filters": {
        "check_pair": lambda space: (
            [("4/9", 4.5, 0.1), (0.444, "9/2", [0.1]), (np.float64(0.4444), np.array([4.5]), 0.4 - 0.3)],
            [(0.44, 4.5, 0.3), (0.444, 4, 0.1), (0.444, 5.5, 0.1), (4 / 3, 4.5, 0.1), (0.444, 4.5, 0.7)],
        ),
        "check_twins": _filters_twins,
        "check_area": lambda space: (
            [("10/12", "2.83"), (0.833, 2.828), ([5 / 6], np.exp(1.5 * np.log(2)))],
            [(0.83, 3), (0.833, 1.04), (10, 2.83), (0.917, 2.83), (0.167, 2.83), (0.833, 2)],
        ),
    },
    "08-go-to-another-clinic": {
        "check_hand": lambda space: (
            [(0.351, 0.9, 0.512), ("0.35", "9/10", "0.512"), ([0.3512], np.float64(0.9), 0.512)],
            [(0.541, 0.9, 0.512), (0.351, 0.92, 0.512), (0.351, 0.9, 0.96), (0.108, 0.9, 0.512), (0.351, 90, 0.512)],
        ),
        "check_cure": lambda space: (
            [({"north", "east"}, "up", "mean"), ("east, north", "Up", "Mean"), (["north", "east"], '"up"', "mean")],
            [
                ({"east"}, "up", "mean"),
                ({"north", "east", "south"}, "up", "mean"),
                ({"north", "east"}, "down", "mean"),
                ({"north", "east"}, "up", "few"),
            ],
        ),
        "check_shift": _clinic_shift,
    },
    "09-ask-the-doctors": {
        "check_people": lambda space: (
            [(45, 38, 0.542, 0.174), ("45", "38", "45/83", "4/23"), ([45.0], np.int64(38), 0.5422, [0.1739])],
            [(45, 40, 0.542, 0.174), (45, 38, 0.55, 0.174), (45, 38, 0.542, 0.21), (0.9, 0.04, 0.542, 0.174)],
        ),
        "check_favour": lambda space: (
            [
                ({"threshold", "home", "hurry", "best"},),
                (["best", "hurry", "home", "threshold"],),
                ("threshold home hurry best",),
            ],
            [({"threshold", "home", "best"},), ({"threshold", "home", "hurry", "best", "paired"},), ([],), ("hurry",)],
        ),
        "check_lead": _doctors_lead,
    },
    "07-diagnose-tissue": {
        "check_pairs": lambda space: (
            [("3", "0.548", [0.775]), (3.0, np.float64(0.5477), "0.7746"), ([3], np.sqrt(0.3), np.sqrt(0.6))],
            [(3, 0.775, 0.548), (-3, 0.548, 0.775), (3, 1.22, 0.775), (3, 0.548, 1.73), (3, 0.3, 0.6), (3, 0.5, 0.8)],
        ),
        "check_fair": lambda space: (
            [
                (["best_seed", "test_rate", "one_rate"],),
                ("one_rate, best_seed, test_rate",),
                (("One_rate", "test_rate", "best_seed"),),
            ],
            [({"one_rate", "test_rate"},), ({"own_start", "same_pictures"},), ([],), ("all",)],
        ),
        "check_forms": _tissue_forms,
    },
}
