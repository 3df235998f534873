"""The same few weights at every place of an image: convolution, and pooling that keeps only the strongest answer.

Images are (batch, height, width, channels) for whoever calls; in memory they lie the other way round, the batch
innermost: x.T, which is (channels, width, height, batch), is contiguous. To take the window's pixel (i, j) at all
places of all images is then a copy of a few long runs of numbers, not of thousands of short ones, and the output of one
layer is the input of the next as it is.
"""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .. import activations, initializers
from ..arrays import Array, DType, Random, Shape
from ..checks import one_of, pair, positive_integer
from .base import NO_DX, Layer
from .dense import Activation, largest, to_largest


def _columns(x: Array, kernel: Shape, size: Sequence[int], stride: Shape = (1, 1)) -> Array:
    """Return each window of x (channels, width, height, batch) as a column: (kernel · channels, size · batch).

    With the windows as columns, a convolution is one matrix product ("im2col", Chellapilla et al. 2006). Windows of a
    view overlap in the same numbers; `reshape` makes the one copy of them.
    """
    channels, _, _, batch = x.shape
    of_channel, across, down, of_image = x.strides
    windows = as_strided(
        x,
        (*kernel, channels, size[1], size[0], batch),
        (down, across, of_channel, stride[1] * across, stride[0] * down, of_image),
        writeable=False,
    )
    return windows.reshape(kernel[0] * kernel[1] * channels, -1)


def _framed(x: Array, size: Sequence[int], down: slice, across: slice) -> Array:
    """Return zeros (channels, width, height, batch) of that size (height, width), with x at those places in it."""
    frame = np.zeros((len(x), size[1], size[0], x.shape[-1]), x.dtype)
    frame[:, across, down] = x
    return frame


