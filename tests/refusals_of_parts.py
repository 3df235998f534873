"""Odd calls of how models are made, and of what: layers, activations, initializers, losses, schedules, optimizers."""

from functools import partial

import numpy as np
from refusals import (
    ARRAYS,
    NO_ARRAYS,
    NO_FLAGS,
    NO_NAMES,
    NO_NUMBERS,
    NO_SHAPES,
    NO_WEIGHTS,
    OLD,
    THINGS,
    Made,
    accept,
    argument,
    as_values,
    bad_arrays,
    before,
    but,
    either,
    fine_arrays,
    fresh,
    inf,
    integers,
    listed,
    nan,
    numbers,
    ready,
    refuse,
    some,
    step,
    trained,
)
from refusals_of_models import NO_LOSSES, NO_OPTIMIZERS

import nnlib as nn

# fmt: off

# -- making a model, and building it -----------------------------------------------------------------------------------


def predictions(w, layers):
    return nn.Sequential(layers).build(3).predict(np.ones((2, 3)))


def nested(layer):
    return [nn.Residual(layer), nn.Residual(layer, nn.Dense(3))]


def repeated(layer):
    return [layer, nn.Dense(3), layer]


refuse("Sequential(layers)", predictions, "layers layer", but(THINGS, "a list") | listed(THINGS) | {
    "one layer": nn.Dense(3), "its class": [nn.Flatten], "a name": ["relu"], "a layer and None": [nn.Dense(3), None],
    "a list in it": [[nn.Dense(3)]], "a set of one": {nn.Dense(3)}, "a dict of one": {"first": nn.Dense(3)},
    "a layer twice": repeated(nn.Dense(3)), "a layer in two others": nested(nn.Dense(3)),
    "an activation": [nn.activations.relu],
    "a layer inside another and after it": [nn.Residual(*repeated(nn.Dense(3)))],
    "a model": nn.Sequential([nn.Dense(3)]),
    "a model in it": [nn.Sequential([nn.Dense(3)])],
})
refuse("Sequential(layers)", lambda w, odd: nn.Sequential(odd).build(3), "layers layer", {
    "another model's": Made(lambda w: w.model.layers[:1]), "one of another model's": Made(lambda w: [nn.Dense(2),
    w.model.layers[1]]),
}, trained)
two = Made(lambda w: [nn.Dense(4, "relu"), nn.Dense(2)])
accept("Sequential(layers)", predictions, {"a tuple": (Made(lambda w: tuple(two.make(w))), two),
    "a generator": (Made(lambda w: iter(two.make(w))), two)})
refuse("Sequential(seed)", lambda w, odd: nn.Sequential([nn.Dense(2)], seed=odd), "seed", THINGS | {
    "-1": -1, "1.5": 1.5, "True": True, "the old generator": OLD, "the module": np.random,
    "bits alone": np.random.PCG64(0),
    "another stream": Made(lambda w: np.random.Generator(np.random.MT19937(0))),
})
accept("Sequential(seed)", lambda w, odd: nn.Sequential([nn.Dense(2)], seed=odd).build(3).params, {
    "np.int64": (np.int64(3), 3), "a generator": (Made(lambda w: np.random.default_rng(3)), 3),
    "huge": (10**30, Made(lambda w: np.random.default_rng(10**30))),
})
of_dtype = argument(lambda dtype: nn.Sequential([nn.Dense(2)], dtype=dtype).build(3).predict(np.ones((2, 3))), "dtype")
refuse("Sequential(dtype)", of_dtype, "dtype", but(THINGS, "None") | {x: x for x in ("float16", "longdouble",
    "complex128", "f2", "object", "f4,f4", "Float64")}
       | {"int": int, "bool": bool, "0": 0, "np.float16": np.float16})
accept("Sequential(dtype)", of_dtype, {"f4": ("f4", "float32"), "np.float32": (np.float32, "float32"),
    "np.dtype": (np.dtype("f8"), "float64"), "float": (float, "float64")})
