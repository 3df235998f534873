"""Right and wrong answers to checks of the part "limits"."""

import numpy as np


def _noise_fill(space):
    def loops(x, there):
        out = [float(v) for v in x]
        for i in range(len(x)):
            if not there[i]:
                near = [x[j] for j in (i - 1, i + 1) if 0 <= j < len(x) and there[j]]
                out[i] = sum(near) / len(near) if near else 0
        return out

    def nans(x, there):
        with np.errstate(invalid="ignore"):
            ink = np.pad(np.where(there, x, np.nan), 1, constant_values=np.nan)
            both = np.array([ink[:-2], ink[2:]])
            count = np.sum(~np.isnan(both), axis=0)
            mean = np.nansum(both, axis=0) / np.where(count, count, 1)
        return np.where(there, x, mean)

    def kept(x, there):
        ink, left = np.convolve(x * there, [1, 0, 1])[1:-1], np.convolve(1.0 * there, [1, 0, 1])[1:-1]
        return np.where(there, x, np.divide(ink, left, out=np.zeros(len(x)), where=left > 0))

    def in_turn(x, there):
        out = np.where(there, x, 0.0)
        for i in np.flatnonzero(~there):
            near = [out[j] for j in (i - 1, i + 1) if 0 <= j < len(x)]
            out[i] = np.mean(near)
        return out

    def from_the_left(x, there):
        return np.array([x[i] if there[i] else (x[i - 1] if i and there[i - 1] else 0.0) for i in range(len(x))])

    def in_place(x, there):
        x[...] = loops(x.copy(), there)
        return x

    def itself_too(x, there):
        ink, left = np.convolve(x * there, [1, 1, 1])[1:-1], np.convolve(1.0 * there, [1, 0, 1])[1:-1]
        return ink / np.maximum(left, 1)

    return [(loops,), (nans,), (kept,), (in_place,)], [(in_turn,), (from_the_left,), (itself_too,)]


def _deceive_back(space):
    def in_two_steps(x_new, x, size):
        return np.clip(np.clip(x_new, x - size, x + size), 0, 1)

    def by_the_change(x_new, x, size):
        return np.minimum(1, np.maximum(0, x + np.clip(x_new - x, -size, size)))

    def by_loops(x_new, x, size):
        return [min(max(a, b - size, 0), b + size, 1) for a, b in zip(x_new, x, strict=True)]

    def in_place(x_new, x, size):
        x_new[:] = in_two_steps(x_new, x, size)
        return x_new

    def always_to_the_edge(x_new, x, size):
        return np.clip(np.where(x_new > x, x + size, np.where(x_new < x, x - size, x)), 0, 1)

    def around_the_new(x_new, x, size):
        return np.clip(np.clip(x, x_new - size, x_new + size), 0, 1)

    def without_white(x_new, x, size):
        return np.minimum(1, np.clip(x_new, x - size, x + size))

    def shorter(x_new, x, size):
        d = x_new - x
        return np.clip(x + d * min(1, size / max(np.abs(d).max(), 1e-12)), 0, 1)

    return [(in_two_steps,), (by_the_change,), (by_loops,)], [
        (in_place,), (always_to_the_edge,), (around_the_new,), (without_white,), (shorter,),
    ]  # fmt: skip


def _change_of_answers(space):
    def by_loops(home, today):
        return sum(abs(np.mean([a == k for a in today]) - np.mean([a == k for a in home])) for k in range(10)) / 2

    def only_what_grew(home, today):  # what some gain the others lose
        return sum(max(0, np.mean(today == k) - np.mean(home == k)) for k in range(10))

    def by_overlap(home, today):
        p, q = (np.bincount(a, minlength=10) / len(a) for a in (home, today))
        return float(1 - np.minimum(p, q).sum())

    def squared(home, today):
        p, q = (np.bincount(a, minlength=10) / len(a) for a in (home, today))
        return np.sqrt(((p - q) ** 2).sum())

    def of_the_classes_at_home(home, today):
        return sum(abs(np.mean(today == k) - np.mean(home == k)) for k in np.unique(home)) / 2

    def over_one_length(home, today):
        p, q = np.bincount(home, minlength=10), np.bincount(today, minlength=10)
        return np.abs(p - q).sum() / 2 / len(home)

    return [(by_loops,), (only_what_grew,), (by_overlap,)], [(squared,), (of_the_classes_at_home,), (over_one_length,)]


