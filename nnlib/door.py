"""What a network is given, checked before anything changes; to be looked up, like `checks`, not read.

Every method that begins with `_as_` returns its argument as training needs it, or raises a ValueError.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from numpy.typing import ArrayLike

from . import activations, losses, optimizers
from .arrays import Array, DType, Random, Shape
from .callbacks import Callback
from .checks import as_numbers, class_weights, number, row_weights
from .flat import FlatParameters
from .layers import Layer


class Door:
    """The checks of a `Network`; what it has is filled there."""

    layers: list[Layer]
    rng: Random
    dtype: DType
    flat: FlatParameters | None
    input_shape: Shape | None
    output_shape: Shape
    loss: losses.Loss | None
    optimizer: optimizers.Optimizer | None
    build: Callable[[Shape], object]
    objective: Callable[[losses.Choice], losses.Loss]

    def _every_layer(self) -> list[Layer]:
        return [inner for layer in self.layers for inner in layer.walk()]

    def built(self) -> FlatParameters:
        """Return the flat parameters and gradients, or raise a ValueError where there are none yet."""
        if self.flat is None:
            raise ValueError("the model has no parameters yet; call build(input_shape) or fit first")
        self.flat.check_views()
        return self.flat

    @contextmanager
    def _unbuilt_if_refused(self) -> Iterator[None]:
        """Take back a `build` that began inside, where it or what follows it is refused; the random draws, too."""
        before, random_state = self.input_shape, self.rng.bit_generator.state
        try:
            yield
        except BaseException:
            if self.input_shape != before:
                vars(self).update(flat=None, input_shape=None)
                self.rng.bit_generator.state = random_state
                for layer in self._every_layer():
                    layer.reset()
            raise

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

    def _as_validation(self, data: tuple[ArrayLike, ArrayLike] | None, loss: losses.Loss) -> list[tuple[Array, Array]]:
        """Return [(X, y)], or [] for None."""
        if data is None:
            return []
        if not isinstance(data, tuple | list) or len(data) != 2:
            raise ValueError(f"validation_data must be a pair (X, y); got {type(data).__name__}")
        X = self._as_input("validation_data X", data[0])
        return [(X, self._as_target("validation_data y", data[1], len(X), loss))]

    def _as_weight(
        self, sample_weight: ArrayLike | None, class_weight: Mapping[int, float] | None, y: Array
    ) -> Array | None:
        """Return the factor of each row's loss, the product of both; None where none is given."""
        weight = None if sample_weight is None else row_weights("sample_weight", sample_weight, len(y), self.dtype)
        if class_weight is None:
            return weight
        of_class = class_weights("class_weight", class_weight, y)
        return of_class if weight is None else weight * of_class

    def _as_optimizer(self, optimizer: str | optimizers.Optimizer | None) -> optimizers.Optimizer:
        """Return the optimizer of this training, checked but not yet started."""
        chosen = optimizers.get(self.optimizer if optimizer is None else optimizer)
        try:
            number("learning_rate", chosen.rate(), 0)
        except TypeError as error:  # a function that does not take the step
            raise ValueError(f"learning_rate must be a number, or a function of the step; {error}") from error
        if not self.built().params.size:
            raise ValueError(f"layers must have parameters to be trained; got {self.layers}")
        if chosen is not self.optimizer and (chosen.state or chosen.t):
            raise ValueError(
                f"this {type(chosen).__name__} object already trains another model; make a new one as optimizer"
            )
        return chosen


def as_layers(layers: Iterable[Layer]) -> list[Layer]:
    """Return the layers as a list, each object once."""
    given = list(layers) if isinstance(layers, Iterable) and not isinstance(layers, set) else []
    if not given or not all(isinstance(layer, Layer) for layer in given):
        raise ValueError(f"layers must be a list of one or more nnlib layers, [Dense(8), ...]; got {layers!r}")
    seen: set[int] = set()
    for layer in (inner for outer in given for inner in outer.walk()):
        if id(layer) in seen:
            raise ValueError(f"each layer object may appear once in layers; {layer!r} appears more often")
        seen.add(id(layer))
    return given


def as_callbacks(callbacks: Sequence[Callback] | None) -> list[Callback]:
    """Return the callbacks as a list of its own."""
    if not isinstance(callbacks, list | tuple | None) or not all(isinstance(c, Callback) for c in callbacks or ()):
        raise ValueError(f"callbacks must be a list of Callback objects, [EarlyStopping()]; got {callbacks!r}")
    return list(callbacks or ())


def check_output(loss: losses.Loss, activation: activations.Activation | None) -> None:
    """Raise a ValueError where a model's last activation (None: it has none) does not yield what the loss needs."""
    yields = "numbers" if activation is None else activation.yields
    if loss.needs not in ("numbers", yields):
        needed = "sigmoid" if loss.needs == "probabilities" else "softmax"
        got = "a last layer without activation" if activation is None else repr(activation.name)
        raise ValueError(
            f"loss {loss.name!r} needs a model whose last layer yields {loss.needs}, activation={needed!r} (or one of "
            f"your own that says so in `yields`); got {got}"
        )


def check_follower(model: Door, through: Door) -> None:
    """Raise a ValueError where `through` cannot take the output of `model`; build it if need be."""
    if through.dtype != model.dtype:
        raise ValueError(f"through must have the dtype of the model, {model.dtype.name}; got {through.dtype.name}")
    if through.flat is None:
        through.build(model.output_shape)
    if through.input_shape != model.output_shape:
        raise ValueError(
            f"through must take inputs of shape {model.output_shape}, the model's output; got {through.input_shape}"
        )


def _inside(shape: Shape | None) -> str:
    return ", ".join(map(str, shape or ()))