either("Sequential(dtype)", of_dtype, "dtype", {">f8": (">f8", "float64"), ">f4": (">f4", "float32"), "None": (None,
    "float64")})


def build(w, odd):
    return w.model.build(odd).predict(w.X)


refuse("build(input_shape)", build, "input_shape", but(THINGS, "an array", "a list") | {
    "()": (), "0": 0, "-1": -1, "1.5": 1.5, "True": True, "(3, 0)": (3, 0), "(3, -1)": (3, -1), "(3.0,)": (3.0,),
    "(None, 3)": (None, 3),
    "[[3]]": [[3]], "('3',)": ("3",), "ragged": [[3], [3, 4]], "a dict": {"features": 3}, "floats": np.array([3.0]),
}, fresh)
accept("build(input_shape)", build, {"3": (3, (3,)), "[3]": ([3], (3,)), "np.int64": (np.int64(3), (3,)),
    "an array": (np.array([3]), (3,))}, fresh)
refuse("build", build, "build built", {"twice": 3}, trained)
for label, shape, layers in (
    ("a row for LSTM", (4,), lambda: [nn.LSTM(2)]), ("an image for RNN", (4, 4, 2), lambda: [nn.Dense(2), nn.RNN(2)]),
    ("a row for Conv2D", (4,), lambda: [nn.Conv2D(2, 2)]), ("a row for MaxPool2D", (4,), lambda: [nn.MaxPool2D(2)]),
    ("a kernel too large", (3, 3, 1), lambda: [nn.Dense(2), nn.Conv2D(2, 4)]),
    ("a square too large", (3, 3, 1), lambda: [nn.Dense(2), nn.MaxPool2D(4)]),
    ("Residual of another width", (3,), lambda: [nn.Dense(4), nn.Residual(nn.Dense(3))]),
    ("beyond all memory", (3,), lambda: [nn.Dense(3), nn.Dense(2), nn.Dense(10**17)]),
):
    for method in ("build", "predict"):
        call = (lambda w, odd: w.model.build(w.shape)) if method == "build" else (lambda w,
            odd: w.model.predict(np.ones((2, *w.shape))))
        named = "shape inputs kernel_size size Residual allocate"
        refuse(f"{method}, misfit", call, named, {label: None}, partial(before,
            layers, shape))

# -- layers ------------------------------------------------------------------------------------------------------------


def outputs(layer, shape):
    x = np.linspace(-1, 1, 2 * int(np.prod(shape))).reshape(2, *shape)
    return nn.Sequential([layer], seed=4).build(shape).forward(x, training=True)


LAYERS = {  # how to make one, what it must be given, its input
    "Dense": (nn.Dense, {"units": 2}, (3,)), "Maxout": (nn.Maxout, {"units": 2}, (3,)), "RNN": (nn.RNN, {"units": 2},
    (4, 3)),
    "LSTM": (nn.LSTM, {"units": 2}, (4, 3)), "Conv2D": (nn.Conv2D, {"filters": 2, "kernel_size": 2}, (5, 5, 2)),
    "MaxPool2D": (nn.MaxPool2D, {"size": 2}, (5, 5, 2)), "BatchNorm": (nn.BatchNorm, {}, (3,)),
    "LayerNorm": (nn.LayerNorm, {}, (3,)),
    "Dropout": (nn.Dropout, {"rate": 0.5}, (3,)), "Activation": (nn.Activation, {"activation": "relu"}, (3,)),
}


def of_layer(layer, name):
    cls, usual, shape = LAYERS[layer]
    return lambda w, odd: outputs(cls(**(usual | {name: odd})), shape)


for where in ("Dense.units", "Maxout.units", "Maxout.pieces", "Conv2D.filters", "RNN.units", "LSTM.units"):
    integers(where, of_layer(*where.split(".")), where.split(".")[1])
