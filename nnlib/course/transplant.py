"""A network carried into Keras, PyTorch or scikit-learn, and back: the same numbers, in layers of another program.

What is carried are stacks of `Dense`, `Activation`, `Dropout` and `Flatten`: all that the digits need. Each program is
imported when it is asked for, and none of them is needed for anything else here. Where the weights lie:

    nnlib         Dense    W (inputs, units)        b (units,)
    Keras         Dense    kernel (inputs, units)   bias (units,)
    PyTorch       Linear   weight (units, inputs)   bias (units,)     y = x Wᵀ + b: transposed
    scikit-learn  MLP      coefs_[l] (inputs, units)   intercepts_[l] (units,)
"""

import importlib.util
import inspect
import os

import numpy as np

from .. import activations
from ..layers import Activation, Dense, Dropout, Flatten
from ..model import Network
from ..sequential import Sequential

# activation functions that are called the same in nnlib and in Keras, and have no options
PLAIN = ("linear", "sigmoid", "tanh", "relu", "softmax")
OF_SKLEARN = {"linear": "identity", "sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}


def installed():
    """Return the names of the frameworks that can be imported here, without importing them: keras, torch."""
    return [name for name in ("keras", "torch") if importlib.util.find_spec(name) and (name != "keras" or backend())]


def to_keras(model):
    """Return a `keras.Sequential` that predicts what a built model predicts, of the model's dtype.

    Parameters
    ----------
    model : Sequential
        Built; its layers are Dense, Activation, Dropout and Flatten. It stays as it is, and shares no array.

    Returns
    -------
    keras.Sequential
        Not compiled. A leaky ReLU becomes a layer of its own, since the name alone means slope 0.2 in Keras.

    Raises
    ------
    ValueError
        Where a layer cannot be carried, or where the model is of float64 and JAX, under Keras, computes in float32.
    """
    keras = import_keras()
    layers, dtype = _layers_of(model, "Keras"), model.dtype.name
    if dtype == "float64" and keras.backend.backend() == "jax":
        import jax

        if not jax.config.jax_enable_x64:
            raise ValueError(
                "model must be of float32, or JAX be told jax.config.update('jax_enable_x64', True) before; got float64"
            )
    network = keras.Sequential([keras.Input(model.input_shape, dtype=dtype)])
    for layer in layers:
        name = layer.activation.name if isinstance(layer, Activation) else None
        if isinstance(layer, Dense):
            dense = keras.layers.Dense(layer.units, name if name in PLAIN else None, dtype=dtype)
            network.add(dense)
            dense.set_weights([layer.params["W"].copy(), layer.params["b"].copy()])
        if name == "leaky_relu":
            network.add(keras.layers.LeakyReLU(layer.activation.options["slope"], dtype=dtype))
        elif name == "elu":
            network.add(keras.layers.ELU(layer.activation.options["alpha"], dtype=dtype))
        elif type(layer) is Activation:
            network.add(keras.layers.Activation(name, dtype=dtype))
        elif isinstance(layer, Dropout):
            network.add(keras.layers.Dropout(layer.rate, dtype=dtype))
        elif isinstance(layer, Flatten):
            network.add(keras.layers.Flatten(dtype=dtype))
    return network


def from_keras(network):
    """Return a built `Sequential` that predicts what a built `keras.Sequential` predicts, of its dtype.

    Parameters
    ----------
    network : keras.Sequential
        Its layers are Dense, Activation, ReLU, LeakyReLU, ELU, Softmax (in their plain forms), Dropout and Flatten.

    Raises
    ------
    ValueError
        Where it is not built, or holds something else.
    """
    keras = import_keras()
    if not isinstance(network, keras.Sequential) or not network.built:
        raise ValueError(f"network must be a keras.Sequential that is built; got {network!r}")
    layers, weights = [], []
    for layer in network.layers:
        settings = layer.get_config()
        if isinstance(layer, keras.layers.Dense):
            layers.append(Dense(layer.units, _named_by_keras(keras, settings["activation"])))
            W, *b = layer.get_weights()
            weights.append((W, b[0] if b else np.zeros(layer.units)))
        elif isinstance(layer, keras.layers.Activation):
            layers.append(Activation(_named_by_keras(keras, settings["activation"])))
        elif isinstance(layer, keras.layers.ReLU) and _plain_relu(settings):
            layers.append(Activation("relu"))
        elif isinstance(layer, keras.layers.LeakyReLU):
            layers.append(Activation({"name": "leaky_relu", "slope": float(layer.negative_slope)}))
        elif isinstance(layer, keras.layers.ELU):
            layers.append(Activation({"name": "elu", "alpha": float(layer.alpha)}))
        elif isinstance(layer, keras.layers.Softmax) and layer.axis == -1:
            layers.append(Activation("softmax"))
        elif isinstance(layer, keras.layers.Dropout) and layer.noise_shape is None:
            layers.append(Dropout(layer.rate))
        elif isinstance(layer, keras.layers.Flatten) and layer.data_format == "channels_last":
            layers.append(Flatten())
        else:
            raise ValueError(_cannot("network", len(layers), layer))
    return _filled(layers, weights, network.input_shape[1:], network.layers[-1].compute_dtype)


def _plain_relu(settings):
    return settings["max_value"] is None and not settings["negative_slope"] and not settings["threshold"]


def _named_by_keras(keras, name):
    """Return the activation of nnlib that Keras calls by this name, with the options that it has there."""
    if name == "leaky_relu":
        slope = inspect.signature(keras.activations.leaky_relu).parameters["negative_slope"].default
        return {"name": "leaky_relu", "slope": slope}
    if name in (*PLAIN, "elu"):
        return name
    raise ValueError(f"activation must be one of leaky_relu, elu, {', '.join(PLAIN)}; got {name!r}")


def to_torch(model, *, logits=False):
    """Return a `torch.nn.Sequential` that predicts what a built model predicts, of the model's dtype.

    Parameters
    ----------
    model : Sequential
        Built; its layers are Dense, Activation, Dropout and Flatten. It stays as it is, and shares no array.
    logits : bool
        Leave out a softmax or sigmoid at the end: `torch.nn.CrossEntropyLoss` and `BCEWithLogitsLoss` have it in them.

    Returns
    -------
    torch.nn.Sequential
        In evaluation mode, so that dropout is off; `.train()` switches it on.

    Raises
    ------
    ValueError
        Where a layer cannot be carried.
    """
    import torch

    modules, dtype = [], getattr(torch, model.dtype.name) if isinstance(model, Network) else None
    for layer in _layers_of(model, "PyTorch"):
        if isinstance(layer, Dense):
            inputs, units = layer.params["W"].shape
            linear = torch.nn.Linear(inputs, units, dtype=dtype)
            with torch.no_grad():
                linear.weight.copy_(torch.tensor(layer.params["W"].T))
                linear.bias.copy_(torch.tensor(layer.params["b"]))
            modules.append(linear)
        if isinstance(layer, Activation):
            modules += _in_torch(torch, layer.activation)
        elif isinstance(layer, Dropout):
            modules.append(torch.nn.Dropout(layer.rate))
        elif isinstance(layer, Flatten):
            modules.append(torch.nn.Flatten())
    if logits and modules and isinstance(modules[-1], torch.nn.Softmax | torch.nn.Sigmoid):
        modules.pop()
    return torch.nn.Sequential(*modules).eval()


def _in_torch(torch, activation):
    make = {
        "linear": lambda: [],
        "sigmoid": lambda: [torch.nn.Sigmoid()],
        "tanh": lambda: [torch.nn.Tanh()],
        "relu": lambda: [torch.nn.ReLU()],
        "softmax": lambda: [torch.nn.Softmax(dim=-1)],
        "leaky_relu": lambda: [torch.nn.LeakyReLU(activation.options["slope"])],
        "elu": lambda: [torch.nn.ELU(activation.options["alpha"])],
    }
    return make[activation.name]()


def from_torch(network, input_shape=None):
    """Return a built `Sequential` that predicts what a `torch.nn.Sequential` predicts in evaluation mode.

    Parameters
    ----------
    network : torch.nn.Sequential
        Its modules are Linear, Sigmoid, Tanh, ReLU, LeakyReLU, ELU, Softmax(dim=-1), Dropout and Flatten.
    input_shape : tuple of int, optional
        Of one example; needed where the first module is not a Linear, which tells it.

    Raises
    ------
    ValueError
        Where it holds something else, or `input_shape` is missing.
    """
    import torch

    if not isinstance(network, torch.nn.Sequential) or not len(network):
        raise ValueError(f"network must be a torch.nn.Sequential with a module or more; got {network!r}")
    if input_shape is None:
        if not isinstance(network[0], torch.nn.Linear):
            raise ValueError(f"input_shape must be given where the first module is no Linear; got {network[0]!r}")
        input_shape = (network[0].in_features,)
    layers, weights, dtype = [], [], "float32"
    for module in network:
        if isinstance(module, torch.nn.Linear):
            layers.append(Dense(module.out_features))
            dtype = str(module.weight.dtype).removeprefix("torch.")
            b = torch.zeros(module.out_features) if module.bias is None else module.bias
            weights.append((_as_array(module.weight).T, _as_array(b)))
        elif isinstance(module, torch.nn.Dropout):
            layers.append(Dropout(module.p))
        elif isinstance(module, torch.nn.Flatten) and (module.start_dim, module.end_dim) == (1, -1):
            layers.append(Flatten())
        else:
            rows = len(input_shape) == 1 or any(isinstance(layer, Flatten) for layer in layers)
            activation = activations.get(_of_torch(torch, module, len(layers), rows))
            if layers and type(layers[-1]) is Dense and layers[-1].activation is activations.linear:
                layers[-1].activation = activation
            else:
                layers.append(Activation(activation))
    return _filled(layers, weights, input_shape, dtype)


def _as_array(tensor):
    return tensor.detach().cpu().numpy()


def _of_torch(torch, module, place, rows):
    """Return the activation of nnlib that a module is; `rows`: what comes in has the axes (batch, features)."""
    plain = {torch.nn.Sigmoid: "sigmoid", torch.nn.Tanh: "tanh", torch.nn.ReLU: "relu"}
    if type(module) in plain:
        return plain[type(module)]
    if isinstance(module, torch.nn.Softmax) and (module.dim == -1 or (module.dim == 1 and rows)):
        return "softmax"
    if isinstance(module, torch.nn.LeakyReLU):
        return {"name": "leaky_relu", "slope": module.negative_slope}
    if isinstance(module, torch.nn.ELU):
        return {"name": "elu", "alpha": module.alpha}
    raise ValueError(_cannot("network", place, module))


def to_sklearn(model):
    """Return a fitted `MLPClassifier` or `MLPRegressor` that predicts what a built model predicts.

    Parameters
    ----------
    model : Sequential
        Built, Dense layers only: all hidden ones with the same activation (linear, sigmoid, tanh or relu), the last
        one softmax over three classes or more, one sigmoid unit, or linear. Classes are called 0, 1, 2, ...

    Returns
    -------
    MLPClassifier or MLPRegressor
        With `warm_start=True` and `alpha=0`, so that `fit` goes on from these weights, without a penalty. One linear
        or sigmoid unit predicts (rows,) or two columns there, as scikit-learn does.

    Raises
    ------
    ValueError
        Where scikit-learn's network has no such layer.
    """
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    layers = _layers_of(model, "scikit-learn", Dense)
    *hidden, last = layers
    names = {layer.activation.name for layer in hidden} or {"relu"}
    if len(names) > 1 or not names <= {*OF_SKLEARN}:
        raise ValueError(f"model must have one hidden activation of {', '.join(OF_SKLEARN)}; got {sorted(names)}")
    settings = {"activation": OF_SKLEARN[names.pop()], "alpha": 0.0}
    settings["hidden_layer_sizes"] = [layer.units for layer in hidden]
    one_row = np.zeros((1, model.input_shape[0]), model.dtype)
    if last.activation.name == "linear":
        target = np.zeros((1, last.units) if last.units > 1 else 1, model.dtype)
        estimator = MLPRegressor(**settings).partial_fit(one_row, target)
    elif last.activation.name == ("sigmoid" if last.units == 1 else "softmax") and last.units != 2:
        classes = np.arange(max(last.units, 2))
        estimator = MLPClassifier(**settings).partial_fit(one_row, classes[:1], classes=classes)
    else:
        raise ValueError(
            "model must end in softmax over 3 classes or more, in one sigmoid unit, or linear; got "
            f"{last.activation.name} over {last.units}"
        )
    vars(estimator).pop("_optimizer")  # it has seen the row of zeros that made the layers
    estimator.coefs_ = [layer.params["W"].copy() for layer in layers]
    estimator.intercepts_ = [layer.params["b"].copy() for layer in layers]
    return estimator.set_params(warm_start=True)


def from_sklearn(estimator):
    """Return a built `Sequential` that predicts what a fitted `MLPClassifier` (`predict_proba`) or `MLPRegressor` does.

    Raises
    ------
    ValueError
        Where it is neither, or not fitted.
    """
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    if not isinstance(estimator, MLPClassifier | MLPRegressor) or not hasattr(estimator, "coefs_"):
        raise ValueError(f"estimator must be a fitted MLPClassifier or MLPRegressor; got {estimator!r}")
    names = {theirs: ours for ours, theirs in OF_SKLEARN.items()} | {"softmax": "softmax"}
    last = names.get(estimator.out_activation_)
    if last is None:
        raise ValueError(f"estimator must end in one of {', '.join(names)}; got {estimator.out_activation_!r}")
    weights = list(zip(estimator.coefs_, estimator.intercepts_, strict=True))
    layers = [Dense(len(b), names[estimator.activation]) for _, b in weights[:-1]] + [Dense(len(weights[-1][1]), last)]
    return _filled(layers, weights, (estimator.n_features_in_,), weights[0][0].dtype.name)


def import_keras():
    """Return the module keras; on JAX, PyTorch or TensorFlow, the first that is there, where nobody has chosen."""
    if "KERAS_BACKEND" not in os.environ and backend():
        os.environ["KERAS_BACKEND"] = backend()
    import keras

    return keras


def backend():
    """Return what Keras computes with here, the reader's choice or the first that is installed, or None."""
    found = (name for name in ("jax", "torch", "tensorflow") if importlib.util.find_spec(name))
    return os.environ.get("KERAS_BACKEND") or next(found, None)


def _layers_of(model, framework, *kinds):
    """Return the layers of a model that can be carried, or say which cannot."""
    if not isinstance(model, Network) or model.flat is None:
        raise ValueError(f"model must be a Sequential that is built; got {model!r}")
    for place, layer in enumerate(model.layers):
        if type(layer) not in (kinds or (Dense, Activation, Dropout, Flatten)):
            raise ValueError(_cannot("model", place, layer, framework))
        activation = getattr(layer, "activation", activations.linear)
        if not _is_known(activation):
            raise ValueError(f"model must have activations of nnlib; got {activation!r} in layer {place}")
    return model.layers


def _is_known(activation):
    """Tell whether an activation is nnlib's own: a function of the reader's may bear the same name."""
    own = activations.ACTIVATIONS.get(activation.name)
    return own is not None and getattr(activation.f, "func", activation.f) is getattr(own.f, "func", own.f)


def _cannot(name, place, layer, framework="nnlib"):
    return f"{name} must have layers that can be carried into {framework}; got {layer!r} as layer {place}"


def _filled(layers, weights, input_shape, dtype):
    """Return a built Sequential whose Dense layers have these (W, b)."""
    model = Sequential(layers, dtype=dtype).build(tuple(input_shape))
    for layer, (W, b) in zip((layer for layer in layers if isinstance(layer, Dense)), weights, strict=True):
        layer.params["W"][...], layer.params["b"][...] = W, b
    return model
