"""Right and wrong answers to checks of the part "sequences"."""

import numpy as np


def _feed_clip(space):
    def by_division(g, limit):
        return g / max(1.0, np.sqrt(np.sum(np.square(g))) / limit)

    def as_a_list(g, limit):
        length = sum(part**2 for part in g) ** 0.5
        return [part * limit / length for part in g] if length > limit else list(g)

    def in_place(g, limit):
        g *= min(1, limit / max(np.linalg.norm(g), 1e-12))
        return g

    def by_largest(g, limit):
        return g * limit / max(limit, np.abs(g).max())

    def by_sum(g, limit):
        return g * limit / max(limit, np.abs(g).sum())

    def each_alone(g, limit):
        return np.sign(g) * np.minimum(np.abs(g), limit)

    def nothing_left(g, limit):
        return np.where(np.linalg.norm(g) > limit, 0, g)

    right = [(by_division,), (as_a_list,)]
    return right, [(by_largest,), (by_sum,), (each_alone,), (nothing_left,), (in_place,)]


def _forecast_usable(space):
    def loops(origin, weeks, last):
        found = []
        for s in range(8, origin + 1):
            if s + weeks <= origin:
                found.append(s)
        return found[max(len(found) - last, 0) :]

    def as_array(origin, weeks, last):
        return np.arange(max(8, origin - weeks - last + 1), origin - weeks + 1)

    def backwards(origin, weeks, last):
        return list(range(origin - weeks, 7, -1))[:last]

    def one_early(origin, weeks, last):
        return [s for s in range(8, origin) if s + weeks < origin][-last:]

    def no_start(origin, weeks, last):
        return np.arange(origin - weeks - last + 1, origin - weeks + 1)

    def sees_ahead(origin, weeks, last):
        return [s for s in range(8, origin + 1)][-last:]

    def pads(origin, weeks, last):
        return [max(8, origin - weeks - k) for k in reversed(range(last))]

    right = [(loops,), (as_array,), (lambda o, w, k: tuple(range(8, o - w + 1))[-k:],)]
    return right, [(backwards,), (one_early,), (no_start,), (sees_ahead,), (pads,)]


def _letters_longest(space):
    def all_pairs(sample, source):
        return max(b - a for a in range(len(sample)) for b in range(a, len(sample) + 1) if sample[a:b] in source)

    def shrinking(sample, source):
        for size in range(len(sample), 0, -1):
            if any(sample[at : at + size] in source for at in range(len(sample) - size + 1)):
                return float(size)
        return 0

    def table(sample, source):
        ends = np.zeros((len(sample) + 1, len(source) + 1), dtype=int)
        for i, a in enumerate(sample):
            for j, b in enumerate(source):
                ends[i + 1, j + 1] = ends[i, j] + 1 if a == b else 0
        return ends.max()

    def of_the_text(sample, source):
        return max(int(x) for x in space["copied"](sample, source))

    def subsequence(sample, source):
        rest = iter(source)
        return sum(letter in rest for letter in sample)

    def whole_only(sample, source):
        return len(sample) if sample in source else 0

    def shared_words(sample, source):
        return max((len(w) for w in sample.split() if w in source.split()), default=0)

    def greedy_restart(sample, source):
        best = run = ""
        for letter in sample:
            run = run + letter if run + letter in source else letter if letter in source else ""
            best = max(best, run, key=len)
        return len(best)

    return (
        [(all_pairs,), (shrinking,), (table,), (of_the_text,)],
        [(subsequence,), (whole_only,), (shared_words,), (greedy_restart,), (lambda sample, source: sample in source,)],
    )


def _forge_found(space):
    def loops(points, middles, radius):
        count = [0] * len(middles)
        for x in points:
            away = [float(np.hypot(*(x - middle))) for middle in middles]
            if min(away) <= radius:
                count[away.index(min(away))] += 1
        return sum(part / len(points) >= 0.02 for part in count)

    def squares(points, middles, radius):
        square = ((points[None] - middles[:, None]) ** 2).sum(axis=2)
        mine = (square == square.min(axis=0)) & (square <= radius**2)
        return np.count_nonzero(mine.mean(axis=1) >= 0.02)

    def as_float(points, middles, radius):
        return float(loops(points, middles, radius))

    def in_place(points, middles, radius):
        found = loops(points, middles, radius)
        points -= middles[0]
        middles[:] = 0
        return found

    def more_than(points, middles, radius):
        away = np.linalg.norm(points[:, None] - middles, axis=2)
        good = away.min(axis=1) <= radius
        return np.sum(np.bincount(away.argmin(axis=1)[good], minlength=len(middles)) > 0.02 * len(points))

    def square_box(points, middles, radius):
        away = np.abs(points[:, None] - middles).max(axis=2)
        good = away.min(axis=1) <= radius
        return np.sum(np.bincount(away.argmin(axis=1)[good], minlength=len(middles)) >= 0.02 * len(points))

    def share(points, middles, radius):
        return loops(points, middles, radius) / len(middles)

    right = [(loops,), (squares,), (as_float,), (in_place,)]
    return right, [(more_than,), (square_box,), (share,), (lambda points, middles, radius: 4,)]


