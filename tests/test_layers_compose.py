"""Maxout, layer normalization, residual blocks, flattening, and how a network of them is drawn and stored."""

import numpy as np
import pytest
from test_layers_conv import built, gradient_errors

import nnlib as nn


def test_maxout_by_hand():
    """Two lines through the origin, x and -x, are |x|; the piece that wins gets the gradient, of equals the first."""
    layer = built(nn.Maxout(1), (1,), W=[[1.0, -1.0]], b=[0.0, 0.0])
    x = np.array([[3.0], [-2.0], [0.0]])
    np.testing.assert_array_equal(layer.forward(x), [[3], [2], [0]])
    np.testing.assert_array_equal(layer.backward(np.ones((3, 1))), [[1], [-1], [1]])
    np.testing.assert_array_equal(layer.grads["W"], [[3.0, -2.0]])  # piece 0 saw 3 and 0, piece 1 saw -2
    np.testing.assert_array_equal(layer.grads["b"], [2.0, 1.0])


def test_maxout_pieces_start_like_dense_layers_of_their_own():
    """With the fans of the joint matrix, the weights of more pieces would start smaller."""
    W = built(nn.Maxout(100, pieces=4), (50,)).params["W"]
    assert W.shape == (50, 400)
    np.testing.assert_allclose(W.var(), 2 / (50 + 100), rtol=0.05)


def test_maxout_is_linear_with_one_piece():
    x = np.random.default_rng(0).standard_normal((4, 3))
    maxout, dense = built(nn.Maxout(2, pieces=1), (3,)), built(nn.Dense(2), (3,))
    np.testing.assert_array_equal(maxout.forward(x), dense.forward(x))


@pytest.mark.parametrize("pieces", [1, 2, 5])
@pytest.mark.parametrize("input_shape", [(4,), (3, 4)])
def test_maxout_has_the_right_derivative(input_shape, pieces):
    errors = gradient_errors([nn.Dense(5, "tanh"), nn.Maxout(3, pieces)], input_shape)
    assert max(errors.values()) < 1e-7, errors


def test_layer_norm_by_hand():
    """A row 1, 3 has mean 2 and variance 1; a constant row has nothing to show and becomes β."""
    layer = built(nn.LayerNorm(epsilon=1e-12), (2,), gamma=[10.0, 100.0], beta=[1.0, 2.0])
    np.testing.assert_allclose(layer.forward(np.array([[1.0, 3.0], [5.0, 5.0]])), [[-9, 102], [1, 2]], rtol=1e-10)


def test_layer_norm_of_a_row_does_not_depend_on_the_others():
    x = np.random.default_rng(0).standard_normal((6, 4, 5))
    layer = built(nn.LayerNorm(), (4, 5))
    np.testing.assert_array_equal(layer.forward(x, training=True)[2:3], layer.forward(x[2:3], training=False))


@pytest.mark.parametrize("input_shape", [(5,), (3, 5), (2, 3, 5)])
def test_layer_norm_has_the_right_derivative(input_shape):
    errors = gradient_errors([nn.Dense(5, "tanh"), nn.LayerNorm()], input_shape)
    assert max(errors.values()) < 1e-7, errors


def test_residual_adds_its_input():
    layer = built(nn.Residual(nn.Dense(2), nn.Activation("relu")), (2,))
    assert layer.layers == layer.children == list(layer.layers), "a list, as a model's layers are"
    inner = layer.children[0]
    inner.params["W"][...], inner.params["b"][...] = [[1, 0], [0, -1]], [0, 1]
    np.testing.assert_array_equal(layer.forward(np.array([[2.0, 3.0]])), [[2 + 2, 3 + 0]])
    np.testing.assert_array_equal(layer.backward(np.array([[1.0, 10.0]])), [[1 + 1, 10 + 0]])


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Residual(nn.Dense(4, "tanh"), nn.LayerNorm(), nn.Dense(3))],
        [nn.Dense(3, "tanh"), nn.Residual(nn.Residual(nn.Dense(3, "sigmoid")), nn.BatchNorm()), nn.Dense(2)],
        [nn.Activation("tanh"), nn.Residual(nn.Activation("elu")), nn.Maxout(2)],
    ],
    ids=["first", "nested", "without parameters"],
)
def test_residual_blocks_have_the_right_derivative(layers):
    errors = gradient_errors(layers, (3,))
    assert max(errors.values()) < 1e-7, errors


def test_residual_refuses_a_change_of_shape_and_the_model_can_be_tried_again():
    """After a wrong input shape, the next cell of a notebook may come with the right one."""
    model = nn.Sequential([nn.BatchNorm(), nn.Residual(nn.Dense(4), nn.Dropout(0.5), nn.Dense(3))], seed=5)
    with pytest.raises(ValueError, match=r"shape of x, \(2,\); got \(3,\)"):
        model.build(2)
    assert model.params is None
    again = nn.Sequential([nn.BatchNorm(), nn.Residual(nn.Dense(4), nn.Dropout(0.5), nn.Dense(3))], seed=5).build(3)
    np.testing.assert_array_equal(model.build(3).params, again.params)
    with pytest.raises(ValueError, match="layers must hold at least one layer"):
        nn.Residual()
    with pytest.raises(ValueError, match="layers must hold nnlib layers; got 'relu'"):
        nn.Residual(nn.Dense(3), "relu")