def _let_it_pass_answer(space):
    def loops(p, price):
        found = []
        for row in p:
            best = max(range(len(row)), key=lambda k: row[k])
            found.append(best if 1 - row[best] <= price else -1)
        return found

    def masked(p, price):
        best = p.argmax(axis=1)
        best[1 - p.max(axis=1) > price] = -1
        return best

    def floats(p, price):
        return np.where(1 - p.max(axis=1) > price, -1.0, p.argmax(axis=1))

    def column(p, price):
        return np.where(p.max(axis=1) >= 1 - price, p.argmax(axis=1), -1)[:, None]

    def from_one(p, price):
        return np.where(p.max(axis=1) >= 1 - price, p.argmax(axis=1) + 1, -1)

    def zero_for_a_pass(p, price):
        return np.where(p.max(axis=1) >= 1 - price, p.argmax(axis=1), 0)

    def last_row_only(p, price):
        return p[-1].argmax() if p[-1].max() >= 1 - price else -1

    return [(loops,), (masked,), (floats,)], [(column,), (from_one,), (zero_for_a_pass,), (last_row_only,)]


def _pointing_game(space):
    def by_loop(maps, masks):
        hits = 0
        for one, mask in zip(maps, masks, strict=True):
            row, column = np.unravel_index(np.argmax(one), one.shape)
            hits += bool(mask[row, column])
        return hits / len(maps)

    def by_largest(maps, masks):
        largest = maps == maps.max(axis=(1, 2), keepdims=True)
        return (largest & masks).any(axis=(1, 2)).mean()

    def inside_is_largest(maps, masks):
        inside = np.where(masks, maps, -np.inf).max(axis=(1, 2))
        return np.mean(inside >= maps.max(axis=(1, 2)))

    def as_an_array(maps, masks):
        return [by_loop(maps, masks)]

    def in_the_first(maps, masks):
        return float(masks[0].ravel()[maps[0].argmax()])

    def largest_of_absolute(maps, masks):
        return by_loop(np.abs(maps), masks)

    def changes_its_maps(maps, masks):
        maps[~masks] = -np.inf
        return 1.0

    def percent(maps, masks):
        return 100 * by_loop(maps, masks)

    def by_the_mean(maps, masks):
        return np.mean([one[mask].mean() > one[~mask].mean() for one, mask in zip(maps, masks, strict=True)])

    right = [by_loop, by_largest, inside_is_largest, as_an_array]
    wrong = [in_the_first, largest_of_absolute, changes_its_maps, percent, by_the_mean]
    return [(one,) for one in right], [(one,) for one in wrong]


def _shuffle_within(space):
    def by_order(x, kinds, rng):
        rows = [np.flatnonzero(kinds == kind) for kind in dict.fromkeys(kinds.tolist())]
        new = np.empty_like(x)
        for part in rows:
            new[part] = x[rng.permutation(part)]
        return new

    def by_sorting(x, kinds, rng):  # two orders of all rows: by kind and chance, and by kind
        _, number = np.unique(kinds, return_inverse=True)
        new = np.empty_like(x)
        new[np.lexsort((rng.random(len(x)), number))] = x[np.argsort(number, kind="stable")]
        return new

    def as_a_list(x, kinds, rng):
        new = list(x)
        for kind in set(kinds):
            rows = [k for k in range(len(x)) if kinds[k] == kind]
            for k, value in zip(rows, rng.permutation([x[k] for k in rows]), strict=True):
                new[k] = value
        return new

    def of_the_first_kind_only(x, kinds, rng):
        new, rows = x.copy(), kinds == kinds[0]
        new[rows] = rng.permutation(x[rows])
        return rng.permutation(new)

    def kinds_side_by_side(x, kinds, rng):  # takes the groups for blocks
        new, at = x.copy(), 0
        for count in np.unique(kinds, return_counts=True)[1]:
            new[at : at + count] = rng.permutation(x[at : at + count])
            at += count
        return new

    def own_chance(x, kinds, rng):
        return by_order(x, kinds, np.random.default_rng(0))

    return [(by_order,), (by_sorting,), (as_a_list,)], [(of_the_first_kind_only,), (kinds_side_by_side,), (own_chance,)]


def _rows_needed(space):
    def by_segments(sizes, errors, target):
        if errors[0] <= target:
            return sizes[0]
        for k in range(len(sizes) - 1):
            (n, m), (e, f) = sizes[k : k + 2], errors[k : k + 2]
            if f <= target:
                return n * (m / n) ** ((e - target) / (e - f))
        return 0

    def reversed_interp(sizes, errors, target):
        if target < min(errors):
            return 0.0
        return 10 ** np.interp(target, errors[::-1], np.log10(sizes)[::-1])

    def in_rows(sizes, errors, target):  # straight in n, not in log n
        if target < min(errors):
            return 0.0
        return np.interp(target, errors[::-1], sizes[::-1])

    def log_log(sizes, errors, target):
        if target < min(errors):
            return 0.0
        return np.exp(np.interp(np.log(target), np.log(errors[::-1]), np.log(sizes)[::-1]))

    def largest_instead_of_0(sizes, errors, target):
        return np.exp(np.interp(target, errors[::-1], np.log(sizes)[::-1]))

    def from_the_second_on(sizes, errors, target):
        return by_segments(sizes[1:], errors[1:], target)

    return (
        [(by_segments,), (reversed_interp,), (lambda s, e, t: float(reversed_interp(s, e, t)),)],
        [(in_rows,), (log_log,), (largest_instead_of_0,), (from_the_second_on,)],
    )


