"""Odd calls of models: data, losses, optimizers, callbacks, weights and files; and of sweeps."""

import os
from functools import partial

import numpy as np
import pandas as pd
from refusals import (
    NO_ARRAYS,
    NO_FLAGS,
    NO_INTEGERS,
    NO_NAMES,
    NO_NUMBERS,
    NO_SCALARS,
    NO_SHAPES,
    NO_WEIGHTS,
    THINGS,
    Made,
    accept,
    bad_arrays,
    but,
    by_function,
    classes,
    either,
    empty_folder,
    fine_arrays,
    fresh,
    inf,
    labels,
    listed,
    make,
    nan,
    of_batch,
    of_fit,
    on_disk,
    refuse,
    some,
    through_another,
    trained,
    yes_no,
)

import nnlib as nn

# fmt: off

# -- everything of a model that takes X and y --------------------------------------------------------------------------

METHODS = {  # call, the name of X, the name of y
    "predict": (lambda w, X, y: w.model.predict(X), "X", ""),
    "evaluate": (lambda w, X, y: w.model.evaluate(X, y, loss="mse", metrics=["mae", "r2"]), "X", "y"),
    "fit": (lambda w, X, y: w.model.fit(X, y, loss="mse", optimizer=w.adam, batch_size=3), "X", "y"),
    "fit, validation_data": (lambda w, X, y: w.model.fit(w.X, w.y, loss="mse", optimizer=w.adam, validation_data=(X,
    y)),
                             "validation validation_data", "validation validation_data"),
    "train_on_batch": (lambda w, X, y: w.model.train_on_batch(X, y, loss="mse", optimizer=w.adam), "x", "y"),
    "check_gradients": (lambda w, X, y: nn.check_gradients(w.model, X, y, "mse"), "X", "y"),
}
if hasattr(nn.Sequential, "input_gradient"):
    METHODS["input_gradient"] = (lambda w, X, y: w.model.input_gradient(X, y, "mse"), "X", "y")


def takes_X_and_y(method, call, X, y):
    def as_X(w, odd):
        return call(w, odd, w.y)
    def as_y(w, odd):
        return call(w, w.X, odd)
    no_X = NO_ARRAYS | NO_SCALARS
    bad_arrays(f"{method}(X)", as_X, f"{X} {y}", lambda w: w.X, no_X | (NO_SHAPES if y else but(NO_SHAPES,
        "one row less")), trained)
    bad_arrays(f"{method}(X) before build", as_X, f"{X} {y}", lambda w: w.X, some(no_X), fresh)
    fine_arrays(f"{method}(X)", as_X, lambda w: w.X, world=trained)
    if y:
        bad_arrays(f"{method}(y)", as_y, y, lambda w: w.y, no_X | NO_SHAPES, trained)
        bad_arrays(f"{method}(y) before build", as_y, y, lambda w: w.y, some(no_X | NO_SHAPES), fresh)
        fine_arrays(f"{method}(y)", as_y, lambda w: w.y, world=trained)


for method, how in METHODS.items():
    takes_X_and_y(method, *how)
refuse("predict(X), float32", lambda w, odd: nn.Sequential([nn.Dense(1)], dtype="float32").predict(odd), "X", {
    "beyond float32": [[1e300]], "beyond float64": [[10**400]], "beyond float32, as float16": [[np.float16(inf)]],
})
refuse("fit by position", lambda w, odd: w.model.fit(w.X, w.y, *odd), "loss", {"loss": ["mse"]}, trained)
refuse("fit, no such argument", of_fit("lr"), "lr", {"lr": 0.1}, trained)

# -- the other arguments of fit, and of those that share them ----------------------------------------------------------


def busy(w):
    optimizer = nn.SGD(0.1)
    nn.Sequential([nn.Dense(1)]).fit(np.ones((2, 1)), np.ones((2, 1)), loss="mse", optimizer=optimizer)
    return optimizer


def loss(p, y):
    return 7.0


