"""The same mathematics from other hands: Keras on JAX, losses and optimizers by Optax, gradients by JAX, in float64.

Why these: JAX differentiates mechanically, so none of its gradients was derived by hand; Keras' layers and Optax'
losses and optimizers are independent implementations of the formulas; together they are a download of 150 MB.

A reference layer is a pure function `apply(state, x, training) -> (y, new_state)`, where `state` lists
(parameters, buffers) of the layer and of those inside it, in the order of `Layer.walk`. Where Keras follows another
convention than the paper, the difference is bridged here and said so.
"""

import importlib.util
import os
import warnings

import pytest

for _needed in ("jax", "keras", "optax"):
    if importlib.util.find_spec(_needed) is None and not os.environ.get("CI"):
        pytest.skip(f"{_needed}, the independent reference, is not installed", allow_module_level=True)

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what others' imports have to say is not about nnlib
    import jax
    import jax.numpy as jnp
    import keras
    import optax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_disable_most_optimizations", True)  # most of a test's time would be compiling
    keras.config.set_floatx("float64")
    # On JAX, Keras still computes means and normalization in float32 (off by 1e-7), through this table.
    from keras.src.backend.common import dtypes

    dtypes.BIT64_TO_BIT32_DTYPE.clear()

import numpy as np  # noqa: E402

VERSIONS = {"JAX": jax.__version__, "Keras": keras.__version__, "Optax": optax.__version__}

ACTIVATIONS = {
    "linear": lambda z: z,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "leaky_relu": lambda z: jax.nn.leaky_relu(z, 0.01),
    "elu": jax.nn.elu,
    "softmax": jax.nn.softmax,
}


def _keras_layer(layer, input_shape, names):
    """Wrap a Keras layer whose weights are `names` in this order."""
    layer.build((None, *input_shape))
    assert len(layer.trainable_variables) == len(names)

    def apply(state, x, training):
        ((params, buffers),) = state
        others = [variable.value for variable in layer.non_trainable_variables]  # LSTM: seeds of a dropout not used
        y, _ = layer.stateless_call([params[name] for name in names], others, x)
        return y, [(params, buffers)]

    return apply


def _dense(layer, input_shape):
    return _keras_layer(keras.layers.Dense(layer.units, ACTIVATIONS[layer.activation.name]), input_shape, ["W", "b"])


def _activation(layer, input_shape):
    return lambda state, x, training: (ACTIVATIONS[layer.activation.name](x), state)


def _batch_norm(layer, input_shape):
    reference = keras.layers.BatchNormalization(momentum=layer.momentum, epsilon=layer.epsilon)
    reference.build((None, *input_shape))

    def apply(state, x, training):
        ((params, buffers),) = state
        running = [buffers["mean"], buffers["variance"]]
        y, moved = reference.stateless_call([params["gamma"], params["beta"]], running, x, training=training)
        variance = moved[1]
        if layer.unbiased and training:
            # Keras keeps the running mean of σ²; the paper and PyTorch that of the unbiased estimate, n/(n - 1) σ².
            n = x.size // x.shape[-1]
            kept = layer.momentum * buffers["variance"]
            variance = kept + (variance - kept) * n / (n - 1)
        return y, [(params, {"mean": moved[0], "variance": variance})]

    return apply


def _dropout(layer, input_shape):
    # Which entries are dropped is nnlib's own draw: the reference is given the zeros and applies the formula.
    def apply(state, x, training):
        kept = 1.0 if layer.mask is None else jnp.asarray(layer.mask != 0, float) / (1 - layer.rate)
        return (x * kept if training else x), state

    return apply


def _layer_norm(layer, input_shape):
    return _keras_layer(keras.layers.LayerNormalization(epsilon=layer.epsilon), input_shape, ["gamma", "beta"])


