"""Convolution and pooling: by hand, against plain loops, and against finite differences."""

import math

import numpy as np
import pytest

import nnlib as nn
from nnlib.gradcheck import numerical_gradient, relative_error


def gradient_errors(layers, input_shape, rows=3):
    """Return the relative errors of dx and of all parameters' gradients, for a random gradient of the output."""
    model = nn.Sequential(layers, seed=1).build(input_shape)
    rng = np.random.default_rng(0)
    model.params += 0.1 * rng.standard_normal(model.params.shape)  # biases and scales away from 0 and 1
    x = rng.standard_normal((rows, *input_shape))
    dy = rng.standard_normal((rows, *model.output_shape))
    model.forward(x, training=True)
    by_hand = {"x": model.backward(dy), **{name: grad for name, grad, _ in _tensors(model)}}
    by_hand = {name: grad.copy() for name, grad in by_hand.items()}

    def value():
        return float((model.forward(x, training=True) * dy).sum())

    places = {"x": x, **{name: values for name, _, values in _tensors(model)}}
    return {name: relative_error(by_hand[name], numerical_gradient(value, places[name])) for name in places}


def _tensors(model):
    return [
        (f"{i}{name}", layer.grads[name], layer.params[name])
        for i, layer in enumerate(model._every_layer())
        for name in layer.params
    ]


def built(layer, input_shape, **params):
    """Return the layer, built, with the given parameters."""
    layer.output_shape = layer.build(input_shape, np.random.default_rng(0), "float64")
    for name, values in params.items():
        layer.params[name][...] = values
    return layer


def convolve_by_loops(x, W, b, padding, stride):
    """The definition, one number at a time; "same" as TensorFlow documents it."""
    (n, height, width, channels), (kh, kw, _, filters) = x.shape, W.shape
    if padding == "same":
        out = [math.ceil(height / stride[0]), math.ceil(width / stride[1])]
        ph = max((out[0] - 1) * stride[0] + kh - height, 0)
        pw = max((out[1] - 1) * stride[1] + kw - width, 0)
        x = np.pad(x, ((0, 0), (ph // 2, ph - ph // 2), (pw // 2, pw - pw // 2), (0, 0)))
    else:
        out = [(height - kh) // stride[0] + 1, (width - kw) // stride[1] + 1]
    y = np.empty((n, *out, filters))
    for place in np.ndindex(y.shape):
        image, row, column, k = place
        window = x[image, row * stride[0] : row * stride[0] + kh, column * stride[1] : column * stride[1] + kw]
        y[place] = b[k] + sum(
            W[i, j, c, k] * window[i, j, c] for i in range(kh) for j in range(kw) for c in range(channels)
        )
    return y


def test_convolution_of_a_known_image_by_hand():
    """A kernel that is turned round, or axes that are swapped, would change these numbers."""
    image = np.array([[1.0, 2, 3, 0], [4, 5, 6, 0], [7, 8, 9, 1]]).reshape(1, 3, 4, 1)
    kernel = np.array([[1.0, 0, -1], [2, 0, -2], [1, 0, 0]]).reshape(3, 3, 1, 1)
    y = built(nn.Conv2D(1, 3), (3, 4, 1), W=kernel, b=0.5).forward(image)
    # (1 - 3) + 2 (4 - 6) + 7 + ½ = 1½ and (2 - 0) + 2 (5 - 0) + 8 + ½ = 20½
    np.testing.assert_array_equal(y, np.reshape([1.5, 20.5], (1, 1, 2, 1)))
    same = built(nn.Conv2D(1, 3, padding="same"), (3, 4, 1), W=kernel, b=0.0).forward(image)
    # at the top left corner the window's first row and column lie on zeros: 0·1 - 2·2 + 0·4 = -4
    assert same[0, 0, 0, 0] == -4
    assert same[0, 1, 1, 0] == 1


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2, (2, 3)])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, (2, 3), 4])
def test_convolution_equals_its_definition_and_its_derivative(kernel_size, stride, padding, record_check):
    """A wrong frame, offset or stride shows in one of these combinations."""
    layer = nn.Conv2D(2, kernel_size, padding, stride, activation="tanh")
    built(layer, (5, 6, 3))
    rng = np.random.default_rng(3)
    layer.params["b"][...] = rng.standard_normal(2)
    x = rng.standard_normal((2, 5, 6, 3))
    expected = convolve_by_loops(x, layer.params["W"], layer.params["b"], padding, layer.stride)
    assert expected.shape[1:] == layer.output_shape
    error = np.abs(layer.forward(x) - np.tanh(expected)).max()
    label = f'Conv2D, kernel {layer.kernel_size[0]}×{layer.kernel_size[1]}, stride {stride}, padding "{padding}"'
    record_check("formulas", label, "its definition, in plain loops", error, 1e-14)
    errors = gradient_errors([nn.Conv2D(2, kernel_size, padding, stride, activation="tanh")], (5, 6, 3), rows=2)
    assert max(errors.values()) < 1e-7, errors


