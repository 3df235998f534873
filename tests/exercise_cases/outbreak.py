"""Right and wrong answers to checks of the part "outbreak"."""

import numpy as np


def _bend_choose(space):
    def loops(x, y, degrees):
        def miss(degree, i):
            rest = np.arange(len(x)) != i
            return np.polyval(np.polyfit(x[rest], y[rest], degree), x[i]) - y[i]

        return min(degrees, key=lambda degree: sum(miss(degree, i) ** 2 for i in range(len(x))))

    def array(x, y, degrees):
        return np.array([loops(x, y, degrees)])

    def place(x, y, degrees):
        return degrees.index(loops(x, y, degrees))

    def absolute(x, y, degrees):  # the largest miss in place of the mean square
        out = [np.abs(space["left_out"](space["powers"](x, degree), y)[0]).max() for degree in degrees]
        return degrees[int(np.argmin(out))]

    def five_folds(x, y, degrees):
        def miss(degree, k):
            test = np.arange(len(x)) % 5 == k
            return np.sum((np.polyval(np.polyfit(x[~test], y[~test], degree), x[test]) - y[test]) ** 2)

        return min(degrees, key=lambda degree: sum(miss(degree, k) for k in range(5)))

    return [(loops,), (array,)], [(place,), (absolute,), (five_folds,)]


def _judge_measure(space):
    def loops(score, need, n):
        places = range(len(need))
        picked = sorted(places, key=lambda i: score[i], reverse=True)[:n]
        best = sorted(places, key=lambda i: need[i], reverse=True)[:n]
        return len({*picked} & {*best}) / n, sum(need[i] for i in picked) / sum(need[i] for i in best)

    def as_list(score, need, n):
        return [float(part) for part in loops(score, need, n)]

    def swapped(score, need, n):
        return loops(score, need, n)[::-1]

    def percent(score, need, n):
        return tuple(100 * part for part in loops(score, need, n))

    def of_all(score, need, n):  # a share of all regions, not of n
        first, second = loops(score, need, n)
        return first * n / len(need), second

    return [(loops,), (as_list,)], [(swapped,), (percent,), (of_all,)]


def _hold_back_honest(space):
    def in_a_loop(validation, new):
        return sum(after[list(before).index(min(before))] for before, after in zip(validation, new, strict=True)) / len(
            new
        )

    def by_taking_along(validation, new):
        return np.take_along_axis(new, np.argmin(validation, axis=1)[:, None], axis=1).mean(keepdims=True)

    def best_world(validation, new):
        return np.diag(new[:, validation.argmin(axis=1)]).min()

    def sum_of_all(validation, new):
        return new[np.arange(len(new)), validation.argmin(axis=1)].sum()

    def whole_columns(validation, new):
        return new[:, validation.argmin(axis=1)].mean()

    def best_entry(validation, new):
        return new.ravel()[validation.argmin()]

    return [(in_a_loop,), (by_taking_along,)], [(best_world,), (sum_of_all,), (whole_columns,), (best_entry,)]


def _overfit_added(space):
    def by_polyfit(fit, X, y, rng):
        added = 0.1 * rng.standard_normal(len(y))
        after, before = fit(X, y + added), fit(X, y)
        return np.polyfit(added, np.subtract(after, before), 1)[0]

    def by_covariance(fit, X, y, rng):
        added = rng.normal(scale=0.1, size=y.shape)
        table = np.cov(added, fit(X, y + added) - fit(X, y))
        return np.array([table[0, 1] / table[0, 0]])

    def by_solving(fit, X, y, rng):
        added = rng.normal(0, 0.1, len(y))
        return np.linalg.lstsq(added[:, None], fit(X, y + added) - fit(X, y), rcond=None)[0]

    def mean_of_ratios(fit, X, y, rng):
        added = rng.normal(0, 0.1, len(y))
        return np.mean((fit(X, y + added) - fit(X, y)) / added)

    def one_number_for_all(fit, X, y, rng):
        added = rng.normal(0, 0.1)
        return np.mean(fit(X, y + added) - fit(X, y)) / added

    def of_the_whole(fit, X, y, rng):
        added = rng.normal(0, 0.1, len(y))
        return np.polyfit(y + added, fit(X, y + added), 1)[0]

    def never_fits_again(fit, X, y, rng):
        return np.polyfit(y, fit(X, y), 1)[0]

    return [(by_polyfit,), (by_covariance,), (by_solving,)], [
        (mean_of_ratios,), (one_number_for_all,), (of_the_whole,), (never_fits_again,)
    ]  # fmt: skip


