"""The yardstick: each network's training step written out by hand in NumPy, as tightly as we can.

Nothing here is general. Every array is made once, every operation writes in place, all parameters and their
gradients lie in two flat arrays so that the optimizer is ten calls however many layers there are, and what is
constant is computed ahead. The distance from here to `nnlib fit` is the price of being a library.

Figures that shaped it (float32, 32×100, one core): an operation on two arrays of equal shape 0.7 µs, against a
row 1.6; a comparison 0.6; `np.maximum(z, 0)` 2.0 against 0.8 with an array of zeros; `x.mean(0)` 4.3 against
0.6 for a vector of 1/n times x; 3200 random bits 1.3 to 2.2 as raw words against 6.2 as `rng.random`.
"""

from math import sqrt

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..workloads import ADAM, BATCH_NORM
from .base import Loop, parameters

ZERO = np.zeros((), np.float32)


class Adam:
    """Adam on flat arrays, bias correction folded into two numbers and m, v kept undamped: ten passes."""

    def __init__(self, n, learning_rate):
        self.m, self.v, self.s = np.zeros((3, n), np.float32)
        self.learning_rate, self.t = learning_rate, 0

    def step(self, p, g):
        """θ ← θ − α m̂/(√v̂ + ε), with m = Σ β₁ᵏ g and v = Σ β₂ᵏ g² (the factors 1 − β are in α and ε).

        `math.sqrt`, not NumPy's: a float64 scalar would take two of the passes to float64 (+15 µs).
        """
        beta1, beta2, m, v, s = ADAM["beta1"], ADAM["beta2"], self.m, self.v, self.s
        self.t += 1
        root = sqrt((1 - beta2) / (1 - beta2**self.t))
        rate = self.learning_rate * (1 - beta1) / (1 - beta1**self.t) / root
        m *= beta1
        m += g
        np.multiply(g, g, out=s)
        v *= beta2
        v += s
        np.sqrt(v, out=s)
        s += ADAM["epsilon"] / root
        np.divide(m, s, out=s)
        s *= rate
        p -= s


class GradientDescent:
    """θ ← θ − α g."""

    def __init__(self, n, learning_rate):
        self.learning_rate = learning_rate

    def step(self, p, g):
        g *= self.learning_rate
        p -= g


class Network(Loop):
    """Flat parameters with named views, and the epoch: gather, step, add up the loss."""

    def __init__(self, workload, X, y):
        super().__init__(workload, X, y)
        values = parameters(workload.network)
        n = sum(v.size for v in values.values())
        self.flat, self.gradient = np.zeros((2, n), np.float32)
        self.p, self.g, start = {}, {}, 0
        for name, value in values.items():
            where = slice(start, start + value.size)
            start += value.size
            self.p[name] = self.flat[where].reshape(value.shape)
            self.g[name] = self.gradient[where].reshape(value.shape)
            self.p[name][...] = value
        self.optimizer = {"adam": Adam, "sgd": GradientDescent}[workload.optimizer](n, workload.learning_rate)
        self.batch = workload.batch_size
        self.ones = np.ones(self.batch, np.float32)
        self.build()

    def epoch(self):
        total = 0.0
        if self.steps == 1:  # gradient descent: the whole table, in the order it has
            total = self.step(self.X, self.y)
            self.optimizer.step(self.flat, self.gradient)
            return total
        for rows in self.order():
            total += self.step(self.X[rows], self.y[rows])
            self.optimizer.step(self.flat, self.gradient)
        return total / self.steps