def test_convolutions_pooling_and_dense_in_a_row_keep_right_gradients():
    """Layers hand each other arrays in unusual memory orders; none may depend on what comes before or after."""
    layers = [
        nn.Conv2D(3, 3, "same", activation="tanh"),
        nn.BatchNorm(),
        nn.MaxPool2D(2),
        nn.Conv2D(2, 2, activation="sigmoid"),
        nn.LayerNorm(),
        nn.Dense(2, "tanh"),
        nn.Flatten(),
        nn.Dense(1),
    ]
    errors = gradient_errors(layers, (6, 7, 2))
    assert max(errors.values()) < 1e-7, errors


def test_fused_loss_reaches_through_a_last_convolution():
    """A network that ends in a convolution with softmax over the channels trains on the fused path."""
    model = nn.Sequential([nn.Conv2D(3, 1, activation="softmax")])
    X = np.random.default_rng(0).standard_normal((4, 3, 2, 2))
    y = np.eye(3)[np.random.default_rng(1).integers(0, 3, (4, 3, 2))]
    assert nn.check_gradients(model, X, y, "categorical_crossentropy") < 1e-7


def test_memory_order_of_the_input_does_not_matter():
    """A channels-first array seen through transpose is the same image."""
    layer = built(nn.Conv2D(2, 3, "same", activation="relu"), (4, 5, 3))
    first = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    view = first.transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(layer.forward(view), layer.forward(np.ascontiguousarray(view)))
    pool = built(nn.MaxPool2D(2), (4, 5, 3))
    np.testing.assert_array_equal(pool.forward(view), pool.forward(np.ascontiguousarray(view)))


def test_pooling_takes_the_largest_and_drops_what_fills_no_square():
    x = np.arange(15.0).reshape(1, 3, 5, 1)
    pool = built(nn.MaxPool2D(2), (3, 5, 1))
    np.testing.assert_array_equal(pool.forward(x)[0, :, :, 0], [[6, 8]])
    dx = pool.backward(np.array([2.0, 3.0]).reshape(1, 1, 2, 1))
    assert dx[0, 1, 1, 0] == 2
    assert dx[0, 1, 3, 0] == 3
    assert np.abs(dx).sum() == 5, "no gradient elsewhere, also not in the dropped row and column"
    assert built(nn.MaxPool2D((1, 2)), (3, 5, 1)).output_shape == (3, 2, 1)


def test_of_equal_entries_the_first_gets_the_whole_gradient():
    """PyTorch's choice; sharing or repeating it would give the tie a gradient that is too large or too small."""
    x = np.array([[3.0, 5, 5], [5, 5, 1]]).reshape(1, 2, 3, 1)
    pool = built(nn.MaxPool2D((2, 3)), (2, 3, 1))
    pool.forward(x)
    dx = pool.backward(np.full((1, 1, 1, 1), 7.0))
    np.testing.assert_array_equal(dx[0, :, :, 0], [[0, 7, 0], [0, 0, 0]])