for where in ("Conv2D.kernel_size", "Conv2D.stride", "MaxPool2D.size"):
    layer, name = where.split(".")
    integers(where, of_layer(layer, name), name)
    refuse(where, of_layer(layer, name), name, {str(x): x for x in ((2, 2, 2), (2, 0), (2, 1.5), (2, "2"), (2,),
        (True, 2))})
    accept(where, of_layer(layer, name), {"a list": ([2, 1], (2, 1))})
    either(where, of_layer(layer, name), name, {"an array of two": (np.array([2, 1]), (2, 1))})
numbers("BatchNorm.momentum", of_layer("BatchNorm", "momentum"), "momentum", -0.1, 1, 1.5)
numbers("BatchNorm.epsilon", of_layer("BatchNorm", "epsilon"), "epsilon", 0, -1e-5)
numbers("LayerNorm.epsilon", of_layer("LayerNorm", "epsilon"), "epsilon", 0, -1e-5)
numbers("Dropout.rate", of_layer("Dropout", "rate"), "rate", -0.1, 1, 1.5)
NO_ACTIVATIONS = but(NO_NAMES, "None") | {
    "unknown in a dict": {"name": "nope"}, "a list for a name": {"name": []}, "no name": {"alpha": 1.0},
    "capitals": "ReLU",
    "alpha x": {"name": "elu", "alpha": "x"}, "alpha -1": {"name": "elu", "alpha": -1}, "nope": {"name": "elu",
    "nope": 1}, "NumPy's": np.tanh,
}
NO_INITIALIZERS = NO_NAMES | {
    "unknown in a dict": {"name": "nope"}, "value None": {"name": "constant", "value": None},
    "std nan": {"name": "normal", "std": nan},
    "nope": {"name": "normal", "nope": 1}, "no value": {"name": "constant"}, "an array of weights": np.ones((3, 2)),
    "a list for a fan": {"name": "variance_scaling", "scale": 1, "fan": [], "distribution": "normal"},
    "a function": lambda shape, rng, dtype: np.zeros(shape), "an activation": nn.activations.relu,
}
for layer in ("Dense", "Conv2D", "Activation"):
    refuse(f"{layer}.activation", of_layer(layer, "activation"), "activation alpha nope", NO_ACTIVATIONS)
    accept(f"{layer}.activation", of_layer(layer, "activation"), {
        "a dict": ({"name": "relu"}, "relu"), "alpha 1": ({"name": "elu", "alpha": 1}, "elu"),
        "the object": (nn.activations.tanh, "tanh"),
        "no slope": ({"name": "leaky_relu"}, "leaky_relu"),
    })
for where in ("Dense.initializer", "Maxout.initializer", "Conv2D.initializer", "LSTM.recurrent_initializer"):
    layer, name = where.split(".")
    refuse(where, of_layer(layer, name), f"{name} initializer value std nope fan", NO_INITIALIZERS)
    accept(where, of_layer(layer, name), {"a dict": ({"name": "ones"}, "ones"), "value 1": ({"name": "constant",
        "value": 1}, "ones")})
for layer in ("RNN", "LSTM"):
    refuse(f"{layer}.return_sequences", of_layer(layer, "return_sequences"), "return_sequences", NO_FLAGS)
    accept(f"{layer}.return_sequences", of_layer(layer, "return_sequences"), {"np.bool": (np.bool_(True), True)})
refuse("Conv2D.padding", of_layer("Conv2D", "padding"), "padding", NO_NAMES | {"capitals": "SAME", "1": 1})
for layer in (*LAYERS, "Residual", "Flatten"):
    refuse(f"{layer}, no such argument", lambda w, odd, layer=layer: getattr(nn, layer)(**odd), "nope",
        {"nope": {"nope": 1}})
refuse("Residual(layers)", lambda w, odd: nn.Residual(*odd), "layers layer", listed(THINGS) | {"nothing": [],
    "a list of one": [[nn.Dense(3)]], "None after a layer": [nn.Dense(3), None]})

