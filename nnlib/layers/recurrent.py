"""One step of a sequence after the other, with a memory: the plain recurrent network, and the LSTM, which can forget.

Sequences are (batch, time, features) for whoever calls. Inside, time is outermost and the batch innermost: each step is
one contiguous block, each gate a contiguous part of it, and what one step needs is a single product

    z = V s with s = [h; x; 1] and V = [U; W; b]ᵀ

of (units · gates, units + features + 1) and (units + features + 1, batch). The states s of all steps are kept, so that
dU, dW and db are one product after the way back through time.
"""

from copy import copy
from itertools import pairwise

import numpy as np

from .. import initializers
from ..arrays import Array, DType, Random, Shape
from ..checks import as_numbers, positive_integer, yes_or_no
from .base import NO_DX, Layer


class _Recurrent(Layer):
    """What both have in common: the parameters, the states s of all steps, and the gradients from them.

    W (features, gates · units), U (units, gates · units), b (gates · units,).
    """

    gates = 1
    s: Array

    def __init__(
        self,
        units: int,
        return_sequences: bool = False,
        initializer: initializers.Choice = "glorot_uniform",
        recurrent_initializer: initializers.Choice = "orthogonal",
    ) -> None:
        super().__init__()
        self.units = positive_integer("units", units)
        self.return_sequences = yes_or_no("return_sequences", return_sequences)
        self.initializer = initializers.get(initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)

    def build(self, input_shape: Shape, rng: Random, dtype: DType) -> Shape:
        time, features = self.expect(input_shape, "time", "features")
        # each gate is a layer of its own, drawn with its own fans (Keras draws the four as one matrix)
        starts = {"W": (self.initializer, features), "U": (self.recurrent_initializer, self.units)}
        for name, (initializer, inputs) in starts.items():
            gates = [initializer((inputs, self.units), rng, dtype) for _ in range(self.gates)]
            self.add(name, np.concatenate(gates, axis=1))
        self.add("b", np.zeros(self.gates * self.units, dtype))
        return (time, self.units) if self.return_sequences else (self.units,)

    def forward(self, x: Array, training: bool = False) -> Array:
        batch, time, features = x.shape
        u = self.units
        self.s = np.empty((time + 1, u + features + 1, batch), x.dtype)
        self.s[0, :u] = 0
        self.s[:-1, u:-1] = x.transpose(1, 2, 0)
        self.s[:, -1] = 1
        self._read(np.concatenate([self.params["U"], self.params["W"], self.params["b"][None]]).T.copy())
        h = self.s[1:, :u]
        return h.transpose(2, 0, 1) if self.return_sequences else h[-1].T

    def _read(self, V: Array) -> None:
        """Fill in the h of all steps, one after the other; V is a copy."""
        raise NotImplementedError

    def backward(self, dy: Array) -> Array:
        """[dU; dW; db] = Σ s_t dz_tᵀ, as one product over all steps, and dx_t = W dz_t."""
        u, (steps, states, batch) = self.units, self.s[:-1].shape
        dh = np.zeros((steps, u, batch), dy.dtype)  # what reaches each step's h from outside
        dh[0 if self.return_sequences else -1 :] = dy.reshape(batch, -1, u).transpose(1, 2, 0)
        dz = self._back_through_time(dh)
        over_steps = dz.transpose(1, 0, 2).reshape(-1, steps * batch)
        dV = over_steps @ self.s[:-1].transpose(1, 0, 2).reshape(states, -1).T
        self.grads["U"][...], self.grads["W"][...], self.grads["b"][...] = dV.T[:u], dV.T[u:-1], dV[:, -1]
        return NO_DX if self.skip_dx else (self.params["W"] @ dz).transpose(2, 0, 1)

    def _back_through_time(self, dh: Array) -> Array:
        """Return dz of all steps, (time, gates · units, batch); adds to each dh what comes from the step after."""
        raise NotImplementedError


class RNN(_Recurrent):
    """h_t = tanh(x_t W + h_{t-1} U + b), h_0 = 0: the simplest network with a memory.

    Output: the last h, (batch, units), or all of them, (batch, time, units). The gradient goes back through all steps
    (no truncation); each multiplies it by Uᵀ and tanh′, so that over many steps it vanishes or explodes.

    Parameters
    ----------
    units : int
        Length of h.
    return_sequences : bool
        Return h of every step, for instance for another recurrent layer on top.
    initializer, recurrent_initializer : str, dict or initializers.Initializer
        How W and U start; b starts at 0. An orthogonal U keeps the length of h and of its gradient.

    References
    ----------
    Elman 1990; Saxe et al. 2014 for the orthogonal start.
    """

    def _read(self, V: Array) -> None:
        for now, after in pairwise(self.s):
            np.tanh(V @ now, out=after[: self.units])

    def _back_through_time(self, dh: Array) -> Array:
        """dz_t = dh_t · (1 - h_t²), dh_{t-1} = U dz_t + what comes from outside."""
        h, U = self.s[1:, : self.units], self.params["U"]
        dz = 1 - h * h
        for t in reversed(range(len(dh))):
            dh_t, dz_t = dh[t], dz[t]
            if t + 1 < len(dh):
                dh_t += U @ dz[t + 1]
            dz_t *= dh_t
        return dz