def _once_ladder(space):
    def arrays(errors, step):
        told = np.array(errors, dtype=float)
        for number in range(1, len(told)):
            if not told[number] < told[number - 1] - step:
                told[number] = told[number - 1]
        return told

    def best_told(errors, step):
        told = []
        for e in errors:
            told.append(e if not told or min(told) - e > step else min(told))
        return tuple(told)

    def rounded(errors, step):
        return [e - e % step if step else e for e in np.minimum.accumulate(errors)]

    def silent(errors, step):
        told = arrays(errors, step)
        return [told[0], *(told[1:][np.diff(told) != 0])]

    def above(errors, step):
        told = [errors[0]]
        for e in errors[1:]:
            told.append(e if e > told[-1] + step else told[-1])
        return told

    return [(arrays,), (best_told,)], [(rounded,), (silent,), (above,), (lambda errors, step: min(errors),)]


def _help_again(space):
    def loops(d, got_it, lots):
        def apart(rows):
            inside = [value for value, row in zip(d, rows, strict=True) if row]
            outside = [value for value, row in zip(d, rows, strict=True) if not row]
            return abs(sum(inside) / len(inside) - sum(outside) / len(outside))

        return sum(apart(rows) > apart(got_it) - 1e-9 for rows in lots) / len(lots)

    def matrices(d, got_it, lots):
        means = lots @ d / lots.sum(axis=1) - ~lots @ d / (~lots).sum(axis=1)
        seen = d[got_it].mean() - d[~got_it].mean()
        return [(np.abs(means) >= abs(seen) - 1e-9).mean()]

    def with_the_draw_itself(d, got_it, lots):
        return (1 + len(lots) * loops(d, got_it, lots)) / (1 + len(lots))

    def below(d, got_it, lots):
        seen = d[got_it].mean() - d[~got_it].mean()
        return np.mean([d[rows].mean() - d[~rows].mean() <= seen + 1e-9 for rows in lots])

    def only_those(d, got_it, lots):
        return np.mean([abs(d[rows].mean()) >= abs(d[got_it].mean()) - 1e-9 for rows in lots])

    def count(d, got_it, lots):
        return len(lots) * loops(d, got_it, lots)

    return [(loops,), (matrices,)], [(with_the_draw_itself,), (below,), (only_those,), (count,)]


def _outbreak_reached(space):
    from scipy.optimize import brentq

    def by_root(R, immune):
        if R * (1 - immune) <= 1:
            return 0.0
        return [brentq(lambda z: 1 - immune - z - (1 - immune) * np.exp(-R * z), 1e-6, 1 - immune)]

    def steps(R, immune, count=500, start=None):
        z = np.asarray(1 - immune if start is None else start)
        for _ in range(count):
            z = 1 - immune - (1 - immune) * np.exp(-R * z)
        return z

    wrong = [
        lambda R, immune: steps(R, immune, count=3),
        lambda R, immune: steps(R, immune, start=0.0),
        lambda R, immune: steps(R, 0.0) - immune,
        lambda R, immune: 1 - immune - steps(R, immune),
        lambda R, immune: max(0, 1 - immune - 1 / R),
        lambda R, immune: steps(R * (1 - immune), 0.0),
    ]
    return [(by_root,), (steps,)], [(f,) for f in wrong]