# -- activations and initializers by themselves ------------------------------------------------------------------------

Z = np.array([[0, 1, 2], [3, 1, 0], [5, 5, 5], [200, 3, 7.0]])


for name, f in nn.activations.ACTIVATIONS.items():
    call = argument(f, "z")
    no_z = but(NO_ARRAYS, "nan", "inf", "-inf in float32", "a gap")
    bad_arrays(name, call, "z", lambda w: Z, no_z if name in ("sigmoid", "softmax") else some(but(no_z, "nan")))
    fine_arrays(name, call, lambda w: Z % 100, ARRAYS if name == "softmax" else but(ARRAYS, "unaligned", "backwards",
        "every second", "Fortran"), same=as_values)
    accept(name, call, {"int8": (np.array([[-128, 127]], "i1"), np.array([[-128.0, 127.0]])), "a row": ([1, -2, 3],
        np.array([1.0, -2.0, 3.0]))}, same=as_values)
    either(name, call, "z", {"a number": (-2, np.array(-2.0)), "no rows": (np.ones((0, 3)), np.ones((0, 3))),
        "[]": ([], np.ones(0)), "no columns": (np.ones((3, 0)), np.ones((3, 0)))}, same=as_values)
numbers("make_leaky_relu", lambda w, odd: nn.activations.make_leaky_relu(odd)(Z - 3), "slope", -1)
numbers("make_elu", lambda w, odd: nn.activations.make_elu(odd)(Z - 3), "alpha", -1)
numbers("make_huber", lambda w, odd: nn.losses.make_huber(odd).value(Z, Z + 1), "delta", 0, -1)
numbers("constant", lambda w, odd: nn.initializers.constant(odd)((2,), w.rng), "value")
numbers("normal", lambda w, odd: nn.initializers.normal(odd)((2, 2), w.rng), "std", -1)
scaled = partial(nn.initializers.variance_scaling, scale=1, fan="in", distribution="normal")
numbers("variance_scaling.scale", lambda w, odd: scaled(scale=odd)((2, 2), w.rng), "scale", 0, -1)
refuse("variance_scaling.fan", argument(scaled, "fan"), "fan", NO_NAMES)
refuse("variance_scaling.distribution", argument(scaled, "distribution"), "distribution", NO_NAMES)
for module, names, table in (
    ("activations", "activation alpha nope", NO_ACTIVATIONS), ("initializers", "initializer value std nope fan",
        NO_INITIALIZERS),
    ("losses", "loss delta", NO_LOSSES), ("metrics", "metric metrics", but(NO_NAMES, "a class")), ("optimizers",
        "optimizer", but(NO_OPTIMIZERS, "another model's")),
    ("schedules", "learning_rate", NO_NUMBERS | {"-1": -1, "unknown in a dict": {"name": "nope"},
        "a name": "StepDecay"}),
):
    refuse(f"{module}.get", lambda w, odd, module=module: getattr(nn, module).get(odd), names, table)
for name in ("zeros", "normal", "glorot_uniform", "orthogonal"):
    def start(w, odd, f=nn.initializers.INITIALIZERS[name]):
        return f(**({"shape": (3, 2), "rng": w.rng, "dtype": "float64"} | odd))
    refuse(f"{name}(shape)", start, "shape", {label: {"shape": x} for label, x in (but(THINGS, "an array", "a list",
        "a generator", "[]") | {
        "-1": -1, "(3, -1)": (3, -1), "(3.5, 2)": (3.5, 2), "(3, None)": (3, None), "('3', 2)": ("3", 2),
        "floats": np.array([3.0, 2.0])}).items()})
    accept(f"{name}(shape)", start, {"a list": ({"shape": [3, 2]}, {}), "np.int64": ({"shape": (np.int64(3), 2)}, {}),
        "an array": ({"shape": np.array([3, 2])}, {})})
    either(f"{name}(shape)", start, "shape", {str(x): ({"shape": x}, {"shape": y}) for x, y in ((3, (3,)), ((), ()),
        ((0, 0), (0, 0)), ((0, 3), (0, 3)), ([3], (3,)))})
    refuse(f"{name}(dtype)", start, "dtype", {label: {"dtype": x} for label, x in {"text": "abc", "1j": 1j, "-1": -1,
        "int": int, "complex": complex}.items()})
    no_rng = {label: {"rng": x} for label, x in (but(THINGS, "a generator") | {"a seed": 0, "the module": np.random,
        "the old generator": OLD}).items()}
    if name != "zeros":
        refuse(f"{name}(rng)", start, "rng", no_rng)

