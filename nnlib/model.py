"""A stack of layers: data goes forward through it, gradients come back, and predictions are judged."""

from collections.abc import Iterable, Sequence
from math import nan, prod
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from . import losses
from .arrays import Array, Random, Shape
from .checks import as_dtype, as_generator, as_numbers, as_shape
from .door import Door, as_layers, check_output
from .flat import FlatParameters
from .layers import Activation, Conv2D, Dense, Layer
from .losses import FusedLoss
from .metrics import Metric, get_metrics


class Network(Door):
    """y = fₖ(... f₂(f₁(x))): the output of each layer is the input of the next. See `Sequential` for the arguments."""

    def __init__(self, layers: Iterable[Layer], seed: "int | Random" = 0, dtype: DTypeLike = "float64"):
        self.layers = as_layers(layers)
        self.rng = as_generator(seed)
        if not isinstance(self.rng.bit_generator, np.random.PCG64):
            raise ValueError(f"seed must be an integer or a Generator over PCG64; got {self.rng!r}")
        self.dtype = as_dtype(dtype)
        self.loss = self.flat = self.input_shape = None
        self.metrics: list[Metric] = []

    @property
    def params(self) -> Array | None:
        """All parameters in one array (None before `build`). What is assigned is written into it: layers hold views."""
        return None if self.flat is None else self.flat.params

    @params.setter
    def params(self, values: ArrayLike) -> None:
        self._write("params", self.built().params, values)

    @property
    def grads(self) -> Array | None:
        """The gradients of `params` after a `backward`, in the same order."""
        return None if self.flat is None else self.flat.grads

    @grads.setter
    def grads(self, values: ArrayLike) -> None:
        self._write("grads", self.built().grads, values)

    def _write(self, name: str, target: Array, values: ArrayLike) -> None:
        if values is target:  # as after `model.params -= ...`
            return
        checked = as_numbers(name, values, self.dtype)
        if checked.shape != target.shape:
            raise ValueError(f"{name} must have shape {target.shape}; got {checked.shape}")
        target[...] = checked

    # -- from input to output and back ---------------------------------------------------------------------------------

    def build(self, input_shape: int | Shape) -> Self:
        """Make the parameters for inputs of `input_shape` (one example, without the batch axis); return the model."""
        if self.flat is not None:
            raise ValueError(f"the model is already built for inputs of shape {self.input_shape}; got {input_shape!r}")
        given = shape = as_shape("input_shape", input_shape)
        every = self._every_layer()
        for layer in every:
            if layer.output_shape is not None:
                raise ValueError(f"{layer!r} already belongs to another model; make a new layer")
        with self._unbuilt_if_refused():
            self.input_shape = given
            try:
                for layer in self.layers:
                    layer.output_shape = shape = layer.build(shape, self.rng, self.dtype)
                self.flat = FlatParameters(every, self.dtype)
            except MemoryError as error:
                raise ValueError(f"layers must fit into memory for input_shape {given}; {error}") from error
        self.output_shape = shape
        with_parameters = [i for i, layer in enumerate(self.layers) if any(part.params for part in layer.walk())]
        self._first_trained = min(with_parameters, default=0)  # nothing before it has anything to learn
        return self

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return the output for a batch; `training` switches dropout and batch statistics on. Nothing is checked."""
        for layer in self.layers:
            x = layer.forward(x, training)
        return x

    def backward(self, dy: Array) -> Array:
        """Fill `grads` with ∂L/∂parameters from dy = ∂L/∂output of the last `forward`; return ∂L/∂input."""
        self.layers[self._first_trained].skip_dx = False
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy

    def objective(self, loss: losses.Choice) -> losses.Loss:
        """Return the loss fused with the last activation where `losses.FUSED` has the pair, else the loss itself.

        A cross-entropy over a last layer that does not yield probabilities is refused.
        """
        chosen, last = losses.get(loss), self.layers[-1]
        activation = last.activation if isinstance(last, Activation) else None
        check_output(chosen, activation)
        # a layer of the reader's own may do more than its activation: it keeps its own way
        return losses.fuse(activation, chosen) if type(last) in (Activation, Dense, Conv2D) else chosen

    def compute_gradients(self, x: Array, y: Array, objective: losses.Loss, weight: Array | None = None) -> Array:
        """Fill `grads` for one batch, forward and backward; return what `objective.mean` takes (z or a).

        No parameter is changed: that is the optimizer's step. Running statistics do move, as in any training batch.
        """
        a = self.forward(x, training=True)
        self._backward_from(objective, a, y, weight, to_input=False)
        return self._output_for(objective, a)

    def _backward_from(
        self, objective: losses.Loss, a: Array, y: Array, weight: Array | None = None, to_input: bool = True
    ) -> Array:
        """Fill `grads` from the gradient of `objective`; return ∂L/∂input, unless it is not wanted."""
        first = self._first_trained
        self.layers[first].skip_dx = not to_input
        dy = objective.mean_slope(a, y, weight)
        *rest, last = self.layers if to_input else self.layers[first:]
        fused = self._fused(objective)
        dy = fused.backward_z(dy) if fused else last.backward(dy)
        for layer in reversed(rest):
            dy = layer.backward(dy)
        return dy

    def _output_for(self, objective: losses.Loss | None, a: Array) -> Array:
        """Return what `objective.mean` takes after a `forward` that returned a: a, or the last layer's z."""
        fused = self._fused(objective)
        return fused.z if fused else a

    def _fused(self, objective: losses.Loss | None) -> Activation | None:
        """Return the last layer where `objective` has taken over its activation, else None."""
        last = self.layers[-1]
        return last if isinstance(objective, FusedLoss) and isinstance(last, Activation) else None

    def input_gradient(self, X: ArrayLike, y: ArrayLike, loss: losses.Choice = None) -> Array:
        """∂L/∂X, of the shape of X: which way each input would have to move to raise the loss.

        L is the mean over the rows of X, so that times `len(X)` it is each row's own gradient (rmse is no mean). The
        model is taken as it predicts (dropout off, running statistics on) and comes back as it was. Saliency maps
        (Simonyan et al. 2014) and adversarial examples (Goodfellow et al. 2015) are made of it.
        """
        with self._unbuilt_if_refused():
            x, target, objective = self._as_examples(X, y, loss)
        grads = self.built().grads
        kept = grads.copy()
        dx = self._backward_from(objective, self.forward(x), target)
        grads[...] = kept
        return dx

    # -- using a model ------------------------------------------------------------------------------------------------

    def predict(self, X: ArrayLike) -> Array:
        """Return the outputs for all rows of X, with dropout off and running statistics on."""
        return self._outputs(self._as_input("X", X), None)

    def evaluate(
        self, X: ArrayLike, y: ArrayLike, *, loss: losses.Choice = None, metrics: Sequence[str | Metric] | None = None
    ) -> dict[str, float]:
        """Return {"loss": ..., metric: ...} over all rows at once; loss and metrics default to those of `fit`."""
        with self._unbuilt_if_refused():
            wanted = self.metrics if metrics is None else get_metrics(metrics)
            x, target, objective = self._as_examples(X, y, loss)
            return self._scores(self._outputs(x, objective), target, objective, wanted)

    def _outputs(self, X: Array, objective: losses.Loss | None) -> Array:
        """Return what `objective.mean` takes (z or a; a for None) for all rows, in pieces that fit the caches."""
        pieces, rows = [], min(1024, max(16, 2**16 // prod(X.shape[1:])))
        for start in range(0, len(X), rows):
            pieces.append(self._output_for(objective, self.forward(X[start : start + rows])))
        return np.concatenate(pieces)

    def _scores(
        self, outputs: Array, y: Array, objective: losses.Loss, wanted: Sequence[Metric], weight: Array | None = None
    ) -> dict[str, float]:
        """Return the loss and the metrics by name; the metrics of a model that has diverged are NaN."""
        scores = {"loss": objective.mean(outputs, y, weight)}
        if wanted:
            finite, fused = np.isfinite(outputs).all(), self._fused(objective)
            y_pred = fused.activation.f(outputs) if fused else outputs
            scores |= {metric.__name__: float(metric(y_pred, y)) if finite else nan for metric in wanted}
        return scores

    def get_weights(self) -> list[Array]:
        """Return copies of all parameters (one flat array) and of all running statistics."""
        return [array.copy() for array in self._weights()]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Put back what `get_weights` returned."""
        targets = self._weights()
        given = weights if isinstance(weights, list | tuple) else ()
        # an empty array is what a model without parameters has
        checked = [
            w if isinstance(w, np.ndarray) and not w.size else as_numbers("weights", w, self.dtype) for w in given
        ]
        shapes = [target.shape for target in targets]
        if [values.shape for values in checked] != shapes:
            raise ValueError(f"weights must have shapes {shapes}; got {weights!r:.80}")
        for target, values in zip(targets, checked, strict=True):
            target[...] = values

    def _weights(self) -> list[Array]:
        return [self.built().params, *(buffer for _, buffer in self._buffers())]

    def _buffers(self) -> list[tuple[str, Array]]:
        return [
            (f"layer{i}_{name}", buffer)
            for i, layer in enumerate(self._every_layer())
            for name, buffer in layer.buffers.items()
        ]

    def parameter_counts(self) -> tuple[int, int]:
        """Return how many numbers are trained by gradients, and how many are kept besides (running statistics)."""
        return self.built().params.size, sum(buffer.size for _, buffer in self._buffers())
