"""Right and wrong answers to checks of the part "digits"."""

import numpy as np

from .common import _he_uniform


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


CASES = {
    "01-look-at-the-digits": {
        "check_pixels": _look_pixels,
        "check_scaled": lambda space: ([("3/8", "1.5"), (np.float64(0.375), [1.5])], [(1.5, 0.375), (0.375, 2 / 3)]),
        "check_hardest": lambda space: ([(4, 0.77), ("4", "10/13"), (np.int64(4), 0.769)], [(4, 0.8), (11, 0.81)]),
    },
    "08-use-a-framework": {
        "check_shape": lambda space: ([((10, 32), 2410), ("(10, 32)", "2,410")], [((32, 10), 2410), ((10, 32), 2400)]),
        "check_carry": _framework_carry,
        "check_twice": lambda space: ([(1.46,), ("1.461",), (-np.log(0.232),)], [(1.5,), (0.232,), (2.3,)]),
    },
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
    "07-stop-in-time": {
        "check_cost": lambda space: ([(0.0698, 0.276), ("0.0698", 0.2764)], [(0.07, 0.3), (6.98, 27.6)]),
        "check_gap": lambda space: ([(0.02, 0.00853, 1), ("8/400", "0.00853", "true")], [(0.02, 0.0085, False)]),
        "check_threshold": _stop_in_time_threshold,
    },
    "06-say-it-in-nnlib": {
        "check_friend": lambda space: ([("2/1437",), (0.00139,), ([0.001392],)], [(0.0014,), (0.001,)]),
        "check_into": _say_it_into,
    },
}