NO_LOSSES = NO_NAMES | {
    "capitals": "MSE", "a function": loss, "the class": nn.losses.Loss, "two": ["mse", "mae"],
    "unknown in a dict": {"name": "nope"},
    "a list for a name": {"name": []}, "delta -1": {"name": "huber", "delta": -1.0}, "delta x": {"name": "huber",
    "delta": "x"},
    "a metric": nn.metrics.rmse, "an activation": nn.activations.relu,
}
CHANCES_WANTED = {"binary": "binary_crossentropy", "categorical": "categorical_crossentropy"}
SAME_LOSSES = {"a dict": ({"name": "mse"}, "mse"), "the object": (nn.losses.mse, "mse"),
    "no delta": ({"name": "huber"}, "huber"),
               "delta 1": ({"name": "huber", "delta": 1}, "huber")}
NO_OPTIMIZERS = NO_NAMES | {
    "the class": nn.SGD, "small letters": "adam", "a rate": 0.1, "a loss": nn.losses.mse, "another model's": Made(busy),
}
NO_RATES = {
    "text": lambda t: "abc", "nan": lambda t: nan, "None": lambda t: None, "-0.1": lambda t: -0.1, "inf": lambda t: inf,
    "no argument": lambda: 0.1, "a class": nn.schedules.StepDecay, "an array": lambda t: np.ones(2),
}
NO_METRICS = listed(NO_NAMES) | {
    "unknown after known": ["rmse", "nope"], "one text": "nope", "a number": 0, "nan": nan, "two lists": [["rmse"]],
    "one called loss": [loss], "two of one name": [lambda p, y: 0.0, lambda p, y: 1.0],
}
SAME_METRICS = {"a tuple": (("rmse", "mae"), ["rmse", "mae"]), "functions": ([nn.metrics.rmse], ["rmse"])}
PERHAPS_METRICS = {
    "a name": ("rmse", ["rmse"]), "a function": (nn.metrics.rmse, ["rmse"]), "an array": (np.array(["rmse"]), ["rmse"]),
    "a generator": (Made(lambda w: (name for name in ["rmse"])), ["rmse"]), "a dict": ({"rmse": 1}, ["rmse"]),
}
NO_CALLBACKS = listed(THINGS) | {
    "[its class]": [nn.EarlyStopping], "text": "abc", "a number": 0, "nan": nan, "its class": nn.EarlyStopping,
    "unknown monitor": Made(lambda w: [nn.EarlyStopping("nope")]),
    "no validation": Made(lambda w: [nn.EarlyStopping()]),
    "no validation for the rate": Made(lambda w: [nn.ReduceLROnPlateau()]),
    "a metric not asked for": Made(lambda w: [nn.EarlyStopping("mae")]),
    "wrong after right": Made(lambda w: [nn.EarlyStopping("loss"), nn.EarlyStopping("nope")]),
}
NO_VALIDATION = but(THINGS, "None", "a list") | {
    "X alone": Made(lambda w: w.X), "two rows": Made(lambda w: w.X[:2]), "(X,)": Made(lambda w: (w.X,)),
    "(None, None)": (None, None),
    "three": Made(lambda w: (w.X, w.y, w.y)), "two letters": "ab", "(y, X)": Made(lambda w: (w.y, w.X)),
    "more rows than targets": Made(lambda w: (w.X, w.y[1:])), "a dict": Made(lambda w: {"X": w.X, "y": w.y}),
}
NO_PATIENCE_WITH_SCHEDULES = {"a schedule": Made(lambda w: nn.SGD(nn.schedules.StepDecay(0.1, 0.5, 3)))}


def takes_loss(method, call, world):
    unsaid = () if world is fresh else ("None",)
    refuse(f"{method}(loss), {world.__name__}", call, "loss delta", but(NO_LOSSES, *unsaid), world)
    refuse(f"{method}(loss), {world.__name__}", call, "loss binary_crossentropy categorical_crossentropy",
        CHANCES_WANTED, world)
    accept(f"{method}(loss), {world.__name__}", call, SAME_LOSSES, world)


