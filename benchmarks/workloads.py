"""The workloads: which network, which data, which optimizer, and how many samples a step sees."""

from dataclasses import dataclass

import numpy as np

# Chosen once for every peer, so that nobody trains an easier problem than another.
ADAM = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
BATCH_NORM = {"momentum": 0.9, "epsilon": 1e-5}
DROPOUT = 0.5


@dataclass(frozen=True)
class Workload:
    """One training problem.

    Parameters
    ----------
    name : str
        How tables and pictures call it.
    network : {"insurance", "digits", "cnn", "lstm"}
        Which network is trained, on the data of the same name.
    batch_size : int
        Samples in a step. It divides the number of samples, so that every step is a full one (`lax.scan`
        needs equal shapes, and a smaller last batch would blur "one step").
    optimizer : {"adam", "sgd"}
        `sgd` is plain gradient descent, without momentum.
    learning_rate : float
    guard_epochs : int
        After so many epochs the peers' losses are compared (see `benchmarks.runner.check_losses`).
    """

    name: str
    network: str
    batch_size: int
    optimizer: str
    learning_rate: float
    guard_epochs: int

    @property
    def loss(self) -> str:
        """Name of the loss: mean squared error for the numbers, cross-entropy for the classes."""
        return "mse" if self.network in ("insurance", "lstm") else "categorical_crossentropy"

    @property
    def metric(self) -> str:
        """Name of the metric that `fit` reports beside the loss."""
        return "rmse" if self.loss == "mse" else "accuracy"

    def steps(self, samples: int) -> int:
        """Training steps in an epoch over `samples` samples."""
        steps, rest = divmod(samples, self.batch_size)
        if rest:
            raise ValueError(f"batch_size must divide the {samples} samples; got {self.batch_size}")
        return steps


DIGITS = 1792  # of 1797 images: a multiple of 32

WORKLOADS = {
    w.name: w
    for w in (
        Workload("W1 b8", "insurance", 8, "adam", 1e-3, 12),
        Workload("W1 b32", "insurance", 32, "adam", 1e-3, 20),
        Workload("W1 b256", "insurance", 256, "adam", 1e-3, 80),
        Workload("W2 full", "digits", DIGITS, "sgd", 0.5, 200),
        Workload("W2 Adam", "digits", 32, "adam", 1e-3, 10),
        Workload("W4 CNN", "cnn", 32, "adam", 1e-3, 6),
        Workload("W5 LSTM", "lstm", 32, "adam", 1e-3, 20),
    )
}

DESCRIPTIONS = {
    "W1": "insurance network 11–BN–100–BN–dropout ½–100–BN–dropout ½–100–BN–1 (ReLU), Adam, mean squared error",
    "W2": "digits 64–64–10 (ReLU, softmax), cross-entropy; the full batch with gradient descent, and Adam with 32",
    "W4": "digits 8×8: Conv 8 3×3 same, ReLU, max-pool 2, Conv 16 3×3 same, ReLU, flatten, Dense 10; Adam, 32",
    "W5": "LSTM 32 on 20 steps of one input, Dense 1 on the last state; Adam, 32, mean squared error",
}


def load(network: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples and targets of a network, float32.

    Returns
    -------
    X : ndarray
        (N, 11), (N, 64), (N, 8, 8, 1) or (N, 20, 1).
    y : ndarray
        (N, outputs); classes are one-hot.
    """
    if network == "insurance":
        X, y = _insurance()
    elif network == "lstm":
        X, y = _waves()
    else:
        X, y = _digits()
        if network == "cnn":
            X = X.reshape(-1, 8, 8, 1)
    return np.ascontiguousarray(X, np.float32), np.ascontiguousarray(y, np.float32)


def _insurance(samples=1024):
    """Eleven columns like the insurance table's: age, BMI, children, sex (2), smoker (2), region (4)."""
    rng = np.random.default_rng(11)
    age = rng.uniform(18, 64, samples)
    bmi = rng.normal(30.7, 6.1, samples)
    children = rng.integers(0, 6, samples)
    smoker = rng.random(samples) < 0.2
    cost = 0.25 * (age - 18) + 0.4 * children + smoker * (14 + 17 * (bmi > 30)) + rng.gamma(1, 2, samples)
    X = np.column_stack(
        [
            age,
            bmi,
            children,
            np.eye(2)[rng.integers(0, 2, samples)],
            np.eye(2)[smoker.astype(int)],
            np.eye(4)[rng.integers(0, 4, samples)],
        ]
    )
    return X, ((cost - cost.mean()) / cost.std())[:, None]


def _digits():
    """scikit-learn's digits, grey values in [0, 1]."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return digits.data[:DIGITS] / 16, np.eye(10)[digits.target[:DIGITS]]


def _waves(samples=1024, steps=20):
    """Noisy sine waves of random frequency and phase; the target is the wave one step on."""
    rng = np.random.default_rng(5)
    frequency, phase = rng.uniform(0.2, 0.8, (samples, 1)), rng.uniform(0, 2 * np.pi, (samples, 1))
    wave = np.sin(frequency * np.arange(steps + 1) + phase)
    return (wave[:, :-1] + 0.05 * rng.normal(size=(samples, steps)))[:, :, None], wave[:, -1:]