# -- losses and metrics ------------------------------------------------------------------------------------------------

P, Y = np.array([[1, 0], [2, 1], [0, 255], [7, 3.0]]), np.array([[255, 0], [1, 1], [3, 0], [0, 9.0]])
CHANCES, YES = np.array([[0.25, 0.75], [0.5, 0.5], [1, 0], [0.125, 0.875]]), np.array([[0, 1], [1, 0], [1, 0], [0,
    1.0]])
SHORT = {  # integers that wrap around where they are subtracted as they are, and halves that overflow when squared
    "uint8": (np.array([[1], [255]], "u1"), np.array([[3], [254]], "u1")), "int8": (np.array([[100], [-100]], "i1"),
    np.array([[-100], [100]], "i1")),
    "uint8 and int8": (np.array([[1], [255]], "u1"), np.array([[3], [-100]], "i1")), "lists": ([[1], [2]], [[3], [5]]),
    "float16": (np.full((9, 1), 300, "f2"), np.arange(9, dtype="f2")[:, None]), "bool": (np.array([[True], [False]]),
    np.array([[False], [True]])),
}
NO_CHANCES = {
    "classes by number": ([[3], [4]], [[5], [7]]), "targets by number": ([[0.2], [0.8]], [[3], [7]]),
    "targets beyond 1": (CHANCES, YES * 2), "negative targets": (CHANCES, -YES),
    "a row of classes": (CHANCES, [1, 0, 0, 1]),
}
NO_PAIRS = {"nothing": ([], []), "no rows": (np.ones((0, 1)), np.ones((0, 1))), "(N,) and (N, 1)": ([1, 0], [[1],
    [0]]), "nan twice": (np.full((2, 1), nan),) * 2}


def takes_predictions(label, f, p, y, *, full):
    def call(w, odd):
        return f(*odd)
    def with_p(w, odd):
        return f(odd, y)
    def with_y(w, odd):
        return f(p, odd)
    table = NO_ARRAYS | NO_SHAPES if full else some(NO_ARRAYS | NO_SHAPES)
    bad_arrays(f"{label}(y_pred)", with_p, "y_pred y_true", lambda w: p, table)
    bad_arrays(f"{label}(y_true)", with_y, "y_pred y_true", lambda w: y, table)
    fine = ARRAYS if full else some(ARRAYS)
    whole = () if p is P else ("int64", "uint8", "int8", "bool", "big-endian int", "a frame of int")
    fine_arrays(f"{label}(y_pred)", with_p, lambda w: p, but(fine, *whole), same=as_values)
    fine_arrays(f"{label}(y_true)", with_y, lambda w: y, fine, same=as_values)
    refuse(label, call, "y_pred y_true", NO_PAIRS)
    if p is CHANCES:
        refuse(label, call, "y_pred y_true", NO_CHANCES)
    else:
        accept(label, call, {k: (pair, tuple(np.array(a, float) for a in pair)) for k, pair in SHORT.items()},
            same=as_values)
        either(label, call, "y_pred y_true", {"numbers": ((1, 3), ([[1.0]], [[3.0]])), "rows": (([1, 2], [3, 5]),
            ([[1.0], [2.0]], [[3.0], [5.0]]))}, same=lambda a, b: as_values(np.ravel(a), np.ravel(b)))