def _errors_dates(space):
    from datetime import date, timedelta

    days = [date(2032, 3, 1) + timedelta(k) for k in range(92)]

    def among_the_days(text):
        year, month, day = text.split("-")
        for reading in (text, f"2032-{month}-{day}", f"{year}-{day}-{month}"):
            for one in days:
                if reading == str(one):
                    return one
        return np.datetime64("NaT")

    def with_strptime(text):
        from datetime import datetime

        year, month, day = map(int, text.split("-"))
        for y, m, d in ((year, month, day), (2032, month, day), (year, day, month)):
            try:
                found = datetime(y, m, d)
            except ValueError:
                continue
            if days[0] <= found.date() <= days[-1]:
                return found
        return None

    def last_of_february(text):  # what does not exist becomes the day before it
        return with_strptime(text) or ("2032-02-28" if "02-30" in text else None)

    def exchanged_first(text):
        year, month, day = text.split("-")
        return with_strptime(f"{year}-{day}-{month}") or with_strptime(text)

    def year_only(text):
        found = with_strptime(text)
        return found if found and str(found.date())[5:] == text[5:] else None

    right = [(among_the_days,), (with_strptime,), (lambda text: np.datetime64(str(with_strptime(text) or "NaT")[:10]),)]
    return right, [(last_of_february,), (exchanged_first,), (year_only,), (lambda text: [with_strptime(text)],)]


def _errors_suspects(space):
    rules, oddity = space["rules"], space["oddity"]

    def by_position(table):
        return [bool(odd > 4) for odd in oddity(table)]

    def as_numbers(table):
        return (oddity(table) > 3.7).to_numpy().astype(int)

    def rules_and_nothing_else(table):
        return rules(table).any(axis=1).to_numpy() | (table["density"] > 9000).to_numpy()

    right = [(by_position,), (as_numbers,)]
    wrong = [(rules_and_nothing_else,), (lambda table: rules(table),), (lambda table: oddity(table) > 2.5,)]
    return right, [*wrong, (lambda table: np.flatnonzero(oddity(table) > 4),)]


def _encode_prepare(space):
    def steps(train, test):
        train, test = np.array(train), np.array(test)
        for j in range(train.shape[1]):
            column = train[:, j]
            mean = column[~np.isnan(column)].mean()
            for A in (train, test):
                A[np.isnan(A[:, j]), j] = mean
            size = train[:, j].std() or 1.0
            middle = train[:, j].mean()
            train[:, j] = (train[:, j] - middle) / size
            test[:, j] = (test[:, j] - middle) / size
        return [train, test]

    def by_name(train, test):
        train, test = steps(train, test)
        return {"test": test, "train": train}

    def library(train, test):
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        both = make_pipeline(SimpleImputer(), StandardScaler()).fit(train)
        return both.transform(train), both.transform(test)

    def zero_filled(train, test):
        train, test = np.nan_to_num(train), np.nan_to_num(test)
        size = np.where(train.std(axis=0) == 0, 1, train.std(axis=0))
        return (train - train.mean(axis=0)) / size, (test - train.mean(axis=0)) / size

    def scaled_before(train, test):  # deviation of the rows without gaps
        size = np.where(np.nanstd(train, axis=0) == 0, 1, np.nanstd(train, axis=0))
        return tuple(np.nan_to_num((A - np.nanmean(train, axis=0)) / size) for A in (train, test))

    def by_sample(train, test):
        a, b = steps(train, test)
        return a * np.sqrt(1 - 1 / len(a)), b * np.sqrt(1 - 1 / len(a))

    def swapped(train, test):
        return steps(train, test)[::-1]

    def over_zero(train, test):
        means = np.nanmean(train, axis=0)
        a, b = (np.where(np.isnan(A), means, A) for A in (train, test))
        return (a - a.mean(axis=0)) / a.std(axis=0), (b - a.mean(axis=0)) / a.std(axis=0)

    wrong = [(zero_filled,), (scaled_before,), (by_sample,), (swapped,), (over_zero,)]
    return [(steps,), (by_name,), (library,)], wrong