def _attend_windowed(space):
    def masked(scores, back):
        T = len(scores)
        seen = np.tril(np.ones((T, T), bool)) & ~np.tril(np.ones((T, T), bool), -back - 1)
        e = np.where(seen, np.exp(scores - scores.max()), 0)
        return e / e.sum(axis=1, keepdims=True)

    def loops(scores, back):
        scores = np.asarray(scores, float)
        found = np.zeros(scores.shape)
        for i in range(len(scores)):
            first = max(0, i - back)
            e = np.exp(scores[i, first : i + 1])
            found[i, first : i + 1] = e / e.sum()
        return found

    def in_place(scores, back):
        for i in range(len(scores)):
            for j in range(len(scores)):
                if not 0 <= i - j <= back:
                    scores[i, j] = -np.inf
        e = np.exp(scores)
        return e / e.sum(axis=1, keepdims=True)

    def masked_after_the_softmax(scores, back):
        e = np.exp(scores)
        A = e / e.sum(axis=1, keepdims=True)
        return np.tril(A) - np.tril(A, -back - 1)

    def zeros_before_the_softmax(scores, back):
        e = np.exp(np.tril(scores) - np.tril(scores, -back - 1))
        return e / e.sum(axis=1, keepdims=True)

    def one_too_few(scores, back):
        return loops(scores, max(back - 1, 0))

    def ahead_as_well(scores, back):
        ago = np.abs(np.subtract.outer(np.arange(len(scores)), np.arange(len(scores))))
        e = np.where(ago <= back, np.exp(scores), 0)
        return e / e.sum(axis=1, keepdims=True)

    def columns_sum_to_one(scores, back):
        e = np.where(loops(scores, back) > 0, np.exp(scores), 0)
        return e / e.sum(axis=0)

    def whole_table(scores, back):
        e = np.where(loops(scores, back) > 0, np.exp(scores), 0)
        return e / e.sum()

    def hard(scores, back):
        kept = loops(scores, back)
        return (kept == kept.max(axis=1, keepdims=True)).astype(float)

    right = [(masked,), (loops,), (in_place,), (lambda scores, back: loops(scores, back).tolist(),)]
    wrong = [
        (masked_after_the_softmax,), (zeros_before_the_softmax,), (one_too_few,), (ahead_as_well,),
        (columns_sum_to_one,), (whole_table,), (hard,), (lambda scores, back: loops(scores, back)[-1],),
        (lambda scores, back: loops(scores, len(scores)),),
    ]  # fmt: skip
    return right, wrong


def _remember_forget_bias(space):
    def bisected(lag, left):
        low, high = -50.0, 50.0
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if (1 / (1 + np.exp(-middle))) ** lag < left else (low, middle)
        return low

    def through_logs(lag, left):
        f = np.exp(np.log(left) / lag)
        return [-np.log(1 / f - 1)]

    def rounded(lag, left):
        f = round(left ** (1 / lag), 2)
        return np.log(f / (1 - f)) if f < 1 else 9.0

    def hours(lag, left):
        return -lag / np.log(left)

    right = [(bisected,), (through_logs,)]
    wrong = [(rounded,), (hours,), (lambda lag, left: np.log(lag) - np.log(-np.log(left)),), (lambda lag, left: 5,)]
    return right, wrong


def _past_only(space):
    def with_views(x, width):
        y = np.zeros(len(x))
        if len(x) > width:
            windows = np.lib.stride_tricks.sliding_window_view(x, width)[:-1]
            y[width:] = (x[width:] - windows.mean(axis=1)) / windows.std(axis=1)
        return y

    def in_a_list(x, width):
        return [
            0.0 if t < width else float((x[t] - np.mean(x[t - width : t])) / np.var(x[t - width : t]) ** 0.5)
            for t in range(len(x))
        ]

    def through_the_variance(x, width):
        y = np.zeros(len(x))
        for t in range(width, len(x)):
            y[t] = (x[t] - np.mean(x[t - width : t])) / np.var(x[t - width : t])
        return y

    def unbiased(x, width):
        y = np.zeros(len(x))
        for t in range(width, len(x)):
            y[t] = (x[t] - np.mean(x[t - width : t])) / np.std(x[t - width : t], ddof=1)
        return y

    def of_everything_before(x, width):
        y = np.zeros(len(x))
        for t in range(width, len(x)):
            y[t] = (x[t] - np.mean(x[:t])) / np.std(x[:t])
        return y

    def changes_what_was_given(x, width):
        y = np.zeros(len(x))
        for t in range(width, len(x)):
            y[t] = x[t] = (x[t] - np.mean(x[t - width : t])) / np.std(x[t - width : t])
        return y

    return (
        [(with_views,), (in_a_list,)],
        [(through_the_variance,), (unbiased,), (of_everything_before,), (changes_what_was_given,)],
    )