def takes_weights(label, f, p, y, *, full):
    def call(w, odd):
        return f(p, y, odd)
    bad_arrays(f"{label}(sample_weight)", call, "sample_weight", lambda w: np.array([1, 2, 0, 1.0]),
        NO_WEIGHTS if full else some(NO_WEIGHTS))
    fine_arrays(f"{label}(sample_weight)", call, lambda w: np.array([1, 2, 0, 1.0]), ARRAYS if full else some(ARRAYS),
        same=as_values)


for name, a_loss in nn.losses.LOSSES.items():
    known = (CHANCES, YES) if name.endswith("crossentropy") else (P, Y)
    for method in ("value", "grad"):
        full = f"{name}.{method}" in ("mse.value", "mae.grad", "categorical_crossentropy.value",
            "binary_crossentropy.grad")
        takes_predictions(f"{name}.{method}", getattr(a_loss, method), *known, full=full)
        takes_weights(f"{name}.{method}", getattr(a_loss, method), *known, full=full)
for name, metric in (nn.metrics.METRICS | {"confusion": nn.metrics.confusion}).items():
    known = (P, Y) if name in ("rmse", "mae", "r2") else (CHANCES, YES)
    takes_predictions(f"metrics.{name}", metric, *known, full=name in ("rmse", "accuracy"))

# -- schedules, optimizers, callbacks ----------------------------------------------------------------------------------

SCHEDULES = {  # usual arguments; what lies outside the interval of each number; the argument that is a whole number
    "ExponentialDecay": ({"initial": 0.5, "rate": 0.5, "every": 2}, {"initial": (-1,), "rate": (0, -1, 1.5)}, "every"),
    "StepDecay": ({"initial": 0.5, "rate": 0.5, "every": 2}, {"initial": (-1,), "rate": (0, -1, 1.5)}, "every"),
    "CosineDecay": ({"initial": 0.5, "steps": 4, "final": 0.1}, {"initial": (-1,), "final": (-1,)}, "steps"),
    "Warmup": ({"then": 0.5, "steps": 4}, {}, "steps"),
    "OneCycle": ({"peak": 0.5, "steps": 4, "up": 0.5, "start": 2.0, "end": 4.0}, {"peak": (-1,), "up": (0, 1, -1)},
    "steps"),
}


def rates(name, part):
    usual = SCHEDULES[name][0]
    return lambda w, odd: [getattr(nn.schedules, name)(**(usual | {part: odd}))(t) for t in range(9)]


for name, (usual, intervals, whole) in SCHEDULES.items():
    for part, outside in intervals.items():
        numbers(f"{name}.{part}", rates(name, part), part, *outside)
    integers(f"{name}.{whole}", rates(name, whole), whole)
    call = argument(getattr(nn.schedules, name)(**usual), "step")
    refuse(f"{name}(step)", call, "step", but(THINGS, "an array", "a list") | {"-1": -1, "inf": inf})
    accept(f"{name}(step)", call, {"np.int64": (np.int64(3), 3), "np.uint8": (np.uint8(0), 0)})
    either(f"{name}(step)", call, "step", {"3.0": (3.0, 3), "[3]": (np.array([3]), 3)}, same=lambda a,
        b: as_values(np.ravel(a), b))
refuse("OneCycle.start", rates("OneCycle", "start"), "start", NO_NUMBERS | {"0.5": 0.5})
refuse("OneCycle.end", rates("OneCycle", "end"), "end", NO_NUMBERS | {"0.5": 0.5})
refuse("Warmup.then", rates("Warmup", "then"), "then learning_rate", NO_NUMBERS | {"-1": -1,
    "unknown": {"name": "nope"}})


def trained_params(cls, **arguments):
    model = nn.Sequential([nn.Dense(1)], seed=3)
    model.fit(np.ones((4, 2)), np.ones((4, 1)), loss="mse", optimizer=cls(**arguments), epochs=2)
    return model.params