def _whole_patients(space):
    def by_loop(patient, share, rng):
        names = sorted(set(patient))
        going = set(rng.choice(names, int(share * len(names)), replace=False))
        return [name in going for name in patient]

    def by_number(patient, share, rng):
        names, place = np.unique(patient, return_inverse=True)
        goes = np.zeros(len(names), int)
        goes[rng.permutation(len(names))[: int(np.ceil(share * len(names)))]] = 1
        return goes[place]

    def by_first_row(patient, share, rng):  # in the order in which they come
        names = np.array(list(dict.fromkeys(patient)))
        return np.isin(patient, names[: round(share * len(names))])

    def others(patient, share, rng):
        return ~np.array(by_loop(patient, share, rng))

    def rows_only(patient, share, rng):
        goes = np.zeros(len(patient), bool)
        goes[rng.choice(len(patient), round(share * len(patient)), replace=False)] = True
        return goes

    def until_enough_rows(patient, share, rng):  # counts rows, so a patient with many rows weighs
        names, rows = rng.permutation(np.unique(patient)), 0
        going = []
        for name in names:
            if rows < 2 * share * len(patient):
                going.append(name)
                rows += np.sum(patient == name)
        return np.isin(patient, going)

    def names_instead(patient, share, rng):
        names = np.unique(patient)
        return rng.permutation(names)[: round(share * len(names))]

    return [(by_loop,), (by_number,)], [
        (f,) for f in (by_first_row, others, rows_only, until_enough_rows, names_instead)
    ]


def _cost_share(space):
    """Amdahl's law, solved for the share in several ways."""

    def by_steps(S, k):
        for p in np.linspace(0, 1, 100_001):
            if 1 / (1 - p + p / k) >= S * (1 - 1e-9):
                return p
        return None

    right = [
        lambda S, k: (1 - 1 / S) / (1 - 1 / k),
        lambda S, k: k * (S - 1) / (S * (k - 1)),
        lambda S, k: np.float64(1 / S - 1) / (1 / k - 1),
        by_steps,
    ]
    wrong = [
        lambda S, k: 1 / (1 - S + S / k),
        lambda S, k: (1 - S) / (1 - k),
        lambda S, k: 100 * (1 - 1 / S) / (1 - 1 / k),
        lambda S, k: 1 - (1 - 1 / S) / (1 - 1 / k),
        lambda S, k: (1 - 1 / S) * k,
        lambda S, k: None,
        0.75,
    ]
    return [(f,) for f in right], [(f,) for f in wrong]