class Insurance(Network):
    """11 – BN – [100, ReLU, BN, dropout ½] ×2 – 100, ReLU, BN – 1."""

    def build(self):
        n, empty = self.batch, lambda *shape: np.empty(shape, np.float32)
        self.average = np.full(n, 1 / n, np.float32)
        sizes = (11, 100, 100, 100)
        ends = np.cumsum(sizes)
        # Means of all four BatchNorms side by side, variances likewise: running statistics take three calls.
        self.mean, self.var = empty(2, ends[-1])
        self.running_mean, self.running_var = np.zeros((2, ends[-1]), np.float32)
        self.running_var += 1
        self.scratch = empty(ends[-1])
        self.bn = []
        for k, (size, end) in enumerate(zip(sizes, ends, strict=True)):
            where = slice(end - size, end)
            self.bn.append(
                (
                    *(self.p[f"g{k}"], self.p[f"bg{k}"], self.g[f"g{k}"], self.g[f"bg{k}"]),
                    *(self.mean[where], self.var[where]),  # of this batch
                    *(empty(n, size), empty(n, size), empty(n, size)),  # centred, scratch, output
                    *(empty(size), empty(size), empty(size)),  # standard deviation, scale, scratch
                )
            )
        self.z = [empty(n, 100) for _ in range(3)]
        self.active = [np.empty((n, 100), bool) for _ in range(3)]
        self.mask = [empty(n, 100) for _ in range(2)]
        self.zeros, self.flag = np.zeros((n, 100), np.float32), np.empty((n, 100), bool)
        self.d = [empty(n, 100) for _ in range(2)]
        self.out, self.dout = empty(n, 1), empty(n, 1)

    def normalize(self, k, x):
        gamma, beta, _, _, mean, var, xc, s, y, std, scale, _ = self.bn[k]
        np.dot(self.average, x, out=mean)
        np.subtract(x, mean, out=xc)
        np.multiply(xc, xc, out=s)
        np.dot(self.average, s, out=var)
        np.add(var, BATCH_NORM["epsilon"], out=std)
        np.sqrt(std, out=std)
        np.divide(gamma, std, out=scale)
        np.multiply(xc, scale, out=y)
        y += beta
        return y

    def normalize_back(self, k, dy, need_dx=True):
        """dx = γ/σ (dy − mean(dy) − x̂ mean(dy x̂)); overwrites dy with it, and the centred x."""
        _, _, dgamma, dbeta, _, _, xc, s, _, std, scale, t = self.bn[k]
        np.multiply(dy, xc, out=s)
        np.dot(self.ones, s, out=dgamma)
        dgamma /= std
        np.dot(self.ones, dy, out=dbeta)
        if need_dx:
            np.divide(dgamma, std, out=t)
            t /= self.batch
            xc *= t
            np.multiply(dbeta, 1 / self.batch, out=t)
            dy -= t
            dy -= xc
            dy *= scale

    def step(self, x, y):
        p, g = self.p, self.g
        bits = self.rng.bit_generator
        a = self.normalize(0, x)
        inputs = []
        for k in (1, 2, 3):
            inputs.append(a)
            z, active = self.z[k - 1], self.active[k - 1]
            np.dot(a, p[f"W{k}"], out=z)
            z += p[f"b{k}"]
            np.greater(z, ZERO, out=active)
            np.maximum(z, self.zeros, out=z)
            a = self.normalize(k, z)
            if k < 3:
                mask = self.mask[k - 1]
                words = bits.random_raw(mask.size // 4).view(np.uint16)
                np.less(words.reshape(mask.shape), 32768, out=self.flag)
                np.copyto(mask, self.flag)
                mask *= 2.0
                a *= mask
        out, d = self.out, self.dout
        np.dot(a, p["W4"], out=out)
        out += p["b4"]
        np.subtract(out, y, out=d)
        loss = float(np.dot(d[:, 0], d[:, 0])) / self.batch
        d *= 2 / self.batch
        np.dot(a.T, d, out=g["W4"])
        np.dot(self.ones, d, out=g["b4"])
        da = np.multiply(d, p["W4"][:, 0], out=self.d[1])
        for k in (3, 2, 1):
            if k < 3:
                da *= self.mask[k - 1]
            self.normalize_back(k, da)
            da *= self.active[k - 1]
            np.dot(inputs[k - 1].T, da, out=g[f"W{k}"])
            np.dot(self.ones, da, out=g[f"b{k}"])
            if k > 1:
                da = np.dot(da, p[f"W{k}"].T, out=self.d[k % 2])
        dx = np.dot(da, p["W1"].T)
        self.normalize_back(0, dx, need_dx=False)
        for running, new in ((self.running_mean, self.mean), (self.running_var, self.var)):
            np.subtract(new, running, out=self.scratch)
            self.scratch *= 1 - BATCH_NORM["momentum"]
            running += self.scratch
        return loss

    def predict(self, X):
        p, start = self.p, 0
        for k in range(4):
            size = p[f"g{k}"].size
            where = slice(start, start + size)
            start += size
            std = np.sqrt(self.running_var[where] + BATCH_NORM["epsilon"])
            X = (X - self.running_mean[where]) / std * p[f"g{k}"] + p[f"bg{k}"]
            X = X @ p[f"W{k + 1}"] + p[f"b{k + 1}"]
            if k < 3:
                X = np.maximum(X, 0)
        return X


class Classifier(Network):
    """Softmax and cross-entropy on the logits, shared by the two digit networks."""

    def build(self):
        n = self.batch
        self.logits, self.prob = np.empty((2, n, 10), np.float32)
        self.zT, self.eT = np.empty((2, 10, n), np.float32)
        self.row = np.empty(n, np.float32)

    def loss(self, y):
        """Return the mean cross-entropy; leaves (softmax(z) − y)/n in `self.prob`."""
        z, prob, row = self.zT, self.prob, self.row
        # Classes down, samples across: reductions over ten long rows, not over many short ones.
        np.copyto(z, self.logits.T)
        np.maximum.reduce(z, axis=0, out=row)
        z -= row
        np.exp(z, out=self.eT)
        np.add.reduce(self.eT, axis=0, out=row)
        self.eT /= row
        np.copyto(prob, self.eT.T)
        np.log(row, out=row)
        np.copyto(self.logits, z.T)
        loss = (float(np.dot(self.ones, row)) - float(np.vdot(self.logits, y))) / self.batch
        prob -= y
        prob *= 1 / self.batch
        return loss


class Digits(Classifier):
    """64 – 64, ReLU – 10, softmax."""

    def build(self):
        super().build()
        self.a, self.da = np.empty((2, self.batch, 64), np.float32)
        self.zeros = np.zeros((self.batch, 64), np.float32)
        self.active = np.empty((self.batch, 64), bool)

    def step(self, x, y):
        p, g, a, da = self.p, self.g, self.a, self.da
        np.dot(x, p["W1"], out=a)
        a += p["b1"]
        np.greater(a, ZERO, out=self.active)
        np.maximum(a, self.zeros, out=a)
        np.dot(a, p["W2"], out=self.logits)
        self.logits += p["b2"]
        loss, d = self.loss(y), self.prob
        np.dot(a.T, d, out=g["W2"])
        np.dot(self.ones, d, out=g["b2"])
        np.dot(d, p["W2"].T, out=da)
        da *= self.active
        np.dot(x.T, da, out=g["W1"])
        np.dot(self.ones, da, out=g["b1"])
        return loss

    def predict(self, X):
        p = self.p
        return softmax(np.maximum(X @ p["W1"] + p["b1"], 0) @ p["W2"] + p["b2"])


class Convolutions(Classifier):
    """Conv 8 3×3 same, ReLU, max-pool 2, Conv 16 3×3 same, ReLU, flatten, 10, softmax."""

    def build(self):
        super().build()
        n, empty = self.batch, lambda *shape: np.empty(shape, np.float32)
        # Padded inputs: the rim stays zero, only the middle is written.
        self.x1, self.x2, self.dz2 = (np.zeros(s, np.float32) for s in ((n, 10, 10, 1), (n, 6, 6, 8), (n, 6, 6, 16)))
        self.windows2, self.windows3 = windows(self.x2), windows(self.dz2)
        self.cols2, self.cols3 = empty(*self.windows2.shape), empty(*self.windows3.shape)
        # One channel: nine long copies (11 µs) beat 6144 of three numbers (31 µs).
        self.cols1 = empty(9, n * 64)
        self.z1, self.z2 = empty(n * 64, 8), empty(n * 16, 16)
        self.rows, self.a1 = empty(n, 4, 64), empty(n, 4, 4, 8)
        self.top, self.left = np.empty((n, 4, 64), bool), np.empty((n, 4, 4, 8), bool)
        self.active1, self.active2 = np.empty((n, 4, 4, 8), bool), np.empty((n * 16, 16), bool)
        self.da1, self.drows, self.dz1, self.da2 = empty(n * 16, 8), empty(n, 4, 64), empty(n, 8, 8, 8), empty(n, 256)
        self.flipped = empty(3, 3, 16, 8)
        self.rows_of_z1 = np.ones(n * 64, np.float32)
        self.rows_of_z2 = np.ones(n * 16, np.float32)

    def step(self, x, y):
        p, g, n = self.p, self.g, self.batch
        self.x1[:, 1:9, 1:9] = x
        views = self.cols1.reshape(3, 3, n, 8, 8)
        for i in range(3):
            for j in range(3):
                views[i, j] = self.x1[:, i : i + 8, j : j + 8, 0]
        np.dot(self.cols1.T, p["W1"].reshape(9, 8), out=self.z1)
        # ReLU and the bias commute with the maximum, so both come after it, on a quarter of the numbers.
        z = self.z1.reshape(n, 4, 2, 64)
        np.greater_equal(z[:, :, 0], z[:, :, 1], out=self.top)
        np.maximum(z[:, :, 0], z[:, :, 1], out=self.rows)
        r = self.rows.reshape(n, 4, 4, 2, 8)
        np.greater_equal(r[:, :, :, 0], r[:, :, :, 1], out=self.left)
        np.maximum(r[:, :, :, 0], r[:, :, :, 1], out=self.a1)
        self.a1 += p["b1"]
        np.greater(self.a1, ZERO, out=self.active1)
        np.multiply(self.a1, self.active1, out=self.x2[:, 1:5, 1:5])

        np.copyto(self.cols2, self.windows2)
        cols2 = self.cols2.reshape(n * 16, 72)
        np.dot(cols2, p["W2"].reshape(72, 16), out=self.z2)
        self.z2 += p["b2"]
        np.greater(self.z2, ZERO, out=self.active2)
        self.z2 *= self.active2
        flat = self.z2.reshape(n, 256)
        np.dot(flat, p["W3"], out=self.logits)
        self.logits += p["b3"]

        loss, d = self.loss(y), self.prob
        np.dot(flat.T, d, out=g["W3"])
        np.dot(self.ones, d, out=g["b3"])
        dz2 = np.dot(d, p["W3"].T, out=self.da2).reshape(n * 16, 16)
        dz2 *= self.active2
        np.dot(cols2.T, dz2, out=g["W2"].reshape(72, 16))
        np.dot(self.rows_of_z2, dz2, out=g["b2"])
        # The gradient of a convolution's input is a convolution with the kernel turned by 180°.
        self.dz2[:, 1:5, 1:5] = dz2.reshape(n, 4, 4, 16)
        np.copyto(self.cols3, self.windows3)
        np.copyto(self.flipped, p["W2"][::-1, ::-1].transpose(0, 1, 3, 2))
        np.dot(self.cols3.reshape(n * 16, 144), self.flipped.reshape(144, 8), out=self.da1)
        da1 = self.da1.reshape(n, 4, 4, 8)
        da1 *= self.active1
        np.dot(self.rows_of_z2, self.da1, out=g["b1"])
        dr = self.drows.reshape(n, 4, 4, 2, 8)
        np.multiply(da1, self.left, out=dr[:, :, :, 0])
        np.subtract(da1, dr[:, :, :, 0], out=dr[:, :, :, 1])
        dz = self.dz1.reshape(n, 4, 2, 64)
        np.multiply(self.drows, self.top, out=dz[:, :, 0])
        np.subtract(self.drows, dz[:, :, 0], out=dz[:, :, 1])
        np.dot(self.cols1, self.dz1.reshape(n * 64, 8), out=g["W1"].reshape(9, 8))
        return loss

    def predict(self, X):
        p = self.p
        outputs = []
        for x in np.split(X, len(X) // self.batch):
            self.step(x, np.zeros((self.batch, 10), np.float32))
            outputs.append(softmax(self.z2.reshape(self.batch, 256) @ p["W3"] + p["b3"]))
        return np.concatenate(outputs)


class LongShortTerm(Network):
    """LSTM 32 over the steps, Dense 1 on the last state.

    Features run down, samples across: the four gates are then four contiguous blocks, and one tanh serves
    all of them because σ(z) = ½ tanh(z/2) + ½. Order of the gates: input, forget, output, candidate.
    """

    def build(self):
        n, T, H, empty = self.batch, self.X.shape[1], 32, lambda *shape: np.empty(shape, np.float32)
        self.T, self.H = T, H
        self.p["b"][H : 2 * H] = 1  # the forget gate starts open
        self.x1 = np.ones((T, 2, n), np.float32)  # input and the 1 that multiplies the bias
        self.Wb, self.UT = empty(4 * H, 2), empty(4 * H, H)
        self.gates, self.dz = empty(T, 4 * H, n), empty(T, 4 * H, n)
        self.h, self.c = np.zeros((2, T + 1, H, n), np.float32)
        self.tanh_c = empty(T, H, n)
        self.half = np.full((4 * H, 1), 0.5, np.float32)
        self.half[3 * H :] = 1
        self.dh, self.dc, self.s = empty(3, H, n)
        self.into_c = empty(T, H, n)
        self.out, self.dout = empty(1, n), empty(1, n)
        self.dz_rows, self.h_rows, self.x_rows = empty(4 * H, T, n), empty(H, T, n), empty(2, T, n)

    def forward(self, x):
        H, p = self.H, self.p
        self.x1[:, 0] = x[:, :, 0].T
        # σ(z) needs z/2: halve the weights once, not the gates at every time step.
        np.multiply(p["W"].T, self.half, out=self.Wb[:, :1])
        np.multiply(p["b"][:, None], self.half, out=self.Wb[:, 1:])
        np.multiply(p["U"].T, self.half, out=self.UT)
        np.matmul(self.Wb, self.x1, out=self.gates)
        s, h, c = self.s, self.h, self.c
        for t in range(self.T):
            gates = self.gates[t]
            if t:
                gates += np.dot(self.UT, h[t])
            np.tanh(gates, out=gates)
            sigmoids = gates[: 3 * H]
            sigmoids *= 0.5
            sigmoids += 0.5
            np.multiply(gates[3 * H :], gates[:H], out=c[t + 1])
            np.multiply(c[t], gates[H : 2 * H], out=s)
            c[t + 1] += s
            np.tanh(c[t + 1], out=self.tanh_c[t])
            np.multiply(self.tanh_c[t], gates[2 * H : 3 * H], out=h[t + 1])
        np.dot(p["W1"].T, h[self.T], out=self.out)
        self.out += p["b1"]
        return self.out

    def step(self, x, y):
        H, T, p, g = self.H, self.T, self.p, self.g
        s, dh, dc = self.s, self.dh, self.dc
        d = np.subtract(self.forward(x), y.T, out=self.dout)
        loss = float(np.dot(d[0], d[0])) / self.batch
        d *= 2 / self.batch
        np.dot(self.h[T], d[0], out=g["W1"][:, 0])
        g["b1"][0] = np.dot(self.ones, d[0])
        np.multiply(p["W1"], d, out=dh)
        dc.fill(0)
        # What does not depend on the way back is done for all time steps at once: few large operations.
        i, f, o, a = (self.gates[:, k * H : (k + 1) * H] for k in range(4))
        dzi, dzf, dzo, dza = (self.dz[:, k * H : (k + 1) * H] for k in range(4))
        sigmoids, slopes, into_c = self.gates[:, : 3 * H], self.dz[:, : 3 * H], self.into_c
        np.multiply(sigmoids, sigmoids, out=slopes)
        np.subtract(sigmoids, slopes, out=slopes)
        dzi *= a
        dzf *= self.c[:T]
        dzo *= self.tanh_c
        np.multiply(a, a, out=dza)
        np.subtract(1, dza, out=dza)
        dza *= i
        np.multiply(self.tanh_c, self.tanh_c, out=into_c)
        np.subtract(1, into_c, out=into_c)
        into_c *= o
        for t in reversed(range(T)):
            dz = self.dz[t]
            np.multiply(dh, into_c[t], out=s)
            dc += s
            both = dz[: 2 * H].reshape(2, H, -1)
            both *= dc
            dzo[t] *= dh
            dza[t] *= dc
            if t:
                dc *= f[t]
                np.dot(p["U"], dz, out=dh)
        # Sum over time as one product: (4H, T·n) by (T·n, ·).
        np.copyto(self.dz_rows, self.dz.transpose(1, 0, 2))
        np.copyto(self.h_rows, self.h[:T].transpose(1, 0, 2))
        np.copyto(self.x_rows, self.x1.transpose(1, 0, 2))
        dz = self.dz_rows.reshape(4 * H, -1)
        np.dot(self.h_rows.reshape(H, -1), dz.T, out=g["U"])
        wb = np.dot(self.x_rows.reshape(2, -1), dz.T)
        g["W"][0], g["b"][...] = wb
        return loss

    def predict(self, X):
        return np.concatenate([self.forward(x).T.copy() for x in np.split(X, len(X) // self.batch)])


def windows(x):
    """View every 3×3 window of (n, height, width, channels): its last axis is one row, contiguous."""
    n, height, width, channels = x.shape
    a, b, c, d = x.strides
    return as_strided(x, (n, height - 2, width - 2, 3, 3 * channels), (a, b, c, b, d), writeable=False)


def softmax(z):
    """exp(z)/Σ exp(z) along the last axis."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


NETWORKS = {"insurance": Insurance, "digits": Digits, "cnn": Convolutions, "lstm": LongShortTerm}


def Handwritten(workload, X, y):
    """Return the hand-written network of a workload."""
    return NETWORKS[workload.network](workload, X, y)