def _drives_held(space):
    def residuals(x, others, y):
        return space["slope"](space["rest"](x, others), space["rest"](y, others))

    def x_only(x, others, y):  # what is left of x is at right angles to the others: y may stay as it is
        return space["slope"](space["rest"](x, others), y)

    def centred(x, others, y):
        X = np.column_stack([x, others])
        return np.linalg.lstsq(X - X.mean(axis=0), y - y.mean(), rcond=None)[0][:1]

    def list_of_one(x, others, y):
        return [space["least_squares"](np.column_stack([others, x]), y)[0][-1]]

    def first_other_only(x, others, y):
        return space["least_squares"](np.column_stack([x, others[:, :1]]), y)[0][1]

    def correlation(x, others, y):
        return np.corrcoef(space["rest"](x, others), space["rest"](y, others))[0, 1]

    def standardized(x, others, y):
        return residuals(x, others, y) * x.std() / y.std()

    right = [(residuals,), (x_only,), (centred,), (list_of_one,)]
    return right, [(first_other_only,), (correlation,), (standardized,), (lambda x, others, y: -2,)]


def _group_index(space):
    from itertools import combinations

    def table_of_counts(one, other):
        names, others = np.unique(one, return_inverse=True)[1], np.unique(other, return_inverse=True)[1]
        counts = np.zeros((names.max() + 1, others.max() + 1))
        np.add.at(counts, (names, others), 1)

        def pairs(n):
            return (n * (n - 1) / 2).sum()

        both, a, b = pairs(counts), pairs(counts.sum(axis=1)), pairs(counts.sum(axis=0))
        expected = a * b / pairs(np.array(len(names)))
        return [(both - expected) / ((a + b) / 2 - expected)]

    def loops(one, other):
        n = both = a = b = 0
        for i, j in combinations(range(len(one)), 2):
            n += 1
            a += one[i] == one[j]
            b += other[i] == other[j]
            both += one[i] == one[j] and other[i] == other[j]
        return np.float64(both - a * b / n) / ((a + b) / 2 - a * b / n)

    def with_itself(one, other):  # counts each row with itself as a pair
        a, b = (np.equal.outer(np.asarray(g), np.asarray(g)) for g in (one, other))
        expected = a.sum() * b.sum() / a.size
        return ((a & b).sum() - expected) / ((a.sum() + b.sum()) / 2 - expected)

    def plain_above_chance(one, other):
        both, a, b, n = space["_counts"](one, other)
        return (both - a * b / n) / n

    def rounded(one, other):
        return round(float(loops(one, other)), 1)

    right = [(table_of_counts,), (loops,), (space["adjusted_rand_score"],)]
    return right, [(with_itself,), (plain_above_chance,), (rounded,), (lambda one, other: 1.0,)]


def _second_wave_tune(space):
    def stacked(X, y, w_old, strengths):
        root = np.sqrt(strengths)
        A, b = np.vstack([X, np.diag(root)]), np.append(y, root * w_old)
        return np.linalg.lstsq(A, b)[0]

    def by_inverse(X, y, w_old, strengths):
        S = np.diag(strengths)
        return list(np.linalg.inv(X.T @ X + S) @ (X.T @ y + S @ w_old))

    def one_for_all(X, y, w_old, strengths):
        A = X.T @ X + np.mean(strengths) * np.eye(len(w_old))
        return w_old + np.linalg.solve(A, X.T @ (y - X @ w_old))

    def half(X, y, w_old, strengths):
        return stacked(X, y, w_old, np.asarray(strengths) / 2)

    wrong = [one_for_all, half, lambda X, y, w_old, s: w_old, lambda X, y, w_old, s: stacked(X, y, -w_old, s)]
    return [(stacked,), (by_inverse,)], [(f,) for f in wrong]