def _order_gap(space):
    def with_take(f, x, order):
        return float(np.linalg.norm((f(np.take(x, order, axis=0)) - np.take(f(x), order, axis=0)).ravel(), np.inf))

    def by_rows(f, x, order):
        whole, mixed = f(x), f(np.array([x[k] for k in order]))
        return max(abs(a - b) for k, row in zip(order, mixed, strict=True) for a, b in zip(row, whole[k], strict=True))

    def back_again(f, x, order):  # puts the shuffled output back: the same differences
        found = np.empty_like(x)
        found[order] = f(x[order])
        return np.max(np.abs(found - f(x)))

    def squared(f, x, order):
        return ((f(x[order]) - f(x)[order]) ** 2).max()

    def of_the_first_column(f, x, order):
        return np.abs(f(x[order]) - f(x)[order])[:, 0].max()

    def reversed_instead(f, x, order):
        return np.abs(f(x[::-1]) - f(x)[::-1]).max()

    return [(with_take,), (by_rows,), (back_again,)], [(squared,), (of_the_first_column,), (reversed_instead,)]


def _forged_closeness(space):
    def by_loops(made, unseen, training):
        def middle(pictures):
            return np.median([min(np.sqrt(np.sum((p - t) ** 2)) for t in training) for p in pictures])

        return middle(made) / middle(unseen)

    def by_products(made, unseen, training):
        def middle(pictures):
            d = (pictures**2).sum(1)[:, None] + (training**2).sum(1) - 2 * pictures @ training.T
            return np.quantile(np.sqrt(np.maximum(d, 0)).min(axis=1), 0.5)

        return float(middle(made) / middle(unseen))

    def of_means(made, unseen, training):
        return by_loops(made, unseen, training.mean(axis=0, keepdims=True))

    def of_sums(made, unseen, training):
        d = [np.abs(part[:, None] - training).sum(axis=2).min(axis=1) for part in (made, unseen)]
        return np.median(d[0]) / np.median(d[1])

    return [(by_loops,), (by_products,)], [
        (of_means,),
        (of_sums,),
        (lambda made, unseen, training: by_loops(made, unseen, made),),
    ]