def _maxout(layer, input_shape):
    # Keras has none; this is Goodfellow et al.'s formula.
    def apply(state, x, training):
        ((params, _),) = state
        W = params["W"].reshape(-1, layer.pieces, layer.units)
        return (jnp.einsum("...i,ipu->...pu", x, W) + params["b"].reshape(layer.pieces, -1)).max(axis=-2), state

    return apply


def _flatten(layer, input_shape):
    return _keras_layer(keras.layers.Flatten(), input_shape, [])


def _residual(layer, input_shape):
    shapes = [input_shape, *(inner.output_shape for inner in layer.layers)]
    inside = stack_apply(layer.layers, shapes)

    def apply(state, x, training):
        own, *rest = state
        y, moved = inside(rest, x, training)
        return x + y, [own, *moved]

    return apply


def _conv(layer, input_shape):
    settings = {"padding": layer.padding, "strides": layer.stride, "activation": ACTIVATIONS[layer.activation.name]}
    return _keras_layer(keras.layers.Conv2D(layer.filters, layer.kernel_size, **settings), input_shape, ["W", "b"])


def _pool(layer, input_shape):
    return _keras_layer(keras.layers.MaxPooling2D(layer.size), input_shape, [])


def _rnn(layer, input_shape):
    reference = keras.layers.SimpleRNN(layer.units, return_sequences=layer.return_sequences)
    return _keras_layer(reference, input_shape, ["W", "U", "b"])


def _lstm(layer, input_shape):
    reference = keras.layers.LSTM(layer.units, return_sequences=layer.return_sequences)
    return _keras_layer(reference, input_shape, ["W", "U", "b"])


def _self_attention(layer, input_shape):
    features = input_shape[-1]
    d = features // layer.heads
    reference = keras.layers.MultiHeadAttention(layer.heads, d, use_bias=False)
    reference.build((None, *input_shape), (None, *input_shape))
    assert [v.path.split("/")[-2] for v in reference.trainable_variables] == [
        *("query", "key", "value", "attention_output")
    ]

    def apply(state, x, training):
        ((params, buffers),) = state
        weights = [part.reshape(features, layer.heads, d) for part in jnp.split(params["W"], 3, axis=1)]
        weights.append(params["O"].reshape(layer.heads, d, features))
        others = [variable.value for variable in reference.non_trainable_variables]
        # Only when asked for its weights does Keras go through them in float64: JAX' fused attention takes float32.
        settings = {"use_causal_mask": layer.causal, "return_attention_scores": True}
        (y, _), _ = reference.stateless_call(weights, others, x, x, **settings)
        return y, [(params, buffers)]

    return apply


LAYERS = {
    **{"Dense": _dense, "Activation": _activation, "Maxout": _maxout},
    **{"BatchNorm": _batch_norm, "LayerNorm": _layer_norm, "Dropout": _dropout},
    **{"Flatten": _flatten, "Residual": _residual},
    **{"Conv2D": _conv, "MaxPool2D": _pool},
    **{"RNN": _rnn, "LSTM": _lstm, "SelfAttention": _self_attention},
}


def layer_apply(layer, input_shape):
    """Return the reference of an nnlib layer."""
    return LAYERS[type(layer).__name__](layer, input_shape)


def stack_apply(layers, shapes):
    """Return the reference of built nnlib layers in a row, whose inputs have these shapes."""
    stages = [
        (layer_apply(layer, shape), len(list(layer.walk()))) for layer, shape in zip(layers, shapes, strict=False)
    ]

    def apply(state, x, training):
        moved = []
        for stage, parts in stages:
            x, new = stage(state[:parts], x, training)
            moved, state = moved + new, state[parts:]
        return x, moved

    return apply


def model_apply(model):
    """Return the reference of a built Sequential."""
    return stack_apply(model.layers, [model.input_shape, *(layer.output_shape for layer in model.layers)])


def state_of(layers) -> list:
    """Return copies of the (parameters, buffers) of nnlib layers and of all layers inside them."""
    return [
        tuple({name: constant(value) for name, value in table.items()} for table in (part.params, part.buffers))
        for layer in layers
        for part in layer.walk()
    ]


