"""What every layer is: parameters, a forward pass, and the derivative of it, written by hand."""

import inspect

import numpy as np

from ..arrays import Array, Shape


class Layer:
    """A function of an array, with parameters that can be learned.

    A subclass sets its arguments in `__init__` and defines three methods:

    - `build(input_shape, rng, dtype) -> output_shape` makes the parameters. Shapes leave out the batch axis.
    - `forward(x, training) -> y` computes the output and remembers what the way back needs.
    - `backward(dy) -> dx` takes dy = ∂L/∂y, *overwrites* every entry of `grads` with ∂L/∂parameter, and returns ∂L/∂x
      (or None where `skip_dx` says that nobody will use it).

    Attributes
    ----------
    params, grads : dict of str to array
        Learned parameters and their gradients. Inside a model both are views into its flat buffers: write
        `params["W"][...] = values`; `params["W"] = values` would cut the view off.
    buffers : dict of str to array
        What is kept but not learned by gradients (running statistics).
    children : list of Layer
        The layers inside this one.
    skip_dx : bool
        Set by the model on its first layer with parameters, whose dx would be thrown away.
    taken : bool
        Set when a model is built from this layer. A second model would overwrite what `forward` remembers for the
        first, even where there are no parameters to share.
    """

    def __init__(self):
        self.params: dict[str, Array] = {}
        self.grads: dict[str, Array] = {}
        self.buffers: dict[str, Array] = {}
        self.children: list[Layer] = []
        self.skip_dx = False
        self.taken = False

    def build(self, input_shape: Shape, rng: np.random.Generator, dtype) -> Shape:
        """Make the parameters for inputs of `input_shape` (without the batch axis); return the output's shape."""
        return input_shape

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return y."""
        raise NotImplementedError

    def backward(self, dy: Array) -> Array | None:
        """Store ∂L/∂parameter in `grads` and return dx = ∂L/∂x."""
        raise NotImplementedError

    def add(self, name: str, value: Array) -> None:
        """Make a parameter with its gradient; only `build` calls this."""
        self.params[name] = value
        self.grads[name] = np.zeros_like(value)

    def walk(self):
        """Yield this layer and all layers inside it, outer before inner."""
        yield self
        for child in self.children:
            yield from child.walk()

    def config(self) -> dict:
        """Return the arguments that make an equal, unbuilt layer."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def __repr__(self) -> str:
        """Return the layer as the call that makes it."""
        arguments = ", ".join(f"{name}={getattr(value, 'name', value)!r}" for name, value in self.config().items())
        return f"{type(self).__name__}({arguments})"