@pytest.mark.parametrize("size", [1, 2, 3, (2, 3)])
def test_pooling_has_the_right_derivative(size):
    assert max(gradient_errors([nn.MaxPool2D(size)], (6, 7, 2)).values()) < 1e-7


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Conv2D(0, 3), "filters must be a positive integer; got 0"),
        (lambda: nn.Conv2D(2, -1), "kernel_size must be a positive integer; got -1"),
        (lambda: nn.Conv2D(2, (3, 3, 3)), "kernel_size must be a positive integer or a pair"),
        (lambda: nn.Conv2D(2, 3, padding="full"), "padding must be one of same, valid; got 'full'"),
        (lambda: nn.Conv2D(2, 3, stride=0), "stride must be a positive integer; got 0"),
        (lambda: nn.MaxPool2D(0), "size must be a positive integer; got 0"),
        (lambda: nn.Sequential([nn.Conv2D(2, 5)]).build((4, 6, 1)), r"kernel_size must fit .* 4×6.*got 5×5"),
        (lambda: nn.Sequential([nn.MaxPool2D((2, 7))]).build((4, 6, 1)), r"size must fit .* 4×6; got 2×7"),
        (lambda: nn.Sequential([nn.Conv2D(2, 3)]).build((8, 8)), r"Conv2D needs .*channels\); got \(batch, 8, 8\)"),
        (lambda: nn.Sequential([nn.MaxPool2D(2)]).build(64), r"MaxPool2D needs .*channels\); got \(batch, 64\)"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_small_convolutional_network_learns_and_comes_back_from_its_file(tmp_path):
    """Vertical and horizontal stripes: what a dense layer would need many weights for."""
    rng = np.random.default_rng(0)
    stripes = np.tile([1.0, 0.0], 4)
    kind, shift = rng.integers(0, 2, 128), rng.integers(0, 2, 128)
    X = np.stack([np.roll(np.outer(np.ones(8), stripes), s, axis=1) for s in shift])
    X[kind == 1] = X[kind == 1].swapaxes(1, 2)
    X = (X + 0.3 * rng.standard_normal(X.shape))[..., None]
    y = np.eye(2)[kind]
    layers = [nn.Conv2D(4, 3, "same", activation="relu"), nn.MaxPool2D(2), nn.Flatten(), nn.Dense(2, "softmax")]
    model = nn.Sequential(layers, dtype="float32")
    model.fit(X, y, loss="categorical_crossentropy", optimizer=nn.Adam(0.01), epochs=10, metrics=["accuracy"])
    assert model.evaluate(X, y)["accuracy"] == 1
    model.save(tmp_path / "stripes.npz")
    np.testing.assert_array_equal(nn.load(tmp_path / "stripes.npz").predict(X), model.predict(X))
    assert model.predict(X).dtype == np.float32


@pytest.mark.parametrize("kernel", [(5, 2), (2, 7), (5, 7)])
@pytest.mark.parametrize("make", [lambda kernel: nn.Conv2D(1, kernel), nn.MaxPool2D])
def test_a_window_may_be_as_large_as_the_picture_but_no_larger_in_either_direction(make, kernel):
    rng, dtype = np.random.default_rng(0), np.dtype("float64")
    assert make((4, 6)).build((4, 6, 1), rng, dtype) == (1, 1, 1)
    with pytest.raises(ValueError, match="4"):
        make(kernel).build((4, 6, 1), rng, dtype)


def test_a_window_on_a_framed_picture_may_be_larger_than_it():
    layer = nn.Conv2D(1, (5, 7), padding="same")
    assert layer.build((4, 6, 1), np.random.default_rng(0), np.dtype("float64")) == (4, 6, 1)