def test_flatten_reads_row_by_row_with_channels_fastest():
    x = np.arange(24.0).reshape(2, 2, 3, 2)
    layer = built(nn.Flatten(), (2, 3, 2))
    np.testing.assert_array_equal(layer.forward(x), [range(12), range(12, 24)])
    np.testing.assert_array_equal(layer.backward(layer.forward(x)), x)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Maxout(0), "units must be a positive integer; got 0"),
        (lambda: nn.Maxout(2, pieces=0), "pieces must be a positive integer; got 0"),
        (lambda: nn.LayerNorm(0), "epsilon must be a finite number"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def every_kind_of_layer():
    """Return a network that holds each layer of the registry."""
    return [
        nn.Conv2D(4, 3, "same", activation={"name": "elu", "alpha": 0.5}),
        nn.MaxPool2D((1, 2)),
        nn.Residual(nn.Conv2D(4, (3, 1), "same"), nn.BatchNorm(), nn.Residual(nn.Activation("tanh"))),
        nn.Conv2D(2, (1, 3)),
        nn.Flatten(),
        nn.Maxout(12, pieces=3),
        nn.LayerNorm(),
        nn.Dropout(0.2),
        nn.Dense(
            3, "sigmoid", initializer={"name": "variance_scaling", "scale": 2, "fan": "in", "distribution": "normal"}
        ),
    ]


def recurrent_layers():
    return [nn.RNN(4, return_sequences=True), nn.SelfAttention(2, causal=True), nn.LSTM(3), nn.Dense(3)]


@pytest.mark.parametrize(("make", "shape"), [(every_kind_of_layer, (4, 8, 1)), (recurrent_layers, (5, 2))])
def test_saved_training_goes_on_bit_by_bit(make, shape, tmp_path):
    """Every layer's arguments, nested layers, running statistics and random numbers are in the file."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, *shape)), rng.random((40, 3))
    never_stopped, stopped = (nn.Sequential(make(), seed=3, dtype="float32") for _ in range(2))
    for model, epochs in ((never_stopped, 4), (stopped, 2)):
        model.fit(X, y, loss="mse", optimizer=nn.Adam(0.01, weight_decay=0.01, clip_norm=0.1), epochs=epochs)
    stopped.save(tmp_path / "half.npz")
    resumed = nn.load(tmp_path / "half.npz")
    resumed.fit(X, y, epochs=2)
    np.testing.assert_array_equal(resumed.params, never_stopped.params)
    np.testing.assert_array_equal(resumed.predict(X), never_stopped.predict(X))
    assert [repr(layer) for layer in resumed.layers] == [repr(layer) for layer in never_stopped.layers]


def test_every_layer_is_stored_in_one_of_these_networks():
    """A new layer must come back from its file, too."""
    kinds = {
        type(part) for make in (every_kind_of_layer, recurrent_layers) for layer in make() for part in layer.walk()
    }
    assert kinds == set(nn.layers.LAYERS.values())


def test_repr_is_the_call_that_makes_the_layer():
    for text in (
        "Dense(units=4)",
        "Dense(units=4, activation='relu', initializer='he_normal')",
        "Residual(LSTM(units=2, return_sequences=True), Dropout(rate=0.5))",
        "Conv2D(filters=2, kernel_size=(3, 3), stride=(1, 1))",
    ):
        assert repr(eval(text, vars(nn))) == text


def test_summary_of_the_insurance_network(capsys):
    """22,745 parameters, of which 622 are running statistics: 2 for each of 11 + 3 · 100 normalized features."""
    hidden = [
        layer
        for rate in (0.5, 0.5, None)
        for layer in (nn.Dense(100, "relu"), nn.BatchNorm(), rate and nn.Dropout(rate))
    ]
    model = nn.Sequential([nn.BatchNorm(), *filter(None, hidden), nn.Dense(1)]).build(11)
    assert model.parameter_counts() == (22745 - 622, 622)
    model.summary()
    lines = capsys.readouterr().out.splitlines()
    assert "22,745 parameters, of which 622 not trainable" in lines[-1]
    rows = [line.split() for line in lines if "(100,)" in line]
    assert rows[0] == ["Dense", "relu", "(100,)", "1,200", "0"]
    assert rows[1] == ["BatchNorm", "(100,)", "400", "200"]


def test_summary_draws_nested_layers_as_branches_with_their_shapes(capsys):
    block = nn.Residual(nn.Dense(4, "tanh"), nn.Residual(nn.Dense(6), nn.Dense(4)), nn.Dense(3))
    nn.Sequential([block, nn.Dense(1)]).build(3).summary()
    drawn = [line.split("  ")[0].rstrip() for line in capsys.readouterr().out.splitlines()]
    assert drawn[2:-2] == [
        "input",
        "Residual",
        "├ Dense tanh",
        "├ Residual",
        "│ ├ Dense",
        "│ └ Dense",
        "└ Dense",
        "Dense",
    ]
