"""A stack of layers: data goes forward through it, gradients come back, and predictions are judged."""

from __future__ import annotations  # names np.random in signatures without importing it: 10 of 100 ms

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import nan, prod
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from . import losses
from .arrays import Array, Shape
from .checks import as_dtype, as_generator, as_numbers, as_shape
from .flat import FlatParameters
from .layers import Activation, Layer
from .losses import FusedLoss
from .metrics import Metric, get_metrics


class Network:
    """y = fₖ(... f₂(f₁(x))): the output of each layer is the input of the next. See `Sequential` for the arguments."""

    def __init__(self, layers: Iterable[Layer], seed: int | np.random.Generator = 0, dtype: DTypeLike = "float64"):
        self.layers = list(layers) if isinstance(layers, Iterable) and not isinstance(layers, set) else []
        if not self.layers or not all(isinstance(layer, Layer) for layer in self.layers):
            raise ValueError(f"layers must be a list of one or more nnlib layers, [Dense(8), ...]; got {layers!r}")
        every = self._every_layer()
        for layer in every:
            if sum(layer is other for other in every) > 1:
                raise ValueError(f"each layer object may appear once in layers; {layer!r} appears more often")
        self.rng = as_generator(seed)
        if not isinstance(self.rng.bit_generator, np.random.PCG64):
            raise ValueError(f"seed must be an integer or a Generator over PCG64; got {self.rng!r}")
        self.dtype = as_dtype(dtype)
        self.loss: losses.Loss | None = None
        self.metrics: list[Metric] = []
        self.flat: FlatParameters | None = None
        self.params: Array | None = None
        self.grads: Array | None = None
        self.input_shape: Shape | None = None

    def _every_layer(self) -> list[Layer]:
        return [inner for layer in self.layers for inner in layer.walk()]

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
        self.params, self.grads = self.flat.params, self.flat.grads
        with_parameters = [i for i, layer in enumerate(self.layers) if any(part.params for part in layer.walk())]
        self._first_trained = min(with_parameters, default=0)  # nothing before it has anything to learn
        return self

    @contextmanager
    def _unbuilt_if_refused(self) -> Iterator[None]:
        """Take back a `build` that began inside, where it or what follows it is refused; the random draws, too."""
        before, random_state = self.input_shape, self.rng.bit_generator.state
        try:
            yield
        except BaseException:
            if self.input_shape != before:
                self.flat = self.params = self.grads = self.input_shape = None
                self.rng.bit_generator.state = random_state
                for layer in self._every_layer():
                    layer.reset()
            raise

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
        losses.check_output(chosen, activation)
        return losses.fuse(activation, chosen)

    def compute_gradients(self, x: Array, y: Array, objective: losses.Loss, weight: Array | None = None) -> Array:
        """Fill `grads` for one batch, forward and backward; return what `objective.mean` takes (z or a).

        No parameter is changed: that is the optimizer's step. Running statistics do move, as in any training batch.
        """
        a = self.forward(x, training=True)
        self.layers[self._first_trained].skip_dx = True
        self._backward_from(objective, a, y, weight, self._first_trained)
        return self._output_for(objective, a)

    def _backward_from(
        self, objective: losses.Loss, a: Array, y: Array, weight: Array | None = None, first: int = 0
    ) -> Array:
        """Run backward from the gradient of `objective` down to layer `first`; return that layer's dx."""
        dy = objective.mean_slope(a, y, weight)
        *rest, last = self.layers[first:]
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

        L is the mean over the rows of X, so that times `len(X)` it is each row's own gradient. The model is taken as it
        predicts (dropout off, running statistics on) and comes back as it was. Saliency maps (Simonyan et al. 2014) and
        adversarial examples (Goodfellow et al. 2015) are made of it.
        """
        with self._unbuilt_if_refused():
            x, target, objective = self._as_examples(X, y, loss)
        grads = self.built().grads.copy()
        self.layers[self._first_trained].skip_dx = False
        dx = self._backward_from(objective, self.forward(x), target)
        self.built().grads[...] = grads
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

    def built(self) -> FlatParameters:
        """Return the flat parameters and gradients, or raise a ValueError where there are none yet."""
        if self.flat is None:
            raise ValueError("the model has no parameters yet; call build(input_shape) or fit first")
        return self.flat

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

    # -- checks at the door -------------------------------------------------------------------------------------------

    def _as_input(self, name: str, x: ArrayLike) -> Array:
        """Return x as rows of this model's dtype; builds the model at first sight of an input."""
        rows = as_numbers(name, x, self.dtype, axes=2)
        if self.flat is None:
            self.build(rows.shape[1:])
        if rows.shape[1:] != self.input_shape:
            raise ValueError(f"{name} must have shape (rows, {_inside(self.input_shape)}); got {rows.shape}")
        return rows

    def _as_target(self, name: str, y: ArrayLike, rows: int, loss: losses.Loss) -> Array:
        """Return y as an array of the shape of the output for so many rows, fit for the loss."""
        target = as_numbers(name, y, self.dtype, axes=2)
        if target.shape != (rows, *self.output_shape):
            raise ValueError(f"{name} must have shape ({rows}, {_inside(self.output_shape)}); got {target.shape}")
        losses.check_targets(loss, target, name)
        return target

    def _as_loss(self, loss: losses.Choice) -> losses.Loss:
        """Return the loss; by default that of an earlier `fit`."""
        return losses.get(self.loss if loss is None else loss)

    def _as_examples(self, X: ArrayLike, y: ArrayLike, loss: losses.Choice) -> tuple[Array, Array, losses.Loss]:
        """Return inputs, targets and the objective, each fit for the others."""
        chosen = self._as_loss(loss)
        objective = self.objective(chosen)
        inputs = self._as_input("X", X)
        return inputs, self._as_target("y", y, len(inputs), chosen), objective


def _inside(shape: Shape | None) -> str:
    return ", ".join(map(str, shape or ()))
