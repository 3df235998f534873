"""A stack of layers: data goes forward through it, gradients come back, and predictions are judged."""

from math import prod

import numpy as np

from . import losses, metrics
from .arrays import Array, Shape, as_dtype, as_generator, as_rows, positive_integer
from .flat import FlatParameters
from .layers import Layer


class Network:
    """y = fₖ(... f₂(f₁(x))): the output of each layer is the input of the next.

    Parameters
    ----------
    layers : list of Layer
        Each object once.
    seed : int or numpy.random.Generator
        Source of all randomness of this model: initial weights, shuffling, dropout. Same seed, same bits.
    dtype : {"float64", "float32"}
        float64 to compare derivatives, float32 for twice the speed.

    Attributes
    ----------
    params, grads : array (n,)
        All parameters and all gradients, flat (None before `build`); the layers' dicts hold views into them.
    """

    def __init__(self, layers, seed=0, dtype="float64"):
        self.layers: list[Layer] = list(layers)
        if not self.layers:
            raise ValueError("layers must hold at least one layer; got none")
        for layer in self.layers:
            if not isinstance(layer, Layer):
                raise ValueError(f"layers must hold nnlib layers; got {layer!r}")
        every = self._every_layer()
        for layer in every:
            if sum(layer is other for other in every) > 1:
                raise ValueError(f"each layer object may appear once; {layer!r} appears more often")
        self.rng = as_generator(seed)
        if not isinstance(self.rng.bit_generator, np.random.PCG64):
            raise ValueError(f"seed must be a Generator over PCG64; got {self.rng!r}")
        self.dtype = as_dtype(dtype)
        self.input_shape: Shape | None = None
        self.params = self.grads = None
        self.loss: losses.Loss | None = None
        self.metrics: list = []

    def _every_layer(self) -> list[Layer]:
        return [inner for layer in self.layers for inner in layer.walk()]

    # -- from input to output and back ---------------------------------------------------------------------------------

    def build(self, input_shape: Shape) -> "Network":
        """Make the parameters for inputs of `input_shape` (one example, without the batch axis); return the model."""
        if self.params is not None:
            raise ValueError(f"the model is already built for inputs of shape {self.input_shape}")
        shape = tuple(positive_integer("input_shape", size) for size in np.atleast_1d(input_shape).tolist())
        every = self._every_layer()
        for layer in every:
            if layer.output_shape is not None:
                raise ValueError(f"{layer!r} already belongs to another model; make a new layer")
        given, random_state = shape, self.rng.bit_generator.state
        try:
            for layer in self.layers:
                layer.output_shape = shape = layer.build(shape, self.rng, self.dtype)
        except ValueError:  # the input does not fit: leave everything as it was, for another try with a better one
            self.rng.bit_generator.state = random_state
            for layer in every:
                layer.reset()
            raise
        self.input_shape, self.output_shape = given, shape
        self.flat = FlatParameters(every, self.dtype)
        self.params, self.grads = self.flat.params, self.flat.grads
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

    def objective(self, loss: "str | losses.Loss") -> losses.Loss:
        """Return the loss fused with the last activation where `losses.FUSED` has the pair, else the loss itself."""
        loss = losses.get(loss)
        activation = getattr(self.layers[-1], "activation", None)
        return losses.FUSED.get((activation.name, loss.name), loss) if activation else loss

    def compute_gradients(self, x: Array, y: Array, objective: losses.Loss, weight: Array | None = None) -> Array:
        """Fill `grads` for one batch, forward and backward; return what `objective.value` takes (z or a).

        No parameter is changed: that is the optimizer's step. Running statistics do move, as in any training batch.
        """
        a = self.forward(x, training=True)
        self.layers[self._first_trained].skip_dx = True
        self._backward_from(objective, a, y, weight, self._first_trained)
        return self.layers[-1].z if objective.on_z else a

    def _backward_from(self, objective, a, y, weight=None, first=0):
        """Run backward from the gradient of `objective` down to layer `first`; return that layer's dx."""
        dy = objective.grad(a, y, weight)
        *rest, last = self.layers[first:]
        dy = last.backward_z(dy) if objective.on_z else last.backward(dy)
        for layer in reversed(rest):
            dy = layer.backward(dy)
        return dy

    # -- using a model ------------------------------------------------------------------------------------------------

    def predict(self, X) -> Array:
        """Return the outputs for all rows of X, with dropout off and running statistics on."""
        return self._outputs(self._as_input("X", X), None)

    def evaluate(self, X, y, *, loss=None, metrics=None) -> dict[str, float]:
        """Return {"loss": ..., metric: ...} over all rows at once; loss and metrics default to those of `fit`."""
        X = self._as_input("X", X)
        y = self._as_target("y", y, len(X))
        if loss is None and self.loss is None:
            raise ValueError(f"loss must be one of {', '.join(losses.LOSSES)}; got None and no earlier fit")
        loss = losses.get(self.loss if loss is None else loss)
        losses.check_targets(loss, y)
        objective = self.objective(loss)
        return self._scores(self._outputs(X, objective), y, objective, wanted=metrics)

    def _outputs(self, X: Array, objective: losses.Loss | None) -> Array:
        """Return what `objective.value` takes (z or a; a for None) for all rows, in pieces that fit the caches."""
        pieces, rows = [], min(1024, max(16, 2**16 // prod(self.input_shape)))
        for start in range(0, len(X), rows):
            a = self.forward(X[start : start + rows], training=False)
            pieces.append(self.layers[-1].z if objective is not None and objective.on_z else a)
        return np.concatenate(pieces)

    def _loss_of_rows(self, X, y, objective, weight) -> float:
        with np.errstate(all="ignore"):
            return objective.value(self._outputs(X, objective), y, weight)

    def _scores(self, outputs, y, objective, weight=None, wanted=None) -> dict[str, float]:
        scores = {"loss": objective.value(outputs, y, weight)}
        chosen = self.metrics if wanted is None else [metrics.get(metric) for metric in wanted]
        if chosen:
            y_pred = self.layers[-1].activation.f(outputs) if objective.on_z else outputs
            scores |= {metric.__name__: metric(y_pred, y) for metric in chosen}
        return scores

    def get_weights(self) -> list[Array]:
        """Return copies of all parameters (one flat array) and of all running statistics."""
        self._require_built()
        return [self.params.copy(), *(buffer.copy() for _, buffer in self._buffers())]

    def set_weights(self, weights: list[Array]) -> None:
        """Put back what `get_weights` returned."""
        self._require_built()
        targets = [self.params, *(buffer for _, buffer in self._buffers())]
        if [np.shape(w) for w in weights] != [t.shape for t in targets]:
            raise ValueError(
                f"weights must have shapes {[t.shape for t in targets]}; got {[np.shape(w) for w in weights]}"
            )
        for target, values in zip(targets, weights, strict=True):
            target[...] = values

    def _buffers(self) -> list[tuple[str, Array]]:
        return [
            (f"layer{i}_{name}", buffer)
            for i, layer in enumerate(self._every_layer())
            for name, buffer in layer.buffers.items()
        ]

    def parameter_counts(self) -> tuple[int, int]:
        """Return how many numbers are trained by gradients, and how many are kept besides (running statistics)."""
        self._require_built()
        return self.params.size, sum(buffer.size for _, buffer in self._buffers())

    # -- checks at the door -------------------------------------------------------------------------------------------

    def _require_built(self) -> None:
        if self.params is None:
            raise ValueError("the model has no parameters yet; call build(input_shape) or fit first")

    def _as_input(self, name: str, x) -> Array:
        """Return x as rows of this model's dtype; builds the model at first sight of an input."""
        x = as_rows(name, x, self.dtype)
        if self.params is None:
            self.build(x.shape[1:])
        if x.shape[1:] != self.input_shape:
            raise ValueError(f"{name} must have shape (rows, {_inside(self.input_shape)}); got {x.shape}")
        return x

    def _as_target(self, name: str, y, rows: int) -> Array:
        y = as_rows(name, y, self.dtype)
        if y.shape != (rows, *self.output_shape):
            raise ValueError(f"{name} must have shape ({rows}, {_inside(self.output_shape)}); got {y.shape}")
        return y


def _inside(shape: Shape) -> str:
    return ", ".join(map(str, shape))
