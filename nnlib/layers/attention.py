"""Every step of a sequence looks at every other: attention, with learned questions, keys and answers."""

from math import sqrt

import numpy as np

from .. import initializers
from ..activations import softmax
from ..arrays import Array, DType, Random, Shape, as_matrix, with_axes_of
from ..checks import positive_integer, yes_or_no
from .base import NO_DX, Layer


class SelfAttention(Layer):
    """y = [A₁V₁, ..., AₕVₕ] O with Aᵢ = softmax(QᵢKᵢᵀ/√d) and Q, K, V = x W_q, x W_k, x W_v: h heads of d = features/h.

    Row t of A says how much of each step's V the output at step t takes: weights in [0, 1] that sum to 1. What matters
    is what the steps hold, not how far apart they are; who needs to know their order adds it to x.

    x and y are (batch, time, features), W = [W_q, W_k, W_v] is (features, 3 · features), O is (features, features). In
    all of them, head i owns the i-th d of the features.

    Parameters
    ----------
    heads : int
        h, a divisor of the number of features.
    causal : bool
        Step t looks at the steps up to t only, as it must where the next step is to be predicted.
    initializer : str, dict or initializers.Initializer
        How W_q, W_k, W_v and O start, each drawn as a matrix of its own.

    Attributes
    ----------
    weights : array (batch, heads, time, time)
        A of the last `forward`.

    References
    ----------
    Vaswani et al. 2017, §3.2, as there without biases: `MultiHeadAttention(heads, d, use_bias=False)` of Keras.
    """

    weights: Array

    def __init__(
        self, heads: int = 1, causal: bool = False, initializer: initializers.Choice = "glorot_uniform"
    ) -> None:
        super().__init__()
        self.heads = positive_integer("heads", heads)
        self.causal = yes_or_no("causal", causal)
        self.initializer = initializers.get(initializer)

    def build(self, input_shape: Shape, rng: Random, dtype: DType) -> Shape:
        _, features = self.expect(input_shape, "time", "features")
        if features % self.heads:
            raise ValueError(f"heads must divide the number of features, {features}; got {self.heads}")
        draws = [self.initializer((features, features), rng, dtype) for _ in range(4)]
        self.add("W", np.concatenate(draws[:3], axis=1))
        self.add("O", draws[3])
        return input_shape

    def forward(self, x: Array, training: bool = False) -> Array:
        batch, time, features = x.shape
        self.x, self.root = as_matrix(x), sqrt(features // self.heads)
        z = np.dot(self.x, self.params["W"]).reshape(batch, time, 3, self.heads, -1)
        self.q, self.k, self.v = z.transpose(2, 0, 3, 1, 4)  # each (batch, heads, time, d)
        scores = self.q @ self.k.swapaxes(2, 3) / self.root
        if self.causal:
            scores[:, :, ~np.tri(time, dtype=bool)] = -np.inf
        self.weights = softmax.f(scores)
        self.joined = (self.weights @ self.v).swapaxes(1, 2).reshape(-1, features)
        return with_axes_of(np.dot(self.joined, self.params["O"]), x)

    def backward(self, dy: Array) -> Array:
        """With dH = dy Oᵀ, head by head: dV = Aᵀ dH, dS = (softmax's vjp of dH Vᵀ)/√d, dQ = dS K, dK = dSᵀ Q.

        dO = [AV]ᵀ dy, and from dz = [dQ, dK, dV] as in `Dense`: dW = xᵀ dz, dx = dz Wᵀ.
        """
        q, k, v, A = self.q, self.k, self.v, self.weights
        batch, heads, time, d = v.shape
        np.dot(self.joined.T, as_matrix(dy), out=self.grads["O"])
        dH = np.dot(as_matrix(dy), self.params["O"].T).reshape(batch, time, heads, d).swapaxes(1, 2)
        dS = softmax.vjp(dH @ v.swapaxes(2, 3), A, A) / self.root
        dz = np.stack([dS @ k, dS.swapaxes(2, 3) @ q, A.swapaxes(2, 3) @ dH])
        dz = dz.transpose(1, 3, 0, 2, 4).reshape(batch * time, -1)
        np.dot(self.x.T, dz, out=self.grads["W"])
        return NO_DX if self.skip_dx else with_axes_of(np.dot(dz, self.params["W"].T), dy)
