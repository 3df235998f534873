"""Layers that keep signals in range (normalization) and units from relying on each other (dropout)."""

from functools import lru_cache

import numpy as np

from .. import initializers
from ..arrays import Array, DType, Random, Shape, as_matrix, mean_rows, sum_rows, with_axes_of
from ..checks import number, yes_or_no
from .base import NO_DX, Layer


@lru_cache(maxsize=64)
def _constant(value: float, dtype: np.dtype) -> Array:
    """Return a number as an array, made once and kept: a ufunc that is given a float makes one itself, in 0.3 µs.

    BatchNorm would do that 7 times a step, which takes 3 % of one (four of them, 100 units, batch 32, float32).
    """
    return np.array(value, dtype)


class _Normalization(Layer):
    """What both kinds share: ε, and γ and β, by which each feature gets a size and a mean of its own again."""

    def __init__(self, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.epsilon = number("epsilon", epsilon, 0, open_low=True)
        self.initializer = initializers.get("ones")

    def build(self, input_shape: Shape, rng: Random, dtype: DType) -> Shape:
        self.add("gamma", self.initializer(input_shape[-1:], rng, dtype))
        self.add("beta", np.zeros(input_shape[-1], dtype))
        return input_shape


class BatchNorm(_Normalization):
    """y = γ x̂ + β with x̂ = (x - μ)/√(σ² + ε), where μ and σ² are those of the batch, per feature (the last axis).

    While training, running averages of μ and σ² are kept; prediction uses those, so that a row's output does not
    depend on its neighbours. They are not learned by gradients: 2 of the 4 numbers per feature are "not trainable".

    Parameters
    ----------
    momentum : float
        running ← momentum · running + (1 - momentum) · batch. PyTorch calls 1 - momentum "momentum"; Keras' default
        is 0.99.
    epsilon : float
        ε, added to the variance. Keras' default is 1e-3.
    unbiased : bool
        The running variance averages n/(n - 1) σ², the unbiased estimate, as in the paper and in PyTorch; with False
        it averages σ² itself, as in Keras. (σ², by which a batch is normalized, divides by its number of rows n.)

    Notes
    -----
    One row has no spread (of images and sequences every pixel and time step counts as a row). A batch of one row, such
    as an epoch may end with, is therefore treated as in prediction: normalized by the running statistics, which stay as
    they are. PyTorch refuses such a batch; Keras normalizes it to β and moves the running variance towards 0.

    References
    ----------
    Ioffe & Szegedy 2015.
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-5, unbiased: bool = True) -> None:
        super().__init__(epsilon)
        self.momentum = number("momentum", momentum, 0, 1, open_high=True)
        self.unbiased = yes_or_no("unbiased", unbiased)

    def build(self, input_shape: Shape, rng: Random, dtype: DType) -> Shape:
        super().build(input_shape, rng, dtype)
        self.buffers = {"mean": np.zeros(input_shape[-1], dtype), "variance": np.ones(input_shape[-1], dtype)}
        return input_shape

    def forward(self, x: Array, training: bool = False) -> Array:
        rows = as_matrix(x)
        n = len(rows)
        self.of_batch = training and n > 1
        mean, variance = self.buffers["mean"], self.buffers["variance"]
        mu = mean_rows(rows) if self.of_batch else mean
        self.centred = rows - mu
        y = self.centred * self.centred
        sigma2 = mean_rows(y) if self.of_batch else variance
        self.sigma = np.sqrt(sigma2 + _constant(self.epsilon, variance.dtype))
        # x̂ itself is never formed: (x - μ) · γ/σ passes over the batch once, (x - μ)/σ · γ twice, which here and on the
        # way back takes 2 to 6 % of a step; NumPy's mean and var in place of the products would take 60 %.
        self.slope = self.params["gamma"] / self.sigma
        np.multiply(self.centred, self.slope, out=y)
        y += self.params["beta"]
        if self.of_batch:
            share = 1 - self.momentum
            correction = n / (n - 1) if self.unbiased else 1
            mean *= _constant(self.momentum, mean.dtype)
            mean += _constant(share, mean.dtype) * mu
            variance *= _constant(self.momentum, mean.dtype)
            variance += _constant(share * correction, mean.dtype) * sigma2
        return with_axes_of(y, x)

    def backward(self, dy: Array) -> Array:
        """dγ = Σ dy·x̂, dβ = Σ dy, dx = γ/√(σ² + ε) · (dy - x̂ · mean(dy·x̂) - mean(dy)), sums over the batch.

        The two means are there because μ and σ² depend on x as well; in prediction they do not, and the means drop out.
        """
        rows = as_matrix(dy)
        dgamma, dbeta = self.grads["gamma"], self.grads["beta"]
        dx = rows * self.centred
        sum_rows(dx, out=dgamma)
        dgamma /= self.sigma
        sum_rows(rows, out=dbeta)
        if self.skip_dx:
            return NO_DX
        if self.of_batch:
            n = _constant(len(rows), dbeta.dtype)
            np.multiply(self.centred, dgamma / (n * self.sigma), out=dx)  # x̂ mean(dy·x̂)
            np.subtract(rows, dx, out=dx)
            dx -= dbeta / n
            dx *= self.slope
        else:
            np.multiply(rows, self.slope, out=dx)
        return with_axes_of(dx, dy)


def _mean(x: Array) -> Array:
    """Return the mean over the last axis, which stays as one of length 1."""
    return np.asarray(x.mean(axis=-1, keepdims=True))


class LayerNorm(_Normalization):
    """y = γ x̂ + β with x̂ = (x - μ)/√(σ² + ε), where μ and σ² are those of each row, over its features (the last axis).

    `BatchNorm` turned by 90°: nothing depends on the other rows, so training and prediction are the same and there is
    nothing to keep. Of a sequence every time step is normalized on its own, of an image every pixel.

    Parameters
    ----------
    epsilon : float
        ε, added to the variance (which divides by the number of features, as everywhere). Keras' default is 1e-3.

    References
    ----------
    Ba, Kiros & Hinton 2016.
    """

    def forward(self, x: Array, training: bool = False) -> Array:
        x_hat = x - _mean(x)
        self.sigma: Array = np.sqrt(_mean(x_hat * x_hat) + self.epsilon)
        x_hat /= self.sigma
        self.x_hat = x_hat
        return self.params["gamma"] * x_hat + self.params["beta"]

    def backward(self, dy: Array) -> Array:
        """dγ = Σ dy·x̂ and dβ = Σ dy over all rows; dx = (g - mean(g) - x̂ · mean(g·x̂))/√(σ² + ε) with g = γ dy.

        The means are over each row's features. They are there because μ and σ² depend on x as well.
        """
        sum_rows(as_matrix(dy * self.x_hat), out=self.grads["gamma"])
        sum_rows(as_matrix(dy), out=self.grads["beta"])
        if self.skip_dx:
            return NO_DX
        g = dy * self.params["gamma"]
        dx: Array = (g - _mean(g) - self.x_hat * _mean(g * self.x_hat)) / self.sigma
        return dx


class Dropout(Layer):
    """y = x · m / (1 - rate) with m = 0 with probability `rate`, else 1, drawn anew for every entry.

    In prediction y = x. The factor keeps the mean, so that nothing has to be rescaled afterwards ("inverted" dropout).

    Parameters
    ----------
    rate : float
        The share of entries set to 0, in [0, 1); the probability is this, rounded to 1/65536.

    References
    ----------
    Srivastava et al. 2014.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = number("rate", rate, 0, 1, open_high=True)

    def build(self, input_shape: Shape, rng: Random, dtype: DType) -> Shape:
        self.rng = rng
        return input_shape

    def forward(self, x: Array, training: bool = False) -> Array:
        self.mask: Array | None = None
        if not training or self.rate == 0:
            return x
        # 16 random bits decide an entry: straight from the bit generator they take 2 µs, `rng.random` 6 (32×100). That
        # rounds the probability to a multiple of 2⁻¹⁶, off by 8e-6 at most; the factor is exact.
        bits = np.ndarray(x.shape, np.uint16, buffer=self.rng.bit_generator.random_raw(-(-x.size // 4)))
        self.mask = (bits >= round(self.rate * 2**16)).astype(x.dtype)
        self.mask *= 1 / (1 - self.rate)
        return x * self.mask

    def backward(self, dy: Array) -> Array:
        return dy if self.mask is None else dy * self.mask
