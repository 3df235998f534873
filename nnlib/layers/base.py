"""What every layer is: parameters, a forward pass, and the derivative of it, written by hand."""

import inspect
from collections.abc import Iterator

import numpy as np

from ..arrays import Array, DType, Random, Shape

NO_DX: Array = np.empty(0)  # what `backward` returns where `skip_dx` says that nobody will use dx


class Layer:
    """A function of an array, with parameters that can be learned.

    A subclass sets its arguments in `__init__` and defines three methods:

    - `build(input_shape, rng, dtype) -> output_shape` makes the parameters. Shapes leave out the batch axis.
    - `forward(x, training) -> y` computes the output and remembers what the way back needs.
    - `backward(dy) -> dx` takes dy = ∂L/∂y, *overwrites* every entry of `grads` with ∂L/∂parameter, and returns ∂L/∂x
      (`NO_DX` where `skip_dx` says that nobody will use it).

    Attributes
    ----------
    params, grads : dict of str to array
        Learned parameters and their gradients. Inside a model both are views into its flat buffers: write
        `params["W"][...] = values`; `params["W"] = values` cuts the view off, and the model refuses to go on.
    buffers : dict of str to array
        What is kept but not learned by gradients (running statistics).
    children : list of Layer
        The layers inside this one.
    output_shape : tuple of int
        What `build` returned; set by the model, or by the layer around this one. A layer that has it cannot go into
        another model, which would overwrite what `forward` remembers for the first.
    skip_dx : bool
        Set by the model on its first layer with parameters, whose dx would be thrown away: a tenth of a step of a small
        network (64–64–10, batch 32: 57 µs where it would be 63; two convolutions: 286 and 315).
    """

    def __init__(self) -> None:
        self.children: list[Layer] = []
        self.skip_dx = False
        self.reset()

    def reset(self) -> None:
        """Be as before `build`: without parameters."""
        self.params: dict[str, Array] = {}
        self.grads: dict[str, Array] = {}
        self.buffers: dict[str, Array] = {}
        self.output_shape: Shape | None = None

    def build(self, input_shape: Shape, rng: Random, dtype: DType) -> Shape:
        """Make the parameters for inputs of `input_shape` (without the batch axis); return the output's shape."""
        return input_shape

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return y."""
        raise NotImplementedError

    def backward(self, dy: Array) -> Array:
        """Store ∂L/∂parameter in `grads` and return dx = ∂L/∂x."""
        raise NotImplementedError

    def expect(self, input_shape: Shape, *axes: str) -> Shape:
        """Return `input_shape`, which must have these axes after that of the batch."""
        if len(input_shape) != len(axes):
            raise ValueError(
                f"{type(self).__name__} needs inputs of shape (batch, {', '.join(axes)}); got (batch, "
                f"{', '.join(map(str, input_shape))})"
            )
        return input_shape

    def add(self, name: str, value: Array) -> None:
        """Make a parameter with its gradient; only `build` calls this."""
        self.params[name] = value
        self.grads[name] = np.zeros_like(value)

    def walk(self) -> "Iterator[Layer]":
        """Yield this layer and all layers inside it, outer before inner."""
        yield self
        for child in self.children:
            yield from child.walk()

    def __repr__(self) -> str:
        """Return the layer as the call that makes it, without the arguments that have their default value."""
        arguments = [repr(child) for child in self.children]
        for name, parameter in inspect.signature(type(self)).parameters.items():
            value = getattr(self, name)
            if hasattr(value, "options"):  # an activation or initializer: by name
                value = {"name": value.name, **value.options} if value.options else value.name
            default = "linear" if name == "activation" else parameter.default
            if value != default and parameter.kind is not parameter.VAR_POSITIONAL:
                arguments.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(arguments)})"
