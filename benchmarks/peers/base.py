"""What the peers with a training loop of their own share."""

from time import perf_counter

import numpy as np


class Loop:
    """Times `self.epoch(order)`; `order` holds the sample numbers of the epoch, one row per step."""

    def __init__(self, workload, X, y):
        self.workload, self.X, self.y = workload, X, y
        self.steps = workload.steps(len(X))
        self.rng = np.random.default_rng(0)
        self.losses = []

    def train(self, epochs: int) -> list[float]:
        """Train for `epochs` epochs and return the seconds that each took."""
        seconds = []
        for _ in range(epochs):
            start = perf_counter()
            self.losses.append(float(self.epoch()))
            seconds.append(perf_counter() - start)
        return seconds

    def order(self) -> np.ndarray:
        """(steps, batch_size) sample numbers in a new random order."""
        return self.rng.permutation(len(self.X)).reshape(self.steps, self.workload.batch_size)


def glorot(rng, *shape) -> np.ndarray:
    """W ~ U(−√(6/(fan_in + fan_out)), +…), float32; a kernel is (height, width, in, out)."""
    field = int(np.prod(shape[:-2]))
    limit = np.sqrt(6 / (field * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, shape).astype(np.float32)


def parameters(network: str, seed: int = 0) -> dict[str, np.ndarray]:
    """Initial weights of a network, by name: Glorot uniform, biases 0, BatchNorm γ = 1."""
    rng = np.random.default_rng(seed)
    if network == "insurance":
        shapes = {"g0": (11,), "W1": (11, 100), "g1": (100,), "W2": (100, 100), "g2": (100,), "W3": (100, 100)}
        shapes |= {"g3": (100,), "W4": (100, 1)}
    elif network == "digits":
        shapes = {"W1": (64, 64), "W2": (64, 10)}
    elif network == "cnn":
        shapes = {"W1": (3, 3, 1, 8), "W2": (3, 3, 8, 16), "W3": (256, 10)}
    else:
        shapes = {"W": (1, 128), "U": (32, 128), "W1": (32, 1)}
    values = {}
    for name, shape in shapes.items():
        if name[0] == "g":
            values[name] = np.ones(shape, np.float32)
            values["b" + name] = np.zeros(shape, np.float32)
        else:
            values[name] = glorot(rng, *shape)
            if name != "U":
                values["b" + name[1:]] = np.zeros(shape[-1], np.float32)
    return values
