"""JAX without a framework on top: a pure training step, compiled per step, or a whole epoch as one scan."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..workloads import ADAM, BATCH_NORM, DROPOUT
from .base import Loop, parameters


def insurance(p, stats, x, key):
    """Return the output and the new running statistics; without a key, predict."""
    new = {}
    for k in range(4):
        if key is None:
            mean, var = stats[f"m{k}"], stats[f"v{k}"]
        else:
            mean, var = x.mean(0), x.var(0)
            keep = BATCH_NORM["momentum"]
            new[f"m{k}"] = keep * stats[f"m{k}"] + (1 - keep) * mean
            new[f"v{k}"] = keep * stats[f"v{k}"] + (1 - keep) * var
        x = (x - mean) * lax.rsqrt(var + BATCH_NORM["epsilon"]) * p[f"g{k}"] + p[f"bg{k}"]
        if k in (1, 2) and key is not None:
            kept = jax.random.bernoulli(jax.random.fold_in(key, k), 1 - DROPOUT, x.shape)
            x = jnp.where(kept, x / (1 - DROPOUT), 0)
        x = x @ p[f"W{k + 1}"] + p[f"b{k + 1}"]
        if k < 3:
            x = jax.nn.relu(x)
    return x, new


def digits(p, stats, x, key):
    """64 – 64, ReLU – 10; logits."""
    return jax.nn.relu(x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"], stats


def cnn(p, stats, x, key):
    """Conv 8, ReLU, pool, Conv 16, ReLU, Dense 10; logits."""
    conv = partial(
        lax.conv_general_dilated, window_strides=(1, 1), padding="SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    x = jax.nn.relu(conv(x, p["W1"]) + p["b1"])
    x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    x = jax.nn.relu(conv(x, p["W2"]) + p["b2"])
    return x.reshape(len(x), -1) @ p["W3"] + p["b3"], stats


def lstm(p, stats, x, key):
    """LSTM 32, then Dense 1 on the last state."""

    def cell(state, z):
        h, c = state
        i, f, o, a = jnp.split(z + h @ p["U"], 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(a)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), None

    zero = jnp.zeros((len(x), 32), x.dtype)
    z = (x @ p["W"] + p["b"]).transpose(1, 0, 2)
    (h, _), _ = lax.scan(cell, (zero, zero), z)
    return h @ p["W1"] + p["b1"], stats


NETWORKS = {"insurance": insurance, "digits": digits, "cnn": cnn, "lstm": lstm}


def make_step(workload):
    """Return step(state, x, y) -> state, loss; not compiled."""
    forward = NETWORKS[workload.network]

    def loss_of(p, stats, x, y, key):
        out, stats = forward(p, stats, x, key)
        if workload.loss == "mse":
            return jnp.mean((out - y) ** 2), stats
        return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(out), axis=1)), stats

    def step(state, x, y):
        p, stats, m, v, t, key = state
        key, now = jax.random.split(key)
        (loss, stats), g = jax.value_and_grad(loss_of, has_aux=True)(p, stats, x, y, now)
        t = t + 1
        if workload.optimizer == "sgd":
            p = jax.tree.map(lambda p, g: p - workload.learning_rate * g, p, g)
        else:
            b1, b2 = ADAM["beta1"], ADAM["beta2"]
            m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, m, g)
            v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, v, g)
            c1, c2 = 1 - b1**t, 1 - b2**t
            p = jax.tree.map(
                lambda p, m, v: p - workload.learning_rate * (m / c1) / (jnp.sqrt(v / c2) + ADAM["epsilon"]), p, m, v
            )
        return (p, stats, m, v, t, key), loss

    return step


class Step(Loop):
    """One compiled call per batch (gathering it included), the old state's memory given back to it."""

    def __init__(self, workload, X, y):
        super().__init__(workload, X, y)
        p = parameters(workload.network)
        if workload.network == "lstm":
            p["b"][32:64] = 1
        stats = {}
        if workload.network == "insurance":
            for k, n in enumerate((11, 100, 100, 100)):
                stats |= {f"m{k}": np.zeros(n, np.float32), f"v{k}": np.ones(n, np.float32)}
        zeros = {k: np.zeros_like(v) for k, v in p.items()}
        state = (p, stats, zeros, {k: v.copy() for k, v in zeros.items()}, np.float32(0))
        self.state = (*jax.tree.map(jnp.array, state), jax.random.key(0))
        self.X, self.y = jnp.array(X), jnp.array(y)
        self.compile(make_step(workload))

    def compile(self, step):
        def one(state, total, X, y, rows):
            if self.steps > 1:
                X, y = X[rows], y[rows]
            state, loss = step(state, X, y)
            return state, total + loss

        self.one = jax.jit(one, donate_argnums=(0, 1))

    def epoch(self):
        total = jnp.zeros(())
        for rows in self.order():
            self.state, total = self.one(self.state, total, self.X, self.y, rows)
        return float(total) / self.steps

    def predict(self, X):
        out, _ = NETWORKS[self.workload.network](self.state[0], self.state[1], jnp.array(X), None)
        return np.asarray(out if self.workload.loss == "mse" else jax.nn.softmax(out))


class Scan(Step):
    """The whole epoch in one compiled call."""

    def compile(self, step):
        def epoch(state, X, y, order):
            def one(state, rows):
                return step(state, X[rows], y[rows]) if self.steps > 1 else step(state, X, y)

            state, losses = lax.scan(one, state, order)
            return state, losses.mean()

        self.whole = jax.jit(epoch, donate_argnums=0)

    def epoch(self):
        self.state, loss = self.whole(self.state, self.X, self.y, self.order())
        return float(loss)