for world in (fresh, trained):
    of = world.__name__
    takes_loss("fit", of_fit("loss"), world)
    takes_loss("evaluate", lambda w, odd: w.model.evaluate(w.X, w.y % 2, loss=odd), world)
    takes_loss("train_on_batch", of_batch("loss"), world)
    takes_loss("check_gradients", lambda w, odd: nn.check_gradients(w.model, w.X, w.y % 2, odd), world)
    for method, call in {"fit": of_fit("optimizer"), "train_on_batch": of_batch("optimizer")}.items():
        refuse(f"{method}(optimizer), {of}", call, "optimizer", but(NO_OPTIMIZERS,
            *(() if world is fresh else ("None",))), world)
        rates = {label: Made(lambda w, f=f: nn.SGD(f)) for label, f in NO_RATES.items()}
        refuse(f"{method}(learning_rate), {of}", call, "learning_rate", rates, world)
    refuse(f"train_on_batch(optimizer), {of}", of_batch("optimizer"), "optimizer", {"a name": "SGD"}, world)
    with_metrics = {"fit": of_fit("metrics"), "evaluate": lambda w, odd: w.model.evaluate(w.X, w.y, loss="mse",
        metrics=odd)}
    for method, call in with_metrics.items():
        refuse(f"{method}(metrics), {of}", call, "metrics metric", NO_METRICS, world)
        accept(f"{method}(metrics), {of}", call, SAME_METRICS, world)
        either(f"{method}(metrics), {of}", call, "metrics metric", PERHAPS_METRICS, world)
    either(f"fit(metrics), {of}", of_fit("metrics"), "metrics metric", {"a partial": ([partial(nn.metrics.rmse)],
        ["rmse"])}, world)
    for name in ("epochs", "batch_size"):
        refuse(f"fit({name}), {of}", of_fit(name), name, NO_INTEGERS, world)
        accept(f"fit({name}), {of}", of_fit(name), {"np.int64": (np.int64(3), 3), "np.uint8": (np.uint8(3), 3)}, world)
    refuse(f"fit(shuffle), {of}", of_fit("shuffle"), "shuffle", NO_FLAGS, world)
    refuse(f"fit(callbacks), {of}", of_fit("callbacks"), "callbacks monitor", NO_CALLBACKS, world)
    lowered = of_fit("optimizer", callbacks=[nn.ReduceLROnPlateau("loss")])
    refuse(f"fit(callbacks), {of}", lowered, "callbacks learning_rate", NO_PATIENCE_WITH_SCHEDULES, world)
    refuse(f"fit(validation_data), {of}", of_fit("validation_data"), "validation_data validation", NO_VALIDATION, world)
    weights = of_fit("sample_weight")
    bad_arrays(f"fit(sample_weight), {of}", weights, "sample_weight", lambda w: np.arange(8.0) % 3, NO_WEIGHTS, world)
fine_arrays("fit(sample_weight)", of_fit("sample_weight"), lambda w: np.arange(8.0) % 3, world=trained)
accept("fit(batch_size)", of_fit("batch_size"), {"beyond all rows": (10**30, 8)}, trained)
accept("fit(metrics)", of_fit("metrics"), {"None": (None, [])}, trained)
accept("fit(shuffle)", of_fit("shuffle"), {"np.bool": (np.bool_(False), False)}, trained)
either("fit(shuffle)", of_fit("shuffle"), "shuffle", {"0": (0, False), "1": (1, True)}, trained)
refuse("fit(verbose)", of_fit("verbose"), "verbose", but(NO_FLAGS, "None", "2"), trained)
accept("fit(verbose)", of_fit("verbose"), {"False": (False, 0), "np.int64": (np.int64(0), 0)}, trained)
accept("fit(optimizer)", of_fit("optimizer"), {"a name": ("Adam", Made(lambda w: nn.Adam())),
    "its own": (Made(lambda w: w.sgd), None)}, trained)
