"""Further right and wrong answers for single checks: what readers gave, what once passed or was refused wrongly."""

import numpy as np

from nnlib.schedules import CosineDecay

# chapter -> check -> function of the chapter's names that returns (right answers, wrong answers), tuples each


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


def _he_uniform(fan_in, fan_out, rng, shape=None):
    a = np.sqrt(6 / fan_in)
    return rng.uniform(-a, a, shape or (fan_in, fan_out))


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


def _know_jump(space):
    def either_side(x, y, cuts, width):  # the cut itself on both sides, as once passed
        def jump(c):
            left, right = y[(x >= c - width) & (x <= c)], y[(x >= c) & (x <= c + width)]
            return right.mean() - left.mean() if min(len(left), len(right)) >= 10 else -np.inf

        return max(cuts, key=jump)

    return [], [(either_side,)]


def _sweep_own(space):
    table = space["studies"].query("target == 'standardized' and seed < 3 and epochs == 128 and optimizer == 'Adam'")
    means = table.groupby(["learning_rate", "batch_size"]).val_rmse.mean()
    rate, size = means.idxmin()
    best = table[(table.learning_rate == rate) & (table.batch_size == size)]
    return [(best,), (best.drop_duplicates(),)], [(best.drop(columns="seed"),), (best[best.seed < 2],)]


