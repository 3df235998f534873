"""All parameters of a model in one flat array, and all gradients in another; the layers hold views into them.

An optimizer can then update everything with a handful of operations on one array, saving is one array, and
"the norm of the gradient" or "a random direction" is one line.
"""

from typing import Any

import numpy as np

from .arrays import Array
from .layers.base import Layer


class FlatParameters:
    """Moves the parameters of built layers into one buffer.

    Tensors with two or more axes (weights) come first, then the rest (biases, scales), so that weight decay acts on
    the slice `params[:decayed]`.

    Attributes
    ----------
    params, grads : array (n,)
        The buffers.
    decayed : int
        How many of the n numbers belong to tensors with two or more axes.
    slices : list of (Layer, str, slice)
        Where each layer's parameter of that name lies.
    """

    def __init__(self, layers: list[Layer], dtype: np.dtype) -> None:
        tensors = [(layer, name) for layer in layers for name in layer.params]
        tensors.sort(key=lambda tensor: tensor[0].params[tensor[1]].ndim < 2)  # stable: otherwise the model's order
        sizes = [layer.params[name].size for layer, name in tensors]
        ends = np.cumsum([0, *sizes])
        self.params: Array = np.empty(ends[-1], dtype)
        self.grads: Array = np.zeros(ends[-1], dtype)
        self.decayed = sum(layer.params[name].size for layer, name in tensors if layer.params[name].ndim >= 2)
        self.slices = [
            (layer, name, slice(int(start), int(end)))
            for (layer, name), start, end in zip(tensors, ends[:-1], ends[1:], strict=True)
        ]
        for layer, name, place in self.slices:
            self.params[place] = layer.params[name].ravel()
        self._make_views()

    def _make_views(self) -> None:
        for layer, name, place in self.slices:
            shape = layer.params[name].shape
            layer.params[name] = self.params[place].reshape(shape)
            layer.grads[name] = self.grads[place].reshape(shape)

    def check_views(self) -> None:
        """Refuse parameters that have been replaced: no optimizer would move them, no file would hold them."""
        for layer, name, _ in self.slices:
            if layer.params[name].base is not self.params or layer.grads[name].base is not self.grads:
                raise ValueError(
                    f'the parameter "{name}" of {layer!r} must be written into, params["{name}"][...] = values; '
                    "it has been replaced by another array"
                )

    def __setstate__(self, state: dict[str, Any]) -> None:
        # copy.deepcopy and pickle copy every view as an array of its own; without this the copy would never learn
        self.__dict__.update(state)
        self._make_views()