either("fit(optimizer)", of_fit("optimizer"), "optimizer", {"a dict": ({"name": "SGD"}, "SGD")}, trained)
stopping = Made(lambda w: [nn.EarlyStopping("loss")])
accept("fit(callbacks)", of_fit("callbacks"), {"None": (None, []),
    "a tuple": (Made(lambda w: (nn.EarlyStopping("loss"),)), stopping)}, trained)
either("fit(callbacks)", of_fit("callbacks"), "callbacks", {"one alone": (Made(lambda w: nn.EarlyStopping("loss")),
    stopping), "{}": ({}, [])}, trained)
pair = Made(lambda w: (w.X, w.y))
accept("fit(validation_data)", of_fit("validation_data"), {"a list": (Made(lambda w: [w.X, w.y]), pair),
    "lists": (Made(lambda w: (w.X.tolist(), w.y.tolist())), pair)}, trained)
OTHER_CLASSES = {"3 to 10": lambda y: y + 3, "negative": lambda y: -y, "nearly": lambda y: y * 1.01}
BY_CLASS = {
    "fit": lambda w, y: w.model.fit(w.X, y, optimizer=w.adam), "evaluate": lambda w, y: w.model.evaluate(w.X, y),
    "fit, validation": lambda w, y: w.model.fit(w.X, w.y, optimizer=w.adam, validation_data=(w.X, y)),
    "train_on_batch": lambda w, y: w.model.train_on_batch(w.X, y, optimizer=w.adam),
    "check_gradients": lambda w, y: nn.check_gradients(w.model, w.X, y, w.loss),
}
for k, world in ((2, yes_no), (3, classes)):
    fine, each = dict.fromkeys(range(k), 1.5), of_fit("class_weight", loss=None)
    refuse(f"fit(class_weight), {k} classes", each, "class_weight", but(THINGS, "None") | {
        "a list": [1.0] * k, "an array": np.ones(k), "a series": pd.Series(np.ones(k)), "a number": 1.5,
        "no class 1": {0: 1.0, 2: 1.0}, "class 10": fine | {10: 1.0},
        "negative": fine | {1: -1.0}, "nan in it": fine | {1: nan}, "text in it": fine | {1: "a"},
        "None in it": fine | {1: None},
        "True in it": fine | {1: True}, "texts": {str(c): 1.0 for c in range(k)}, "[1.0]": fine | {1: [1.0]},
        "a word": fine | {"x": 1.0},
    }, world)
    accept(f"fit(class_weight), {k} classes", each, {"np.int64": ({np.int64(c): np.float32(1.5) for c in range(k)},
        fine)}, world)
    for method, call in BY_CLASS.items():
        bad_arrays(f"{method}(y), {k} classes", call, "y validation", lambda w: w.y, OTHER_CLASSES, world)
for world in (labels, trained):
    refuse(f"fit(class_weight), {'labels' if world is labels else 'numbers'}", of_fit("class_weight", loss=None),
        "class_weight", {"by class": {0: 1.0, 1: 2.0}}, world)

refuse("check_gradients(h)", lambda w, odd: nn.check_gradients(w.model, w.X, w.y, "mse", odd), "h",
    NO_NUMBERS | {"0": 0, "-1": -1.0}, trained)
refuse("check_gradients(model)", lambda w, odd: nn.check_gradients(odd, np.ones((2, 1)), np.ones((2, 1)), "mse"),
    "model dtype",
       THINGS | {"float32": Made(lambda w: nn.Sequential([nn.Dense(1)], dtype="float32")), "a layer": nn.Dense(1)})
NO_JUDGES = but(THINGS, "None") | {
    "a layer": nn.Dense(1), "itself": Made(lambda w: w.model), "float32": Made(lambda w: nn.Sequential([nn.Dense(1)],
    dtype="float32")),
    "another input": Made(lambda w: nn.Sequential([nn.Dense(1)]).build(5)),
}
refuse("train_on_batch(through)", lambda w, odd: w.model.train_on_batch(w.X, w.wanted, loss="mse", optimizer=w.adam,
    through=odd),
       "through", NO_JUDGES, through_another)