def _look_pixels(space):
    def loops(bitmap):
        pixels = [[0.0] * 8 for _ in range(8)]
        for i in range(32):
            for j in range(32):
                pixels[i // 4][j // 4] += bitmap[i][j] / 16
        return pixels

    def in_two_steps(bitmap):
        lines = np.add.reduceat(bitmap, np.arange(0, 32, 4), axis=0)
        return np.add.reduceat(lines, np.arange(0, 32, 4), axis=1) / 16

    def by_products(bitmap):
        block = np.kron(np.eye(8), np.ones((1, 4)))
        return block @ bitmap @ block.T / 16

    def whole_division(bitmap):
        return in_two_steps(bitmap) // 1

    def by_the_darkest(bitmap):
        pixels = in_two_steps(bitmap)
        return pixels / pixels.max()

    def every_fourth(bitmap):
        return sum(bitmap[k::8, k::8] for k in range(4)).repeat(2, axis=0).repeat(2, axis=1) / 4

    def as_a_row(bitmap):
        return in_two_steps(bitmap).ravel()

    right = [(loops,), (in_two_steps,), (by_products,)]
    return right, [(whole_division,), (by_the_darkest,), (every_fourth,), (as_a_row,)]


def _wrong_line_leaky(space):
    forward = space["leaky_forward"]

    def loops(X, Y, W1, b1, W2, mask, p):
        dW1, db1, dW2 = np.zeros(W1.shape), np.zeros(b1.shape), np.zeros(W2.shape)
        for row in range(len(X)):
            z1 = X[row] @ W1 + b1
            scale = mask[row] / (1 - p)
            h1 = np.maximum(z1, 0.1 * z1) * scale
            dy = (h1 @ W2 - Y[row]) / len(X)
            dz1 = W2 @ dy * scale * (0.1 + 0.9 * (z1 > 0))
            dW1 += np.outer(X[row], dz1)
            db1 += dz1
            dW2 += np.outer(h1, dy)
        return dW1, db1, dW2

    def asked_of_the_output(X, Y, W1, b1, W2, mask, p):
        _, h1, y = forward(X, W1, b1, W2, mask, p)
        dy = (y - Y) / len(X)
        dz1 = dy @ W2.T * np.where(h1 > 0, 1, 0.1) * mask / (1 - p)
        return {"dW1": X.T @ dz1, "db1": dz1.sum(axis=0, keepdims=True), "dW2": h1.T @ dy}

    def without_biases(X, Y, W1, b1, W2, mask, p):
        dW1, db1, dW2 = loops(X, Y, W1, 0 * b1, W2, mask, p)
        return dW1, db1, dW2

    def in_place(X, Y, W1, b1, W2, mask, p):
        found = loops(X, Y, W1, b1, W2, mask, p)
        Y -= 1
        return found

    def another_mask(X, Y, W1, b1, W2, mask, p):
        return loops(X, Y, W1, b1, W2, np.ones_like(mask), p)

    def every_unit_on(X, Y, W1, b1, W2, mask, p):
        _, h1, y = forward(X, W1, b1, W2, mask, p)
        dy = (y - Y) / len(X)
        dz1 = dy @ W2.T * mask / (1 - p)
        return X.T @ dz1, dz1.sum(axis=0), h1.T @ dy

    def mean_of_biases(X, Y, W1, b1, W2, mask, p):
        dW1, db1, dW2 = loops(X, Y, W1, b1, W2, mask, p)
        return dW1, db1 / len(X), dW2

    wrong = [without_biases, in_place, another_mask, every_unit_on, mean_of_biases]
    return [(loops,), (asked_of_the_output,)], [(answer,) for answer in wrong]


def _digits_forward(space):
    def row_by_row(self, X):
        parts = [[], [], [], []]
        for x in X:
            z1 = x @ self.parameters["W1"] + self.parameters["b1"]
            z2 = self.f(z1) @ self.parameters["W2"] + self.parameters["b2"]
            shares = np.exp(z2 - max(z2))
            for part, new in zip(parts, (z1, self.f(z1), z2, shares / sum(shares)), strict=True):
                part.append(new)
        self.z1, self.a1, self.z2, self.a2 = map(np.array, parts)
        return self.a2.tolist()

    def largest_of_all(self, X):
        _digits_solved(space, "forward")(self, X)
        shares = np.exp(self.z2 - self.z2.max())  # of all rows: another row's shares may all be 0
        self.a2 = shares / shares.sum(axis=1, keepdims=True)
        return self.a2

    def keeps_another(self, X):
        self.a2 = _digits_solved(space, "forward")(self, X)
        self.a1 = self.z1
        return self.a2

    def largest_only(self, X):
        a2 = _digits_solved(space, "forward")(self, X)
        return (a2 == a2.max(axis=1, keepdims=True)).astype(float)

    return [(row_by_row,)], [(largest_of_all,), (keeps_another,), (largest_only,)]


def _digits_solved(space, name):
    return space[f"{name}_solved"]


def _digits_loss(space):
    def picked(self, X, Y):
        self.forward(X)
        return -np.mean(space["log_softmax"](self.z2)[np.arange(len(Y)), Y.argmax(axis=1)])

    def row_by_row(self, X, Y):
        self.forward(X)
        highest = self.z2.max(axis=1)
        rows = highest + np.log(np.exp(self.z2 - highest[:, None]).sum(axis=1)) - (Y * self.z2).sum(axis=1)
        return [rows.mean()]

    def clipped(self, X, Y):
        return -np.mean(np.log(np.maximum((Y * self.forward(X)).sum(axis=1), 1e-15)))

    def of_the_largest(self, X, Y):
        return -np.mean(np.log(self.forward(X).max(axis=1)))

    def yes_and_no(self, X, Y):
        p = np.clip(self.forward(X), 1e-300, 1 - 1e-16)
        return -np.sum(Y * np.log(p) + (1 - Y) * np.log(1 - p)) / len(X)

    return [(picked,), (row_by_row,)], [(clipped,), (of_the_largest,), (yes_and_no,)]


def _digits_backward(space):
    def row_by_row(self, X, Y):
        total = {name: np.zeros_like(array) for name, array in self.parameters.items()}
        for x, y in zip(X, Y, strict=True):
            dz2 = (self.forward(x[None])[0] - y) / len(X)
            dz1 = self.parameters["W2"] @ dz2 * self.slope(self.a1[0])
            for name, slope in {"W1": np.outer(x, dz1), "b1": dz1, "W2": np.outer(self.a1[0], dz2), "b2": dz2}.items():
                total[name] += slope
        return {name: total[name].tolist() for name in ("b2", "b1", "W2", "W1")}

    def other_rows(self, X, Y):
        return _digits_solved(space, "backward")(self, X[::-1], Y)

    def largest_class(self, X, Y):
        self.forward(X)
        return _digits_solved(space, "backward")(self, X, np.eye(Y.shape[1])[self.a2.argmax(axis=1)])

    def first_row(self, X, Y):
        return _digits_solved(space, "backward")(self, X[:1], Y[:1])

    return [(row_by_row,)], [(other_rows,), (largest_class,), (first_row,)]


def _digits_train(space):
    def counted(self, X, Y, epochs, validation=None):
        done, parameters = 0, self.network.parameters
        while done < epochs:
            self.update(parameters, self.network.backward(X, Y))
            self.training_losses += [self.network.loss(X, Y)]
            if validation:
                V, T = validation
                self.validation_losses += [self.network.loss(V, T)]
            done += 1
        return self

    def row_by_row(self, X, Y, epochs, validation=None):
        for _ in range(epochs):
            for i in range(len(X)):
                self.update(self.network.parameters, self.network.backward(X[i : i + 1], Y[i : i + 1]))
            self.training_losses.append(self.network.loss(X, Y))
            if validation is not None:
                self.validation_losses.append(self.network.loss(*validation))
        return self

    def last_only(self, X, Y, epochs, validation=None):
        for _ in range(epochs):
            self.update(self.network.parameters, self.network.backward(X, Y))
        self.training_losses.append(self.network.loss(X, Y))
        return self

    def own_rate(self, X, Y, epochs, validation=None):
        for _ in range(epochs):
            for name, slope in self.network.backward(X, Y).items():
                self.network.parameters[name] -= 0.1 * slope
            self.training_losses.append(self.network.loss(X, Y))
            if validation is not None:
                self.validation_losses.append(self.network.loss(*validation))
        return self

    def both_of_the_training(self, X, Y, epochs, validation=None):
        _digits_solved(space, "train")(self, X, Y, epochs, validation and (X, Y))
        return self

    return [(counted,)], [(row_by_row,), (last_only,), (own_rate,), (both_of_the_training,)]


def _draw_shrink(space):
    def loops(bitmap):
        counts = [[0] * 8 for _ in range(8)]
        for row in range(32):
            for column in range(32):
                counts[row // 4][column // 4] += int(bitmap[row, column])
        return counts

    def slices(bitmap):
        return sum(bitmap[a::4, b::4].astype(int) for a in range(4) for b in range(4))

    def sums(bitmap):
        return np.add.reduceat(np.add.reduceat(bitmap.astype(float), range(0, 32, 4), 0), range(0, 32, 4), 1)

    def any_ink(bitmap):
        return bitmap.reshape(8, 4, 8, 4).any(axis=(1, 3))

    def sum_of_bools(bitmap):
        return sum(bitmap[a::4, b::4] for a in range(4) for b in range(4)) > 0

    def too_narrow(bitmap):
        return sums(bitmap)[:, :7]

    def only_the_corners(bitmap):
        return bitmap[::4, ::4].astype(int) * 16

    def empties(bitmap):
        bitmap[...] = False
        return sums(bitmap)

    wrong = [any_ink, sum_of_bools, too_narrow, only_the_corners, empties, lambda bitmap: 16 - sums(bitmap)]
    return [(loops,), (slices,), (sums,)], [(answer,) for answer in wrong]


def _draw_centre(space):
    def margins(bitmap):
        inked = [bitmap.any(1), bitmap.any(0)]
        if not inked[0].any():
            return bitmap
        first = [part.argmax() for part in inked]
        after = [part[::-1].argmax() for part in inked]
        return np.roll(bitmap, [(b - a) // 2 for a, b in zip(first, after, strict=True)], (0, 1))

    def cut_and_paste(bitmap):
        rows, columns = np.nonzero(bitmap)
        out = [[False] * bitmap.shape[1] for _ in bitmap]
        if len(rows):
            high, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
            top, left = (len(out) - high) // 2, (len(out[0]) - wide) // 2
            for r, c in zip(rows, columns, strict=True):
                out[top + r - rows.min()][left + c - columns.min()] = True
        return out

    def one_more_above(bitmap):
        inked = [bitmap.any(1), bitmap.any(0)]
        shift = [(part[::-1].argmax() - part.argmax() + 1) // 2 for part in inked]
        return np.roll(bitmap, shift, (0, 1)) if bitmap.any() else bitmap

    def only_rows(bitmap):
        inked = bitmap.any(1)
        return np.roll(bitmap, (inked[::-1].argmax() - inked.argmax()) // 2, 0)

    def transposed(bitmap):
        return margins(bitmap.T).T if bitmap.shape[0] == bitmap.shape[1] else bitmap

    def for_32(bitmap):
        rows, columns = np.nonzero(bitmap)
        if not len(rows):
            return bitmap
        return np.roll(bitmap, [16 - int(np.ceil(np.mean([a.min(), a.max()]))) for a in (rows, columns)], (0, 1))

    def erases(bitmap):
        moved = margins(bitmap)
        bitmap[...] = False
        return moved if bitmap.shape[0] > 20 else bitmap

    wrong = [one_more_above, only_rows, transposed, for_32, erases]
    return [(margins,), (cut_and_paste,)], [(answer,) for answer in wrong]


def _say_it_into(space):
    nn = space["nn"]

    def in_float32(parameters):
        weights = [parameters[f"W{k}"] for k in range(1, len(parameters) // 2 + 1)]
        biases = [parameters[f"b{k}"] for k in range(1, len(parameters) // 2 + 1)]
        kinds = ["sigmoid"] * (len(weights) - 1) + ["softmax"]
        layers = [nn.Dense(W.shape[1], kind) for W, kind in zip(weights, kinds, strict=True)]
        model = nn.Sequential(layers, dtype="float32").build(len(weights[0]))
        for layer, W, b in zip(layers, weights, biases, strict=True):
            np.copyto(layer.params["W"], W.astype("float32"))
            layer.params["b"][:] = b
        return model

    def in_the_order_of_the_dict(parameters):
        values = list(parameters.values())
        model = nn.Sequential(
            [nn.Dense(b.size, "sigmoid") for b in values[1:-1:2]] + [nn.Dense(values[-1].size, "softmax")]
        )
        model.build(len(values[0]))
        for layer, W, b in zip(model.layers, values[::2], values[1::2], strict=True):
            layer.params["W"] += W - layer.params["W"]
            layer.params["b"] += b
        return model

    def from_a_flat_array(parameters):
        model = in_the_order_of_the_dict({name: 0 * w for name, w in parameters.items()})
        every = sorted(parameters.values(), key=lambda w: w.ndim < 2)
        model.set_weights([np.concatenate([w.ravel() for w in every])])
        return model

    def sigmoid_at_the_end(parameters):
        values = list(parameters.values())
        model = nn.Sequential([nn.Dense(b.size, "sigmoid") for b in values[1::2]]).build(len(values[0]))
        for layer, W, b in zip(model.layers, values[::2], values[1::2], strict=True):
            layer.params["W"][...], layer.params["b"][...] = W, b
        return model

    def not_built(parameters):
        return nn.Sequential([nn.Dense(parameters["b1"].size, "softmax")])

    def put_in_place(parameters):
        model = in_the_order_of_the_dict(parameters)
        for k, layer in enumerate(model.layers, start=1):
            layer.params["b"] = parameters[f"b{k}"]
        model.params[...] = 0
        return model

    right = [in_float32, in_the_order_of_the_dict, from_a_flat_array]
    wrong = [sigmoid_at_the_end, not_built, put_in_place, lambda parameters: parameters]
    return [(f,) for f in right], [(f,) for f in wrong]


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


def _stop_in_time_threshold(space):
    def by_counting(p, truth, most_wrong):
        order = np.argsort(-p.max(axis=1))
        sure = p.max(axis=1)[order]
        errors = np.cumsum(p.argmax(axis=1)[order] != truth[order])
        fit = np.flatnonzero(errors <= most_wrong * np.arange(1, len(p) + 1))
        return sure[fit[-1]] if len(fit) else 2.0

    def in_loops(p, truth, most_wrong):
        best = 2
        for candidate in p:
            t = max(candidate)
            passed = [(row.argmax() != label) for row, label in zip(p, truth, strict=True) if max(row) >= t]
            if sum(passed) / len(passed) <= most_wrong and t < best:
                best = t
        return best

    def of_all_digits(p, truth, most_wrong):  # the share of all digits, not of those that pass
        wrong = p.argmax(axis=1) != truth
        good = [t for t in p.max(axis=1) if wrong[p.max(axis=1) >= t].sum() <= most_wrong * len(p)]
        return min(good, default=2)

    def of_the_true_class(p, truth, most_wrong):
        sure = p[np.arange(len(p)), truth]
        wrong = p.argmax(axis=1) != truth
        return min((t for t in sure if wrong[sure >= t].mean() <= most_wrong), default=2)

    def on_a_grid(p, truth, most_wrong):
        sure, wrong = p.max(axis=1), p.argmax(axis=1) != truth
        grid = [t for t in np.linspace(0, 1, 101) if (sure >= t).any() and wrong[sure >= t].mean() <= most_wrong]
        return min(grid, default=2)

    def with_infinity(p, truth, most_wrong):
        t = by_counting(p, truth, most_wrong)
        return np.inf if t == 2 else t

    wrong = [of_all_digits, of_the_true_class, on_a_grid, with_infinity]
    return [(by_counting,), (in_loops,)], [(f,) for f in wrong]


def _gaps_start(space):
    def relu_by_mask(z):
        return z * (z > 0)

    def he_by_rows(fan_in, fan_out, rng):
        return [rng.normal(0, (2 / fan_in) ** 0.5, fan_out) for _ in range(fan_in)]

    def he_uniform(fan_in, fan_out, rng):
        return rng.uniform(-1, 1, (fan_in, fan_out)) * np.sqrt(6 / fan_in)

    def in_place(z):
        z[z < 0] = 0
        return z

    right = [
        (relu_by_mask, np.sign, he_by_rows),
        (in_place, lambda a: np.where(a > 0, 1, 0), he_uniform),
        (lambda z: [[max(x, 0) for x in row] for row in z], lambda a: (a != 0) * 1.0, he_uniform),
    ]
    wrong = [
        (relu_by_mask, lambda a: a >= 0, he_by_rows),
        (relu_by_mask, np.sign, lambda m, n, rng: np.full((m, n), np.sqrt(2 / m))),
        (relu_by_mask, np.sign, lambda m, n, rng: _he_uniform(m, n, rng) / 2),
        (np.abs, np.sign, he_by_rows),
    ]
    return right, wrong


def _gaps_loop(space):
    def popped(n, size, rng):
        left = list(range(n))
        rng.shuffle(left)
        found = []
        while left:
            found.append(left[:size])
            left = left[size:]
        return found

    def yielded(n, size, rng):
        yield from np.split(rng.permutation(n), range(size, n, size))

    def shortest(losses, patience):
        lowest, kept = np.inf, 0
        for epoch, loss in enumerate(losses, 1):
            if loss < lowest:
                lowest, kept = loss, epoch
            elif epoch - kept == patience:
                return kept
        return kept

    def ties_count(losses, patience):
        lowest, kept = np.inf, 0
        for epoch, loss in enumerate(losses, 1):
            if loss <= lowest:
                lowest, kept = loss, epoch
            elif epoch - kept == patience:
                return kept
        return kept

    right = [(popped, shortest), (yielded, lambda losses, patience: [shortest(losses, patience)])]
    wrong = [
        (popped, ties_count),
        (lambda n, size, rng: popped(n, size, rng)[::-1], shortest),
        (lambda n, size, rng: rng.permutation(n), shortest),
        (lambda n, size, rng: [np.arange(n)], shortest),
    ]
    return right, wrong


def _gaps_adam(space):
    class InLoops:
        def __init__(self, rate):
            self.rate, self.step, self.state = rate, 0, {}

        def __call__(self, parameters, gradients):
            self.step += 1
            for name, array in parameters.items():
                m, v = self.state.setdefault(name, (np.zeros_like(array), np.zeros_like(array)))
                m += 0.1 * (gradients[name] - m)
                v += 0.001 * (gradients[name] ** 2 - v)
                rate = self.rate * np.sqrt(1 - 0.999**self.step) / (1 - 0.9**self.step)
                array[...] -= rate * m / (np.sqrt(v) + 1e-8)
            return parameters

    def only_once(rate):
        inner = InLoops(rate)

        def update(parameters, gradients):
            if inner.step == 0:
                inner(parameters, gradients)

        return update

    def no_update(rate):
        return {"rate": rate}

    return [(InLoops,)], [(only_once,), (no_update,), (lambda rate: InLoops,), (lambda rate: InLoops(2 * rate),)]


def _framework_carry(space):
    def by_name(state):
        weights = {f"W{place // 2 + 1}": np.transpose(state[f"{place}.weight"]).tolist() for place in (0, 2)}
        return {**weights, "b1": state["0.bias"], "b2": list(state["2.bias"])}

    def column_by_column(state):
        W1, W2 = (state[name].ravel(order="F").reshape(state[name].shape[::-1]) for name in ("0.weight", "2.weight"))
        return [W1, state["0.bias"], W2, state["2.bias"]]

    def takes_them_out(state):
        return state.pop("0.weight").T, state.pop("0.bias"), state.pop("2.weight").T, state.pop("2.bias")

    def turned(state):  # a quarter turn has the right shape as well
        return np.rot90(state["0.weight"]), state["0.bias"], np.rot90(state["2.weight"]), state["2.bias"]

    def by_shape(state):
        W1, b1, W2, b2 = state.values()
        return W1.T if W1.shape[0] != W1.shape[1] else W1, b1, W2.T, b2

    def without_biases(state):
        return state["0.weight"].T, 0 * state["0.bias"], state["2.weight"].T, 0 * state["2.bias"]

    def one_bias(state):  # adding a number to all scores changes no probability
        return state["0.weight"].T, state["0.bias"], state["2.weight"].T, state["2.bias"] + 3

    right = [(by_name,), (column_by_column,), (takes_them_out,), (one_bias,)]
    return right, [(turned,), (by_shape,), (without_biases,)]


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
    "01-look-at-the-digits": {
        "check_pixels": _look_pixels,
        "check_scaled": lambda space: ([("3/8", "1.5"), (np.float64(0.375), [1.5])], [(1.5, 0.375), (0.375, 2 / 3)]),
        "check_hardest": lambda space: ([(4, 0.77), ("4", "10/13"), (np.int64(4), 0.769)], [(4, 0.8), (11, 0.81)]),
    },
    "02-ask-an-expert": {"check_jump": _know_jump},
    "08-use-a-framework": {
        "check_shape": lambda space: ([((10, 32), 2410), ("(10, 32)", "2,410")], [((32, 10), 2410), ((10, 32), 2400)]),
        "check_carry": _framework_carry,
        "check_twice": lambda space: ([(1.46,), ("1.461",), (-np.log(0.232),)], [(1.5,), (0.232,), (2.3,)]),
    },
    "09-doubt-the-winner": {"check_own": _sweep_own},
    "04-fill-the-gaps": {"check_start": _gaps_start, "check_loop": _gaps_loop, "check_adam": _gaps_adam},
    "05-find-the-wrong-line": {
        "check_dz1": lambda space: ([([0, 8, 0],), ("0, 8, 0",)], [((0, 8),), ((0, 8.1, 0),)]),
        "check_suspects": lambda space: (
            [(["square", "elu"],), ("elu, square",)],
            [({"elu"},), ({"square"},), ({"elu", "square", "leaky"},), ({"softplus"},)],
        ),
        "check_leaky": _wrong_line_leaky,
    },
    "02-write-the-network": {
        "check_forward": _digits_forward,
        "check_loss": _digits_loss,
        "check_backward": _digits_backward,
    },
    "03-train-the-network": {"check_train": _digits_train},
    "09-draw-a-digit": {
        "check_tiny": lambda space: (
            [(8, 0.731, 0.881), ("8", "0.7311", np.float64(0.8808)), ([8], 0.73106, [0.881])],
            [(0.5, 0.731, 0.881), (8, 0.731, 0.5), (8, 1, 0.881), (8, 0.269, 0.119)],
        ),
        "check_shrink": _draw_shrink,
        "check_centre": _draw_centre,
    },
    "10-overfit-on-purpose": {
        "check_cost": lambda space: ([("25", 35.0, 600.0), (25, "70/2", [600])], [(26.5, 35, 600), (25, 36, 600)]),
        "check_diagnosis": lambda space: (
            [("Noise", " stiff ", "nothing", "LEAK")],
            [("noise", "nothing", "nothing", "leak"), ("noise", "stiff", "nothing", "noise")],
        ),
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
    "07-stop-in-time": {
        "check_cost": lambda space: ([(0.0698, 0.276), ("0.0698", 0.2764)], [(0.07, 0.3), (6.98, 27.6)]),
        "check_gap": lambda space: ([(0.02, 0.00853, 1), ("8/400", "0.00853", "true")], [(0.02, 0.0085, False)]),
        "check_threshold": _stop_in_time_threshold,
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
    "06-say-it-in-nnlib": {
        "check_friend": lambda space: ([("2/1437",), (0.00139,), ([0.001392],)], [(0.0014,), (0.001,)]),
        "check_into": _say_it_into,
    },
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
        "check_remedy": lambda space: (
            [("Rows", "pooling", '"copies"'), (["rows"], np.array("pooling"), " copies ")],
            [("pooling", "pooling", "copies"), ("copies", "pooling", "rows"), ("rows", "copies", "pooling")],
        ),
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
        "check_runs": lambda space: (
            [("imitates", "collapsed", "caught", "fooled"), ("Imitates", '"collapsed"', "caught ", "fooled")],
            [
                ("imitates", "collapsed", "fooled", "caught"),
                ("collapsed", "imitates", "caught", "fooled"),
                ("imitates", "fooled", "caught", "fooled"),
                ("imitates", "collapsed", "caught", "imitates"),
            ],
        ),
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
        "check_which": lambda space: (
            [("windows", "dense", "recurrent", "attention"), ("Windows", " dense", "RECURRENT", "attention ")],
            [
                ("attention", "dense", "recurrent", "windows"),
                ("windows", "attention", "recurrent", "attention"),
                ("windows", "dense", "dense", "attention"),
            ],
        ),
    },
    "08-forge-digits": {
        "check_counts": lambda space: (
            [(3.364, 0.75), ("3.36", "3/4"), (np.exp(1.21301), 6 / 8), ([3.3636], [0.75])],
            [(1.213, 0.75), (3.36, 0.25), (4, 0.75), (3.36, 6), (0.75, 3.36), (3.36, 0.5), (3.6, 0.75)],
        ),
        "check_closeness": _forged_closeness,
        "check_suspects": lambda space: (
            [("collapses", "smudges", "copies"), ("Collapses", " smudges", "COPIES")],
            [
                ("copies", "smudges", "collapses"),
                ("smudges", "smudges", "copies"),
                ("collapses", "copies", "copies"),
                (1, 2, 3),
            ],
        ),
    },
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
        "check_which": lambda space: (
            [("temperature", "turned", "distance", "labels"), ("Temperature", " turned", "DISTANCE", "labels ")],
            [
                ("labels", "turned", "distance", "temperature"),
                ("temperature", "turned", "temperature", "labels"),
                ("temperature", "temperature", "distance", "labels"),
                (1, 2, 3, 4),
            ],
        ),
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
        "check_ways": lambda space: (
            [
                ("shuffle", "leave out and train again", "experiment"),
                ("Shuffle", " leave out and train again", "EXPERIMENT"),
            ],
            [
                ("shuffle among similar rows", "leave out and train again", "experiment"),
                ("shuffle", "shuffle", "experiment"),
                ("experiment", "leave out and train again", "shuffle"),
            ],
        ),
    },
    "07-count-the-examples": {
        "check_plan": lambda space: (
            [(127, 9), ("127", "9.0"), ([127], np.int64(9))],
            [(127, 8), (120, 9), (67, 9), (127, 6), (9, 127), (107, 9)],
        ),
        "check_needed": _rows_needed,
        "check_next": lambda space: (
            [("model", "restraint", "rows", "nothing"), ("Model", " restraint", "ROWS", "nothing ")],
            [
                ("rows", "restraint", "rows", "nothing"),
                ("model", "model", "rows", "nothing"),
                ("model", "restraint", "restraint", "nothing"),
                ("model", "restraint", "rows", "model"),
            ],
        ),
    },
    "09-take-your-own-data": {
        "check_frame": lambda space: (
            [(0.4397, 0.5060), ("0.440", "0.506"), ([0.43967], np.float64(0.50595))],
            [(0.4397, 0.5004), (0.634, 0.73), (0.506, 0.4397), (0.4397, 0.4397), (0.293, 0.367), (0.84, 0.8)],
        ),
        "check_apart": _whole_patients,
        "check_which": lambda space: (
            [("person", "time", "place", "row"), (" Person", "TIME", "place ", "row")],
            [
                ("row", "time", "place", "row"),
                ("person", "row", "place", "row"),
                ("person", "time", "row", "row"),
                ("person", "time", "place", "person"),
                (1, 2, 3, 4),
            ],
        ),
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