for cls, intervals in (
    (nn.SGD, {"momentum": (1, -0.1)}), (nn.Adagrad, {"epsilon": (-1,)}), (nn.RMSprop, {"rho": (1, -0.1),
        "epsilon": (-1,)}),
    (nn.Adam, {"beta1": (1, -0.1), "beta2": (1, -0.1), "epsilon": (-1,)}),
):
    for part, outside in (intervals | {"learning_rate": (-1,), "weight_decay": (-1,), "clip_norm": (0, -1)}).items():
        numbers(f"{cls.__name__}.{part}", argument(partial(trained_params, cls), part), part, *outside,
            table=but(NO_NUMBERS, *(["None"] if part == "clip_norm" else [])))
    decay = {"name": "StepDecay", "initial": 1, "rate": 0.5, "every": 1}
    same_rates = {"0": (0, 0.0), "1": (1, 1.0), "a dict": (decay, nn.schedules.StepDecay(1.0, 0.5, 1))}
    accept(f"{cls.__name__}.learning_rate", argument(partial(trained_params, cls), "learning_rate"), same_rates)
    refuse(f"{cls.__name__}, no such argument", lambda w, odd, cls=cls: cls(**odd), "lr", {"lr": {"lr": 0.1}})
    world = partial(ready, cls.__name__)
    for part in ("params", "grads"):
        wrong = {"None": None, "text": "abc", "a number": 1.0, "one less": np.ones(3), "a column": np.ones((4, 1)),
            "one": np.ones(1), "none": np.ones(0),
                 "complex": np.ones(4, complex), "texts": np.full(4, "x")} | ({"a list": [1.0] * 4,
                 "int64": np.ones(4, int), "read-only": np.broadcast_to(1.0, 4)} if part == "params" else {})
        refuse(f"{cls.__name__}.step({part})", step, "params grads", {label: Made(lambda w, x=x,
            part=part: {part: x}) for label, x in wrong.items()}, world)
    refuse(f"{cls.__name__}.step(learning_rate)", step, "learning_rate", {label: {"learning_rate": x} for label,
        x in {"text": "abc", "nan": nan, "-1": -1, "[]": [], "two": np.ones(2)}.items()}, world)
    refuse(f"{cls.__name__}.step", lambda w, odd, cls=cls: cls(0.1).step(np.ones(3), np.ones(3)), "init",
        {"before init": None})
refuse("SGD.nesterov", lambda w, odd: nn.SGD(0.1, 0.5, odd), "nesterov", NO_FLAGS)
refuse("SGD.nesterov", lambda w, odd: nn.SGD(0.1, 0.0, odd), "nesterov momentum", {"without momentum": True})


for cls, usual, intervals, flag in (
    (nn.EarlyStopping, {}, {"min_delta": (-1,)}, "restore_best"), (nn.ReduceLROnPlateau, {}, {"factor": (0, 1, -1),
        "min_delta": (-1,), "min_learning_rate": (-1,)}, None),
    (nn.ModelCheckpoint, {"path": "m.npz"}, {}, "save_best_only"), (nn.CSVLogger, {"path": "t.csv"}, {}, None),
):
    name, call = cls.__name__, lambda part, cls=cls, usual=usual: argument(lambda **a: {k: v for k,
        v in vars(cls(**a)).items() if k != "sign"}, part, **usual)
    for part, outside in intervals.items():
        numbers(f"{name}.{part}", call(part), part, *outside)
    if cls is not nn.CSVLogger:
        refuse(f"{name}.mode", call("mode"), "mode", NO_NAMES | {"capitals": "MIN"})
    if "path" in usual:
        refuse(f"{name}.path", call("path"), "path", but(THINGS, "text", "a digit", "bytes") | {"0": 0, "True": True})
    else:
        integers(f"{name}.patience", call("patience"), "patience")
    if flag:
        refuse(f"{name}.{flag}", call(flag), flag, NO_FLAGS)
