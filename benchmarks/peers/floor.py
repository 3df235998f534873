"""The floor: only the matrix products of a training step, forward and backward, nothing between them."""

import numpy as np

from .base import Loop


def products(network: str, n: int) -> list[tuple[str, int, int, int, int]]:
    """List the step's products as (which, rows, inner, columns, how often).

    `forward` is (rows, inner) @ (inner, columns), `weights` has its left factor transposed and `input` its
    right factor, as they are in x @ W, xᵀ @ dz and dz @ Wᵀ.
    """

    def dense(rows, inputs, outputs, first=False, times=1):
        steps = [("forward", rows, inputs, outputs, times), ("weights", inputs, rows, outputs, times)]
        return steps if first else [*steps, ("input", rows, outputs, inputs, times)]

    if network == "insurance":
        return dense(n, 11, 100) + 2 * dense(n, 100, 100) + dense(n, 100, 1)
    if network == "digits":
        return dense(n, 64, 64, first=True) + dense(n, 64, 10)
    if network == "cnn":
        return dense(n * 64, 9, 8, first=True) + dense(n * 16, 72, 16) + dense(n, 256, 10)
    # An LSTM must do its products with the state one time step after the other; the rest is done at once.
    steps = 20
    return [
        *(("forward", n * steps, 1, 128, 1), ("forward", n, 32, 128, steps), ("input", n, 128, 32, steps - 1)),
        *(("weights", 32, n * steps, 128, 1), ("weights", 1, n * steps, 128, 1)),
        *dense(n, 32, 1),
    ]


class Floor(Loop):
    """Does the products on random numbers; there is nothing to predict with."""

    def __init__(self, workload, X, y):
        super().__init__(workload, X, y)
        self.work = []
        for which, rows, inner, columns, times in products(workload.network, workload.batch_size):
            a = self.rng.standard_normal((inner, rows) if which == "weights" else (rows, inner), np.float32)
            b = self.rng.standard_normal((columns, inner) if which == "input" else (inner, columns), np.float32)
            out = np.empty((rows, columns), np.float32)
            factors = (a.T if which == "weights" else a, b.T if which == "input" else b, out)
            self.work += [factors] * times

    def epoch(self):
        for _ in range(self.steps):
            for a, b, out in self.work:
                np.dot(a, b, out=out)
        return 0.0

    def predict(self, X):
        return None