class Conv2D(Activation):
    """a = f(z) with z[y, x, k] = b[k] + Σ W[i, j, c, k] · image[s·y + i, s·x + j, c], summed over i, j and c.

    One small window of weights, applied at every place. As in every framework this is, strictly, a cross-correlation:
    the kernel is not turned round, which makes no difference to what can be learned. Input (batch, height, width,
    channels), W (kernel height, kernel width, channels, filters), b (filters,), output (batch, height', width',
    filters).

    Parameters
    ----------
    filters : int
        Number of kernels, which is the number of channels of the output.
    kernel_size : int or (int, int)
        Height and width of the window.
    padding : {"valid", "same"}
        "valid": windows inside the image only, height' = ⌊(height - kernel)/stride⌋ + 1. "same": zeros around it, so
        that height' = ⌈height/stride⌉; where an odd number of lines is needed, the extra one is at the bottom (right),
        as in TensorFlow and Keras. With an odd kernel and stride 1 that is PyTorch's `padding=kernel // 2`; with
        larger strides PyTorch puts the windows elsewhere.
    stride : int or (int, int)
        s, the step from window to window, down and across.
    activation : str or activations.Activation, optional
        f; None means linear.
    initializer : str, dict or initializers.Initializer
        How W starts; b starts at 0.

    References
    ----------
    LeCun et al. 1989; Dumoulin & Visin 2016 for the arithmetic of sizes.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        padding: str = "valid",
        stride: int | tuple[int, int] = 1,
        activation: activations.Choice = None,
        initializer: initializers.Choice = "glorot_uniform",
    ) -> None:
        super().__init__(activation)
        self.filters = positive_integer("filters", filters)
        self.kernel_size = pair("kernel_size", kernel_size)
        self.padding = one_of("padding", padding, {"valid": "valid", "same": "same"})
        self.stride = pair("stride", stride)
        self.initializer = initializers.get(initializer)

    def build(self, input_shape: Shape, rng: Random, dtype: DType) -> Shape:
        *self.size, channels = self.expect(input_shape, "height", "width", "channels")
        same = self.padding == "same"
        if not same and (self.kernel_size[0] > self.size[0] or self.kernel_size[1] > self.size[1]):
            raise ValueError(
                f'kernel_size must fit into the image, {self.size[0]}×{self.size[1]}, with padding="valid"; '
                f"got {self.kernel_size[0]}×{self.kernel_size[1]}"
            )
        # down and across: how many windows there are, how many lines with the zeros, and which of these are the image
        self.places, self.padded, self.middle = [], [], []
        for n, k, s in zip(self.size, self.kernel_size, self.stride, strict=True):
            m = -(-n // s) if same else (n - k) // s + 1
            zeros = max((m - 1) * s + k - n, 0)
            self.places.append(m)
            self.padded.append(n + zeros)
            self.middle.append(slice(zeros // 2, zeros // 2 + n))
        self.add("W", self.initializer((*self.kernel_size, channels, self.filters), rng, dtype))
        self.add("b", np.zeros(self.filters, dtype))
        return (*self.places, self.filters)

    def forward(self, x: Array, training: bool = False) -> Array:
        self.columns = _columns(_framed(x.T, self.padded, *self.middle), self.kernel_size, self.places, self.stride)
        z = self.params["W"].reshape(-1, self.filters).T @ self.columns
        z += self.params["b"][:, None]
        return super().forward(z.reshape(self.filters, *self.places[::-1], -1).T)

    def backward(self, dy: Array) -> Array:
        # The layer after may hand over the other order in memory; to change it first saves a tenth of a training step
        return super().backward(np.ascontiguousarray(dy.T).T)

    def backward_z(self, dz: Array) -> Array:
        """Gradients: dW = columns dzᵀ and db = Σ dz; dx is dz convolved with the kernel turned by 180°.

        For pixel p was multiplied by W[i] wherever p = s·y + i, so that dx[p] = Σ W[i] dz[y] over those: a convolution
        of dz, with s - 1 zeros between its entries and a frame of zeros around them, in which i runs backwards. (To add
        the parts W dz into dx, one for each i, takes 43 µs where this takes 28: 16 filters of 3×3, 8 channels, 4×4
        places, batch 32, float32.)
        """
        W, dz = self.params["W"], dz.T
        flat = dz.reshape(self.filters, -1)
        np.matmul(self.columns, flat.T, out=self.grads["W"].reshape(-1, self.filters))
        np.matmul(flat, np.ones(flat.shape[1], flat.dtype), out=self.grads["b"])
        if self.skip_dx:
            return NO_DX
        frame, inside = [], []
        for n, m, k, s, part in zip(self.size, self.places, self.kernel_size, self.stride, self.middle, strict=True):
            first = k - 1 - part.start
            frame.append(n + k - 1)
            inside.append(slice(first, first + m * s, s))
        columns = _columns(_framed(dz, frame, *inside), self.kernel_size, self.size)
        turned = W[::-1, ::-1].swapaxes(2, 3).reshape(-1, W.shape[2])
        return (turned.T @ columns).reshape(-1, *self.size[::-1], dz.shape[-1]).T


class MaxPool2D(Layer):
    """y = the largest of each `size` × `size` square, per channel; squares do not overlap.

    What does not fill a square, at the bottom and on the right, is left out, as in PyTorch and with "valid" in Keras.
    Where entries tie, the first (line by line) gets the gradient, as in PyTorch.

    Parameters
    ----------
    size : int or (int, int)
        Height and width of the squares, and the step from one to the next.
    """

    def __init__(self, size: int | tuple[int, int]) -> None:
        super().__init__()
        self.size = pair("size", size)

    def build(self, input_shape: Shape, rng: Random, dtype: DType) -> Shape:
        height, width, channels = self.expect(input_shape, "height", "width", "channels")
        if self.size[0] > height or self.size[1] > width:
            raise ValueError(f"size must fit into the image, {height}×{width}; got {self.size[0]}×{self.size[1]}")
        self.places = (height // self.size[0], width // self.size[1])
        return (*self.places, channels)

    def _parts(self, x: Array) -> list[Array]:
        """Return, for each place in the square, the view (batch, height', width', channels) of the entries there."""
        (height, width), (down, across) = self.places, self.size
        return [x[:, i : height * down : down, j : width * across : across] for i in range(down) for j in range(across)]

    def forward(self, x: Array, training: bool = False) -> Array:
        self.x = x
        self.y = largest(self._parts(x))
        return self.y

    def backward(self, dy: Array) -> Array:
        dx = np.zeros_like(self.x)
        to_largest(dy, self.y, self._parts(self.x), self._parts(dx))
        return dx