CASES = {
    "01-add-noise": {
        "check_lead": lambda space: (
            [(2, 4, 0.067), ("2", "4.0", "0.067"), (np.float64(2), [4], 0.0668)],
            [(4, 4, 0.067), (2, 2, 0.067), (2, 4, 0.159), (2, 4, 0.933), (5, 4, 0.067), (4, 2, 0.067), (2, 4, 0.023)],
        ),
        "check_fill": _noise_fill,
        "check_photos": lambda space: (
            [(16, 0.5), ("16", "1/2"), (np.int64(16), [0.5]), (16.0, ".5")],
            [(4, 0.5), (16, 0.25), (16, 2), (8, 0.5), (0.5, 16), (16, 1), (15, 0.5)],
        ),
    },
    "02-deceive-it": {
        "check_turn": lambda space: (
            [(0.6, 0.4, 0.2345, 0.15), ("0.6", "2/5", 0.1 * np.sqrt(5.5), "3/20"), ([0.6], 0.4, 0.235, [0.15])],
            [
                (1.6, 0.4, 0.2345, 0.4),
                (0.6, 0.2, 0.2345, 0.15),
                (0.6, 0.3, 0.2345, 0.2),
                (0.6, 0.4, 0.055, 0.15),
                (0.6, 0.4, 0.2, 0.15),
                (0.6, 0.4, 0.2345, 0.256),
                (-0.6, 0.4, 0.2345, 0.15),
            ],
        ),
        "check_back": _deceive_back,
        "check_report": lambda space: (
            [
                ({"one_beats_ten", "zero", "transfer", "large"},),
                (["large", "zero", "Transfer", "one_beats_ten"],),
                ("zero, large, transfer, one_beats_ten",),
            ],
            [
                ({"one_beats_ten", "zero", "transfer"},),
                ({"one_beats_ten", "zero", "transfer", "large", "lots"},),
                ({"ten_beats_one", "zero", "transfer", "large"},),
                (set(),),
                ("accuracy",),
            ],
        ),
    },
    "03-turn-it": {
        "check_repair": lambda space: (
            [(0.25, 2.731), ("0.25", "2.73"), (1 / 4, 6 / np.log(9)), ([0.25], [2.7307])],
            [
                (0.15, 2.731),
                (0.25, 0.366),
                (0.25, 2.606),
                (2.731, 0.25),
                (0.05, 2.73),
                (0, 2.73),
                (0.25, 5.4),
                (0.5, 2.731),
            ],
        ),
        "check_change": _change_of_answers,
    },
    "04-let-it-pass": {
        "check_curve": lambda space: (
            [
                (0.6, 1 / 3, 0.2967, 1.5),
                ("3/5", "1/3", "0.297", "3/2"),
                (np.float32(0.6), 0.3333, 0.29666, [1.5]),
            ],
            [
                (3, 1 / 3, 0.2967, 1.5),
                (0.6, 0.2, 0.2967, 1.5),
                (0.6, 1 / 3, 0.371, 1.5),
                (0.6, 1 / 3, 0.2967, 1.25),
                (0.4, 1 / 3, 0.2967, 1.5),
                (1 / 3, 0.6, 0.2967, 1.5),
            ],
        ),
        "check_answer": _let_it_pass_answer,
        "check_promise": lambda space: (
            [(99, "new"), ("99", "New"), (99.0, " new ")],
            [(98, "new"), (100, "new"), (99, "same"), (98.4, "new"), (99, "mix"), (33, "new")],
        ),
    },
    "05-see-where-it-looks": {
        "check_two": lambda space: (
            [(1, 1, 4, 1), ("1", 1.0, "4", 1), ([1], [1], [4.0], np.float64(1))],
            [(3, -1, 4, 1), (1, 1, 1, 4), (1, 1, 2, 1), (1, 1, -4, -1), (1, -1, 4, 1), (0, 0, 4, 1)],
        ),
        "check_game": _pointing_game,
        "check_carried": lambda space: (
            [({"dot", "control"},), ("control dot",), (["Dot", "control"],)],
            [({"dot"},), ({"control"},), ({"dot", "control", "healthy"},), ({"knows", "control"},), ([],)],
        ),
    },
    "06-see-what-it-uses": {
        "check_three": lambda space: (
            [(0.36, 0.09, 0.045), ("0.36", "9/100", "0.045"), (2 * 0.3**2 * 2, 0.3**2, [0.045])],
            [
                (0.36, 0.27, 0.135),
                (0.18, 0.09, 0.045),
                (0.36, 0.09, 0.09),
                (0.045, 0.09, 0.36),
                (1.2, 0.3, 0.15),
                (0.36, 0.09, 0),
            ],
        ),
        "check_within": _shuffle_within,
    },
    "07-count-the-examples": {
        "check_plan": lambda space: (
            [(127, 9), ("127", "9.0"), ([127], np.int64(9))],
            [(127, 8), (120, 9), (67, 9), (127, 6), (9, 127), (107, 9)],
        ),
        "check_needed": _rows_needed,
    },
    "09-take-your-own-data": {
        "check_frame": lambda space: (
            [(0.4397, 0.5060), ("0.440", "0.506"), ([0.43967], np.float64(0.50595))],
            [(0.4397, 0.5004), (0.634, 0.73), (0.506, 0.4397), (0.4397, 0.4397), (0.293, 0.367), (0.84, 0.8)],
        ),
        "check_apart": _whole_patients,
    },
    "08-pay-the-price": {
        "check_costs": lambda space: (
            [(920_000, 55_000), ("920,000", "55000"), ([920_000.0], np.int64(55_000)), (9.2e5, 5.5e4)],
            [
                (440_000, 55_000),
                (920_000, 50_000),
                (1_320_000, 55_000),
                (55_000, 920_000),
                (460, 55),
                (920_001, 55_000),
            ],
        ),
        "check_share": _cost_share,
        "check_bill": lambda space: (
            [(1.2, 56.46, 447.2), ("1.2", "56.5", "447"), ("6/5", 56.46, [447.15])],
            [
                (0.2, 56.46, 447.2),
                (1.2e20, 56.46, 447.2),
                (1.2, 4.878e6, 447.2),
                (1.2, 56.46, 0.447),
                (1.2, 447.2, 56.46),
                (1.2, 56.46, 491.9),
            ],
        ),
    },
}