def _fill_gaps(space):
    from sklearn.linear_model import LinearRegression

    def with_scikit_learn(x, Z, y, rng):
        gap, known = np.isnan(x), np.column_stack([Z, y])
        model = LinearRegression().fit(known[~gap], x[~gap])
        off = x[~gap] - model.predict(known[~gap])
        filled = x.copy()
        filled[gap] = rng.normal(model.predict(known[gap]), np.sqrt(np.sum(off**2) / (len(off) - Z.shape[1] - 2)))
        return filled

    def with_distances_of_others(x, Z, y, rng):  # chance drawn from those that the whole rows show
        gap, A = np.isnan(x), np.column_stack([np.ones(len(x)), Z, y])
        b = np.linalg.lstsq(A[~gap], x[~gap])[0]
        off = x[~gap] - A[~gap] @ b
        return [a @ b + rng.choice(off) if np.isnan(v) else v for a, v in zip(A, x, strict=True)]

    def with_a_line_of_its_own(x, Z, y, rng):  # as Rubin would have it: the line is uncertain, too
        gap, A = np.isnan(x), np.column_stack([Z, y, np.ones(len(x))])
        b, squares, *_ = np.linalg.lstsq(A[~gap], x[~gap])
        variance = squares[0] / rng.chisquare((~gap).sum() - A.shape[1])
        b = rng.multivariate_normal(b, variance * np.linalg.inv(A[~gap].T @ A[~gap]))
        return np.where(gap, A @ b + np.sqrt(variance) * rng.standard_normal(len(x)), x)

    def without_constant(x, Z, y, rng):
        gap, A = np.isnan(x), np.column_stack([Z, y])
        b = np.linalg.lstsq(A[~gap], x[~gap])[0]
        return np.where(gap, A @ b + np.std((x - A @ b)[~gap]) * rng.standard_normal(len(x)), x)

    def in_place(x, Z, y, rng):
        x[:] = with_scikit_learn(x, Z, y, rng)
        return x

    def uniform(x, Z, y, rng):  # reaches as far as one deviation, and so is too narrow
        filled = with_scikit_learn(x, Z, y, rng)
        said, narrow = space["_filled"](lambda x, off: 0.0)(x, Z, y, rng), rng.uniform(-1, 1, len(x))
        return np.where(np.isnan(x), said + narrow * np.nanstd(filled - said), x)

    def from_numpy(x, Z, y, rng):
        return with_scikit_learn(x, Z, y, np.random)

    right = [(with_scikit_learn,), (with_distances_of_others,), (with_a_line_of_its_own,)]
    return right, [(without_constant,), (in_place,), (uniform,), (from_numpy,)]


def _groupings_noise(space):
    def loops(X, eps, min_samples):
        n = len(X)
        near = [[j for j in range(n) if np.linalg.norm(X[i] - X[j]) <= eps] for i in range(n)]
        core = [len(rows) >= min_samples for rows in near]
        return [not any(core[j] for j in rows) for rows in near]

    def from_groups(X, eps, min_samples):
        return (space["DBSCAN"](eps=eps, min_samples=min_samples).fit_predict(X) == -1).astype(int)

    def strictly(X, eps, min_samples):
        near = ((X[:, None] - X) ** 2).sum(axis=2) < eps**2
        return ~(near & (near.sum(axis=1) >= min_samples)).any(axis=1)

    def without_itself(X, eps, min_samples):
        near = ((X[:, None] - X) ** 2).sum(axis=2) <= eps**2
        return ~(near & (near.sum(axis=1) - 1 >= min_samples)).any(axis=1)

    def border_passes_on(X, eps, min_samples):  # near somebody who is near a core
        near = ((X[:, None] - X) ** 2).sum(axis=2) <= eps**2
        taken = (near & (near.sum(axis=1) >= min_samples)).any(axis=1)
        return ~(near & taken).any(axis=1)

    def squared_forgotten(X, eps, min_samples):
        near = ((X[:, None] - X) ** 2).sum(axis=2) <= eps
        return ~(near & (near.sum(axis=1) >= min_samples)).any(axis=1)

    wrong = [strictly, without_itself, border_passes_on, squared_forgotten, lambda X, eps, m: np.zeros(len(X), bool)]
    return [(loops,), (from_groups,)], [(function,) for function in wrong]