def through(w, odd):
    return w.model.train_on_batch(**({"x": w.X, "y": w.wanted, "loss": "mse", "optimizer": w.adam,
        "through": w.judge} | odd))


refuse("train_on_batch, through another", through, "x y loss optimizer learning_rate binary_crossentropy", {
    "y of two columns": Made(lambda w: {"y": w.y}), "y too short": Made(lambda w: {"y": w.wanted[1:]}),
    "no loss": {"loss": "nope"},
    "x of two columns": Made(lambda w: {"x": w.X[:, :2]}), "chances wanted": {"loss": "binary_crossentropy"},
    "optimizer by name": {"optimizer": "SGD"}, "no rate": Made(lambda w: {"optimizer": nn.SGD(lambda t: "abc")}),
}, through_another)


def set_params(w, odd):
    w.model.set_weights([odd, *w.model.get_weights()[1:]])


def set_weights(w, odd):
    w.model.set_weights(odd)


NO_PARAMS = NO_ARRAYS | NO_SCALARS | {"one less": lambda a: a[1:], "a column": lambda a: a[:, None]}
bad_arrays("set_weights, params", set_params, "weights", lambda w: np.arange(w.model.params.size) % 2.0, NO_PARAMS,
    trained)
fine_arrays("set_weights, params", set_params, lambda w: np.arange(w.model.params.size) % 2.0, world=trained)
refuse("set_weights", set_weights, "weights", THINGS | {
    "the first alone": Made(lambda w: [w.model.params + 1]), "numbers": [1.0, 2.0, 3.0],
    "the second wrong": Made(lambda w: [w.model.params + 1, np.ones(4), np.ones(3)]),
    "the last text": Made(lambda w: [w.model.params + 1, np.ones(3), list("abc")]),
    "the last nan": Made(lambda w: [w.model.params + 1, np.ones(3), [1.0, nan, 1.0]]),
    "one more": Made(lambda w: [*w.model.get_weights(), np.ones(3)]),
}, trained)
kept = Made(lambda w: w.model.get_weights())
either("set_weights", set_weights, "weights", {"a tuple": (Made(lambda w: tuple(w.model.get_weights())), kept),
    "a generator": (Made(lambda w: iter(w.model.get_weights())), kept)}, trained)
for name, arguments in {"get_weights": (), "set_weights": ([np.ones(3)],), "summary": (), "parameter_counts": (),
    "save": ("no.npz",)}.items():
    refuse(f"{name} before build", lambda w, odd, name=name: getattr(w.model, name)(*odd), "build", {"": arguments},
        fresh)

# -- files -------------------------------------------------------------------------------------------------------------


def in_folder(f, name):
    return Made(lambda w: f(w.folder / name))


refuse("fit(callbacks), files", of_fit("callbacks"), "path monitor callbacks", {
    **{f"a field {x}": in_folder(lambda p: [nn.ModelCheckpoint(p, "loss")], x) for x in ("{nope}", "{epoch:zz}", "{",
    "}", "{}", "{0}", "{val_loss}")},
    "a checkpoint of nothing": in_folder(lambda p: [nn.ModelCheckpoint(p, "nope")], "m.npz"),
    "a checkpoint in no folder": in_folder(lambda p: [nn.ModelCheckpoint(p, "loss")], "no/m.npz"),
    "a table in no folder": in_folder(lambda p: [nn.CSVLogger(p)], "no/t.csv"),
    "a table in place of a folder": in_folder(lambda p: [nn.CSVLogger(p)], ""),
    "a table, then no monitor": in_folder(lambda p: [nn.CSVLogger(p), nn.EarlyStopping("nope")], "table.csv"),
    "a checkpoint, then no monitor": in_folder(lambda p: [nn.ModelCheckpoint(p, "loss"), nn.EarlyStopping("nope")],
    "model.npz"),
}, on_disk)
for label, watch in {"EarlyStopping": nn.EarlyStopping, "ReduceLROnPlateau": nn.ReduceLROnPlateau,
    "ModelCheckpoint": lambda monitor: nn.ModelCheckpoint("m.npz", monitor)}.items():
    refuse(f"fit({label}.monitor)", lambda w, odd, watch=watch: of_fit("callbacks")(w, [watch(odd)]), "monitor",
        NO_NAMES, trained)