CASES = {
    "01-feed-it-back": {
        "check_by_hand": lambda space: (
            [("5/2", "1.25", 1.5), (2.5, [1.25], np.float64(1.5)), ([2.5], "5/4", "3/2")],
            [(2.5, 1.0, 1.5), (2.5, 1.25, 0.5), (2, 1.25, 1.5), (2.5, 1.5, 1.25), (2.5, 0.875, 1.5)],
        ),
        "check_clip": _feed_clip,
        "check_days": lambda space: (
            [("1216", "90"), (1216.0, np.int64(90)), ([1216], [90.0])],
            [(1184, 90), (1216, 89), (1216, 89.8), (1216, 91), (58432, 90), (1216, 44)],
        ),
    },
    "05-forecast-the-weeks": {
        "check_two_weeks": lambda space: (
            [("6.8", 7.3, "1.35"), (6.8, np.float64(7.3), np.exp(0.3)), ([6.8], "7.30", 1.3499)],
            [
                (6.4, 7.3, 1.35),
                (6.8, 6.6, 1.35),
                (6.8, 7.2, 1.35),
                (6.8, 7.3, 0.3),
                (6.8, 7.3, 0.741),
                (7.3, 6.8, 1.35),
            ],
        ),
        "check_usable": _forecast_usable,
        "check_leaks": lambda space: (
            [
                (["best_lag", "random_fifth", "column_scale"],),
                ("column_scale, random_fifth, best_lag",),
                (("Best_lag", "column_scale", "random_fifth"),),
            ],
            [
                ({"column_scale", "random_fifth"},),
                ({"column_scale", "random_fifth", "best_lag", "refit"},),
                ({"column_scale", "random_fifth", "best_lag", "other_country"},),
                ([],),
                ("last_week",),
            ],
        ),
    },
    "04-write-letters": {
        "check_bits": lambda space: (
            [("8/3", 6.35, 0.616), (2.667, "6.35", [3.08 / 5]), (np.float64(8 / 3), 2 ** (8 / 3), "0.616")],
            [(8, 6.35, 0.616), (1.85, 6.35, 0.616), (8 / 3, 256, 0.616), (8 / 3, 6.35, 0.6), (8 / 3, 6.35, 1)],
        ),
        "check_longest": _letters_longest,
        "check_worth": lambda space: (
            [
                ({"shuffled", "weight", "stop", "signs"},),
                (["signs", "stop", "weight", "shuffled"],),
                ("shuffled, weight, stop, signs",),
            ],
            [({"shuffled", "stop"},), ({"shuffled", "weight", "stop", "signs", "same"},), (set(),), ("seeds",)],
        ),
    },
    "07-forge-and-judge": {
        "check_judge": lambda space: (
            [(("2/3", 0.25), "0.6068"), ([0.667, "1/4"], 0.607), (np.array([2 / 3, 0.25]), np.float64(0.60684))],
            [
                ((0.25, 2 / 3), 0.607),
                ((2 / 3, 0.25), 1.214),
                ((2 / 3, 0.25), -0.607),
                ((2 / 3, 0.75), 0.607),
                ((2, 1 / 3), 0.607),
                ((2 / 3, 0.25), 0.693),
            ],
        ),
        "check_found": _forge_found,
    },
    "06-pay-attention": {
        "check_look": lambda space: (
            [((0.576, 0.212, 0.212), 5.34), ("0.576, 0.212, 0.212", "5.336"), ([0.5761, 0.2119, 0.2119], [5.337])],
            [
                ((0.787, 0.107, 0.107), 5.34),
                ((0.576, 0.212, 0.212), 7.65),
                ((0.212, 0.576, 0.212), 5.34),
                ((1, 0, 0), 10),
                ((0.576, 0.212, 0.212), -5.34),
            ],
        ),
        "check_windowed": _attend_windowed,
        "check_file": lambda space: (
            [(32_000_000, 0.94), ("32,000,000", "4000/4256"), (np.int64(32_000_000), [0.9398])],
            [(4_000_000, 0.94), (32_000_000, 0.06), (32_000_000, 0.969), (16_000, 0.94), (32_000_001, 0.94)],
        ),
    },
    "02-remember": {
        "check_cell": lambda space: (
            [("1.7", "0.468", 7), (1.7, np.float64(0.4677), "7"), ([1.7], 0.5 * np.tanh(1.7), 7.0)],
            [(1.9, 0.468, 7), (1.7, 0.935, 7), (1.7, 0.468, 6), (1.7, 0.85, 7), (1.7, 0.468, 6.58), (0.468, 1.7, 7)],
        ),
        "check_forget_bias": _remember_forget_bias,
        "check_luck": lambda space: (
            [(0.832, 0.03, "seeds"), ("0.832", "3/100", "Seeds"), (1 - 0.7**5, [0.03], '"seeds"')],
            [(0.832, 0.3, "seeds"), (1.5, 0.03, "seeds"), (0.832, 0.03, "longer"), (0.00243, 0.03, "seeds")],
        ),
    },
    "03-normalize-a-sequence": {
        "check_hand": lambda space: (
            [
                (0.4, 0.4, (1.414, 0, -1.414, 0)),
                ("2/5", "4/10", "1.41, 0, -1.41, 0"),
                ([0.4], 0.4, [2**0.5, 0, -(2**0.5), 0]),
            ],
            [
                (0.4, -0.4, (1.414, 0, -1.414, 0)),
                (0.4, 0.4, (4, 0, -4, 0)),
                (0.4, 0.4, (1.22, 0, -1.22, 0)),
                (0.5, 0.5, (1.414, 0, -1.414, 0)),
                (0.4, 0.4, (-1.414, 0, 1.414, 0)),
            ],
        ),
        "check_past": _past_only,
        "check_who": lambda space: (
            [
                ({"batch", "block"}, {"batch", "step"}),
                ("block batch", "step, batch"),
                (["Batch", "block"], ("step", "batch")),
            ],
            [
                ({"batch"}, {"batch", "step"}),
                ({"batch", "block"}, {"batch"}),
                ({"batch", "block", "window"}, {"batch", "step"}),
                ([], []),
            ],
        ),
    },
    "09-choose-a-network": {
        "check_count": lambda space: (
            [(397, 24960), ("397", "24,960"), ([397.0], np.int64(24960))],
            [(397, 24576), (384, 24960), (398, 24960), (24960, 397), (397, 2496)],
        ),
        "check_gap": _order_gap,
    },
    "08-forge-digits": {
        "check_counts": lambda space: (
            [(3.364, 0.75), ("3.36", "3/4"), (np.exp(1.21301), 6 / 8), ([3.3636], [0.75])],
            [(1.213, 0.75), (3.36, 0.25), (4, 0.75), (3.36, 6), (0.75, 3.36), (3.36, 0.5), (3.6, 0.75)],
        ),
        "check_closeness": _forged_closeness,
    },
}