CASES = {
    "10-overfit-on-purpose": {
        "check_cost": lambda space: ([("25", 35.0, 600.0), (25, "70/2", [600])], [(26.5, 35, 600), (25, 36, 600)]),
        "check_added": _overfit_added,
    },
    "11-find-what-holds-it-back": {
        "check_first": lambda space: (
            [("1.75", [1.9], "17/10")],
            [(1.95, 1.9, 1.7), (1.75, 1.9, 1.8), (1.75, 1.7, 1.7)],
        ),
        "check_paired": lambda space: (
            [(3.4, 1.42, 1), ("17/5", "1.418", "true")],
            [(3.4, 0.51, True), (3.4, 2.37, True), (3.4, 1.42, False)],
        ),
        "check_honest": _hold_back_honest,
    },
    "12-open-the-test-set-once": {
        "check_bound": lambda space: (
            [(0.14, 3130), ("0.1399", "3,130"), ([np.sqrt(7.824 / 400)], np.int64(3130))],
            [(0.14, 3129), (0.14, 3129.6), (2.797, 3130), (0.0989, 1565), (0.007, 3130), (0.14, 783)],
        ),
        "check_looks": lambda space: (
            [(["patience", "seed", "outliers"],), ("seed, outliers, patience",)],
            [({"seed"},), ({"seed", "patience", "folds", "outliers"},), ({"report"},), (set(),)],
        ),
        "check_ladder": _once_ladder,
    },
    "14-did-it-help": {
        "check_did": lambda space: (
            [(-0.5, -0.47, -0.375), ("-1/2", "-0.470", ["-3/8"]), (np.float64(-0.5), [np.log(0.625)], "-0.375")],
            [
                (0.5, 0.47, 0.375),
                (-0.5, -0.204, -0.375),
                (-0.5, -0.47, 0.625),
                (-0.5, -0.47, -0.3),
                (-50, -0.47, -37.5),
            ],
        ),
        "check_designs": lambda space: (
            [(["pairs", "lots"],), ("lots, pairs",), (("Lots", "PAIRS"),)],
            [({"pairs"},), ({"lots", "pairs", "volunteers"},), ({"everywhere"},), (set(),)],
        ),
        "check_again": _help_again,
    },
    "01-meet-the-outbreak": {
        "check_double": lambda space: (
            [(0.104, 2.3), ("0.1041", "2.301"), ([0.10409], np.float64(2.30099))],
            [(0.104, 2.2), (0.1, 2.3), (10.4, 2.3), (1.104, 2.3)],
        ),
        "check_tests": lambda space: ([(3.42,), ("3.425",), ([3.43],)], [(3.0,), (2.68,), (6.0,)]),
        "check_immune": _outbreak_reached,
    },
    "02-find-the-errors": {
        "check_calls": lambda space: (
            [(0.8, 0.9, 12.5), ("4/5", np.float64(0.9), "12.5"), ([0.8], "36/40", 450 / 36)],
            [(0.9, 0.8, 12.5), (0.8, 0.9, 11.25), (80, 90, 12.5), (0.8, 0.9, 450)],
        ),
        "check_dates": _errors_dates,
        "check_suspects": _errors_suspects,
    },
    "04-encode-and-scale": {
        "check_levels": lambda space: (
            [(-1.5, 3, 3), ("-3/2", "3", [3.0])],
            [(1.5, 3, 3), (3, 3, -1.5), (-1.5, 6, 3), (-1.5, 3, 6)],
        ),
        "check_after": lambda space: (
            [({"target", "mean", "neighbours", "standardize"},), ("mean target standardize neighbours",)],
            [(["standardize", "mean", "neighbours", "target", "logarithm"],), ([],), ("imputer",)],
        ),
        "check_prepare": _encode_prepare,
    },
    "05-ask-what-drives-it": {
        "check_alone": lambda space: (
            [(0.1, -0.3), ("1/10", "−0.30"), ([0.1], np.float64(-0.3))],
            [(-0.3, 0.1), (0.1, 0), (0.2, -0.3), (0.4, -0.3)],
        ),
        "check_nets": lambda space: (
            [({"swamp", "wealth"},), ("wealth, swamp",), (("Wealth", "swamp"),)],
            [([],), (["wealth", "swamp", "bites"],), (["wealth", "swamp", "absent"],), ("kind",)],
        ),
        "check_held": _drives_held,
    },
    "06-fit-a-curve": {
        "check_parabola": lambda space: (
            [([0.5, -0.1], -0.4, 35), ("0.5, -1/10", "-2/5", "35"), ((0.5, -0.1), [-0.4], np.int64(35))],
            [([0.3, 0.1], -0.4, 35), ([0.5, -0.1], -3.4, 35), ([0.5, -0.1], -0.4, 12)],
        ),
        "check_leverage": lambda space: (
            [(0.893, 0.467, 0.112), ("25/28", "0.4667", 0.1118)],
            [(0.893, 0.0053, 0.112), (0.89, 0.45, 0.11), (0.893, 0.467, 0.05)],
        ),
        "check_choose": _bend_choose,
    },
    "09-judge-the-groups": {
        "check_by_hand": lambda space: (
            [(0.75, 0.571, -0.75), ("3/4", "4/7", "-3/4"), ([0.75], np.float64(0.5714), -0.75)],
            [(0.75, 0.57, 0.75), (0.25, 0.571, -0.75), (0.75, 0.4, -0.75)],
        ),
        "check_numbers": lambda space: (
            [(2, 4, "older"), ("2", "4", "Older"), (2.0, np.int64(4), '"older"')],
            [(2, 2, "older"), (2, 4, "hospital"), (2, 4, "both"), (0.41, 4, "older")],
        ),
        "check_measure": _judge_measure,
    },
    "07-group-the-regions": {
        "check_line": lambda space: (
            [([1.5, 9], 18.5), ("1.5, 9", "37/2"), (np.array([[1.5], [9.0]]), np.float64(18.5))],
            [((9, 1.5), 18.5), ((1.5, 9), 18.0), ((1, 7.25), 36.75), ((1.5, 9), 7), ((1.5, 9, 9), 18.5)],
        ),
        "check_pairs": lambda space: (
            [("3/5", "1/6"), (0.6, 0.167), ([0.6], np.float64(0.1667))],
            [(0.6, 0.2), (0.6, 0.6), (0.2, 0.167), (6, 0.167), (0.6, 0.4)],
        ),
        "check_index": _group_index,
    },
    "13-meet-the-second-wave": {
        "check_lines": lambda space: (
            [(-0.42, 0.24, -0.2), ("-0.42", [0.24], "-1/5"), (np.float64(-0.42), 0.24, -0.2)],
            [(0.42, -0.24, 0.2), (-0.42, 0.24, 0), (-0.42, 0.02, -0.2), (0.24, -0.42, -0.2)],
        ),
        "check_kinds": lambda space: (
            [({"vaccine", "schools"},), (["schools", "vaccine"],), ("vaccine, schools",)],
            [({"schools"},), ({"villages", "tourists"},), ({"vaccine", "villages", "schools"},)],
        ),
        "check_tune": _second_wave_tune,
    },
    "03-drop-or-fill": {
        "check_reasons": lambda space: (
            [(True, True, True, False), (1, "True", "1", 0)],
            [(True, True, True, True), (True, False, False, False)],
        ),
        "check_rows": lambda space: ([(0.663, 1.23), ("0.6634", [1.2277])], [(0.66, 1.2), (0.663, 0.814), (0.6, 1.23)]),
        "check_fill": _fill_gaps,
    },
    "08-try-other-groupings": {
        "check_merge": lambda space: (
            [("2", "225/4", "6.5"), (2.0, 56.25, 6.5), ([2], np.float64(56.2), 6.5)],
            [(4, 56.25, 6.5), (2, 112.5, 6.5), (2, 7.5, 6.5), (2, 56.25, 62.75), (2, 56.25, 4.5)],
        ),
        "check_walk": lambda space: (
            [(1, 5, 12), ("1", 5.0, [12]), (np.int64(1), "5", np.array([12]))],
            [(2, 5, 12), (1, 4, 12), (1, 5, (7, 12)), (1, 5, 1), (1, 6, 12)],
        ),
        "check_noise": _groupings_noise,
    },
}