refuse("fit(callbacks), files", lambda w, odd: of_fit("callbacks", optimizer=nn.SGD(lambda t: 0.1))(w, odd),
    "learning_rate",
       {"a checkpoint of a function": in_folder(lambda p: [nn.ModelCheckpoint(p, "loss")], "model.npz")}, on_disk)
PATHS = but(THINGS, "text", "a digit", "bytes") | {
    "0": 0, "True": True, "nothing": "", "the folder": in_folder(str, ""), "no folder": in_folder(str, "no/m.npz"),
    "under a file": in_folder(str, "table.csv/m.npz"), "a very long name": in_folder(str, "m" * 300),
}
refuse("save(path)", lambda w, odd: w.model.save(odd), "path", but(PATHS, "0", "True") | {"1.5": 1.5,
    "an open file": Made(lambda w: os.open(w.folder / "empty.npz", os.O_RDWR))}, on_disk)
refuse("load(path)", lambda w, odd: nn.load(odd), "path", but(PATHS, "0", "True") | {
    "an open file": Made(lambda w: os.open(w.folder / "model.npz", os.O_RDONLY)), "text": "abc", "bytes": b"3",
}, on_disk)
refuse("load(path)", lambda w, odd: nn.load(odd), "saved model", {x: in_folder(str, x) for x in ("table.csv",
    "empty.npz", "other.npz", "half.npz")}, on_disk)


def saved_and_loaded(w, path):
    w.model.save(path)
    return nn.load(path).predict(w.X)


plain_path = in_folder(str, "new.npz")
accept("save(path), load(path)", saved_and_loaded, {"a Path": (in_folder(lambda p: p, "new.npz"), plain_path)}, on_disk)
either("save(path), load(path)", saved_and_loaded, "path", {"bytes": (in_folder(os.fsencode, "new.npz"), plain_path)},
    on_disk)


refuse("save", lambda w, odd: w.model.save(w.folder / "model.npz"), "learning_rate",
    {"a learning rate that is a function": None}, by_function)


def swept(w, odd):
    usual = {"run": lambda a: {"loss": a}, "grid": {"a": [1, 2]}, "directory": w.folder / "sweep", "workers": 1,
        "progress": False}
    return nn.sweep(**(usual | odd)).drop(columns="seconds")


def swept_elsewhere(w, odd):  # its files hold seconds, which differ
    return swept(w, odd | {"directory": w.folder.with_name(f"{w.folder.name}-sweep")})


NO_SWEEPS = {
    "run": but(THINGS, "a class") | {"without arguments": lambda: 1, "of another name": lambda b, c: 1},
    "grid": but(THINGS) | {"no values": {"a": []}, "text for values": {"a": "abc"}, "a number for values": {"a": 1},
    "a number for a name": {1: [1]},
                           "a value twice": {"a": [1, 1]}, "a reserved name": {"seconds": [1]},
                           "an object in it": {"a": [object()]}, "a set in it": {"a": [{1}]}},
    "directory": but(THINGS, "text", "a digit", "bytes") | {"0": 0, "a file": in_folder(str, "file"),
    "under a file": in_folder(str, "file/sweep")},
    "workers": but(NO_INTEGERS, "None"), "shared": {"unknown": "b", "a number": 0, "a list": ["a"]},
    "version": {"an object": object(), "a set": {1}, "a function": loss},
}
for part, table in NO_SWEEPS.items():
    refuse(f"sweep({part})", swept, f"{part} grid", {label: Made(lambda w, x=x, part=part: {part: make(x,
        w)}) for label, x in table.items()}, empty_folder)
accept("sweep(grid)", swept_elsewhere, {label: ({"grid": {"a": x}}, {}) for label, x in {"an array": np.array([1, 2]),
    "a tuple": (1, 2), "a range": range(1, 3)}.items()}, empty_folder)