class LSTM(_Recurrent):
    """c_t = f c_{t-1} + i g and h_t = o tanh(c_t): a memory cell c with gates that write, keep and read it.

    The gates i, f, o = σ(z) and the candidate g = tanh(z) each have their quarter of z = x_t W + h_{t-1} U + b, in the
    order i, f, g, o (that of PyTorch and Keras). h_0 = c_0 = 0. Along c the gradient is multiplied by f alone, which
    the network can hold near 1: that is how it can remember. Output as in `RNN`.

    Parameters
    ----------
    units : int
        Length of h and of c.
    return_sequences : bool
        Return h of every step instead of the last one's.
    initializer, recurrent_initializer : str, dict or initializers.Initializer
        How each gate's W and U start. b starts at 0, for the forget gate at 1, so that the cell remembers at first.

    References
    ----------
    Hochreiter & Schmidhuber 1997; the forget gate: Gers et al. 2000, and its start at 1: Jozefowicz et al. 2015. No
    peepholes.
    """

    gates = 4

    def build(self, input_shape: Shape, rng: Random, dtype: DType) -> Shape:
        output_shape = super().build(input_shape, rng, dtype)
        self.params["b"][self.units : 2 * self.units] = 1
        return output_shape

    def _read(self, V: Array) -> None:
        u, s = self.units, self.s
        time, batch = len(s) - 1, s.shape[-1]
        # σ(z) = ½ + ½ tanh(z/2): with z_i, z_f and z_o halved, and o before g, one tanh does all four gates and two
        # calls finish the sigmoids. A training step takes 680 µs, without this 780 (32 units, 20 times, batch 32).
        V = np.concatenate([V[: 2 * u], V[3 * u :], V[2 * u : 3 * u]])
        V[: 3 * u] *= 0.5
        gates, c = np.empty((time, 4 * u, batch), s.dtype), np.zeros((time + 1, u, batch), s.dtype)
        i, f, o, g = ifog = gates.reshape(time, 4, u, batch).swapaxes(0, 1)
        tanh_c, write = np.empty((time, u, batch), s.dtype), np.empty((u, batch), s.dtype)
        for t in range(time):
            z, c_t = gates[t], c[t + 1]
            np.dot(V, s[t], out=z)
            np.tanh(z, out=z)
            sigmoids = z[: 3 * u]
            sigmoids *= 0.5
            sigmoids += 0.5
            np.multiply(f[t], c[t], out=c_t)
            c_t += np.multiply(i[t], g[t], out=write)
            np.multiply(o[t], np.tanh(c_t, out=tanh_c[t]), out=s[t + 1, :u])
        self.c, self.tanh_c, self.ifog = c, tanh_c, ifog

    def trace(self, x: Array) -> dict[str, Array]:
        """Return what goes on inside while the layer reads x, each (batch, time, units): σ(z_i), σ(z_f), ..., c, h.

        Parameters
        ----------
        x : array (batch, time, features)
            Sequences of any length; what `forward` remembers for `backward` stays as it is.

        Returns
        -------
        dict
            "input", "forget" and "output" (the gates, in (0, 1)), "candidate", "cell" and "hidden".
        """
        if not self.params:
            raise ValueError("the layer has no parameters yet; call build(input_shape) or fit on its model first")
        W = self.params["W"]
        x = as_numbers("x", x, W.dtype)
        if x.ndim != 3 or x.shape[-1] != len(W):
            raise ValueError(f"x must have shape (batch, time, {len(W)}); got {x.shape}")
        reader = copy(self)
        reader.forward(x)
        names = ("input", "forget", "output", "candidate", "cell", "hidden")
        parts = (*reader.ifog, reader.c[1:], reader.s[1:, : self.units])
        return {name: part.transpose(2, 0, 1) for name, part in zip(names, parts, strict=True)}

    def _back_through_time(self, dh: Array) -> Array:
        """With dh and dc from the step after:

        dc += dh · o (1 - tanh² c), then dz_i = dc · g i(1 - i), dz_f = dc · c_{t-1} f(1 - f), dz_g = dc · i (1 - g²),
        dz_o = dh · tanh(c) o(1 - o), and for the step before, dc · f and dh = U dz.
        """
        U, (i, f, o, g), (time, u, batch) = self.params["U"], self.ifog, dh.shape
        # All factors that do not depend on the way back, for all steps at once: few large operations.
        dz = np.empty((time, 4, u, batch), dh.dtype)
        np.multiply(g, i - i * i, out=dz[:, 0])
        np.multiply(self.c[:-1], f - f * f, out=dz[:, 1])
        np.multiply(i, 1 - g * g, out=dz[:, 2])
        np.multiply(self.tanh_c, o - o * o, out=dz[:, 3])
        into_c = o - o * self.tanh_c * self.tanh_c
        dc, part = np.zeros((u, batch), dh.dtype), np.empty((u, batch), dh.dtype)
        for t in reversed(range(time)):
            dh_t, dz_t = dh[t], dz[t]
            if t + 1 < time:
                dh_t += np.dot(U, dz[t + 1].reshape(4 * u, batch))
                dc *= f[t + 1]
            dc += np.multiply(dh_t, into_c[t], out=part)
            dz_ifg, dz_o = dz_t[:3], dz_t[3]
            dz_ifg *= dc
            dz_o *= dh_t
        return dz.reshape(time, 4 * u, batch)