def constant(array):
    """Return the array for JAX, from a copy of its own: JAX may read it later, when nnlib has moved on in place."""
    return jnp.asarray(np.array(array))


# Optax gives the loss of each entry (of each row where it is over classes).
def _huber(delta):
    return lambda p, y: optax.losses.huber_loss(p, y, delta=delta).mean()


LOSSES = {
    "mse": lambda p, y: optax.losses.squared_error(p, y).mean(),
    "rmse": lambda p, y: jnp.sqrt(optax.losses.squared_error(p, y).mean()),
    "mae": lambda p, y: jnp.abs(p - y).mean(),
    "huber": _huber(1.0),
    "binary_crossentropy": lambda p, y: -(y * jnp.log(p) + (1 - y) * jnp.log1p(-p)).mean(),
    "categorical_crossentropy": lambda p, y: -(y * jnp.log(p)).sum(axis=-1).mean(),
}
FUSED = {
    ("sigmoid", "binary_crossentropy"): lambda z, y: optax.losses.sigmoid_binary_cross_entropy(z, y).mean(),
    ("softmax", "categorical_crossentropy"): lambda z, y: optax.losses.softmax_cross_entropy(z, y).mean(),
}


def loss(given):
    """Return the reference of an nnlib loss."""
    return _huber(given.options["delta"]) if given.options else LOSSES[given.name]


def _adagrad(learning_rate, epsilon):
    """Return Duchi et al. 2011 as PyTorch has it: start 0 and ε outside; Keras and Optax put ε inside the root."""

    def update(g, G, params=None):
        G = jax.tree.map(lambda G, g: G + g**2, G, g)
        return jax.tree.map(lambda G, g: -learning_rate * g / (jnp.sqrt(G) + epsilon), G, g), G

    return optax.GradientTransformation(lambda params: jax.tree.map(jnp.zeros_like, params), update)


def optimizer(given) -> optax.GradientTransformation:
    """Return Optax' form of an nnlib optimizer, with its clipping and its decoupled weight decay."""
    rate = given.learning_rate
    rule = {
        "SGD": lambda o: optax.sgd(rate, momentum=o.momentum or None, nesterov=o.nesterov),
        "Adagrad": lambda o: _adagrad(rate, o.epsilon),
        "RMSprop": lambda o: optax.rmsprop(rate, decay=o.rho, eps=o.epsilon, eps_in_sqrt=False),
        "Adam": lambda o: optax.adam(rate, b1=o.beta1, b2=o.beta2, eps=o.epsilon),
    }[type(given).__name__](given)
    steps = [rule]
    if given.clip_norm is not None:
        steps.insert(0, optax.clip_by_global_norm(given.clip_norm))
    if given.weight_decay:
        # Weights only: tensors with two or more axes.
        mask = lambda params: jax.tree.map(lambda p: p.ndim >= 2, params)  # noqa: E731
        steps.append(optax.masked(_decay(rate * given.weight_decay), mask))
    return optax.chain(*steps)


def _decay(amount):
    return optax.stateless(lambda updates, params: jax.tree.map(lambda u, p: u - amount * p, updates, params))


def distance(ours, reference) -> float:
    """Return the largest difference, in units of the largest number where that is above 1."""
    ours, reference = np.asarray(ours), np.asarray(reference)
    assert ours.shape == reference.shape, f"{ours.shape} against {reference.shape}"
    return float(np.abs(ours - reference).max(initial=0) / max(1.0, np.abs(reference).max(initial=0)))


def distances(ours: list, reference: list) -> float:
    """Return the largest `distance` between two lists of (parameters, buffers)."""
    return max(
        (
            distance(value, other[name])
            for mine, theirs in zip(ours, reference, strict=True)
            for table, other in zip(mine, theirs, strict=True)
            for name, value in table.items()
        ),
        default=0.0,
    )
