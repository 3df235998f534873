"""What the odd calls of `test_refusals` are made of: worlds to call in, cases, and tables of odd arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import scipy.sparse

import nnlib as nn

nan, inf = float("nan"), float("inf")

# -- what a call could have changed, in a form that compares bit for bit -----------------------------------------------

OF_A_MODEL = [
    "params", "grads", "rng", "epoch", "stop_training", "input_shape", "dtype", "optimizer", "loss", "metrics",
]  # fmt: skip
QUIET = (int, float, str, bytes, bool, type(None), type(...), np.generic, slice, range)


def state(value):
    """Return all that a call could have changed in `value`, in a form that compares bit for bit."""
    if isinstance(value, nn.Sequential):
        kept = {name: thing for name, thing in vars(value).items() if name in OF_A_MODEL}
        return state(kept | {"layers": [(layer.buffers, layer.output_shape) for layer in value._every_layer()]})
    if isinstance(value, nn.optimizers.Optimizer):
        return state({"class": type(value).__name__} | {k: v for k, v in vars(value).items() if k != "scratch"})
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, pd.DataFrame | pd.Series):
        return [str(dtype) for dtype in np.atleast_1d(value.dtypes)], repr(value.to_dict())
    if isinstance(value, Path):
        return {str(p.relative_to(value)): p.read_bytes() if p.is_file() else None for p in sorted(value.rglob("*"))}
    if isinstance(value, dict):
        return {key: state(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [state(entry) for entry in value]
    if isinstance(value, SimpleNamespace):
        return state(vars(value))
    if isinstance(value, nn.losses.Loss | nn.activations.Activation | nn.initializers.Initializer):
        return value.name, repr(value.options)
    if isinstance(value, (nn.Layer, *QUIET)):
        return repr(value.item() if isinstance(value, np.generic) else value)
    return f"{type(value).__name__} at {id(value)}" if callable(value) else type(value).__name__


# -- worlds: what a call finds, and the good call that follows it ------------------------------------------------------


def bare(folder):
    return SimpleNamespace(rng=np.random.default_rng(3))


def fresh(folder, last="linear", y=None):
    """A model that is not built, its data, and two optimizers that it does not have yet."""
    y = [[0, 1], [1, 0], [2, 1], [1, 1], [0, 2], [2, 0], [1, 2], [0, 0]] if y is None else y
    layers = [nn.Dense(3, "tanh"), nn.BatchNorm(), nn.Dropout(0.2), nn.Dense(len(y[0]), last)]
    model = nn.Sequential(layers, seed=np.random.default_rng(1))
    X = [[0, 1, 2], [1, 0, 2], [2, 2, 1], [1, 1, 0], [0, 2, 0], [2, 0, 1], [1, 2, 2], [0, 0, 1]]
    made = {"X": np.array(X, float), "y": np.array(y, float), "sgd": nn.SGD(0.05, 0.5), "adam": nn.Adam(0.01)}
    return SimpleNamespace(model=model, loss="mse", **made)


def trained(folder, last="linear", y=None, loss="rmse"):
    w = fresh(folder, last, y)
    w.loss = loss
    w.model.fit(w.X, w.y, loss=loss, optimizer=w.sgd, metrics=["mae"], batch_size=3)
    w.model.stop_training = True  # so that it shows where a refused call resets it
    return w


yes_no = partial(trained, last="sigmoid", y=[[0], [1], [1], [0]] * 2, loss="binary_crossentropy")
classes = partial(trained, last="softmax", y=np.eye(3)[[0, 1, 2, 0, 1, 2, 0, 1]], loss="categorical_crossentropy")
labels = partial(trained, last="sigmoid", y=[[0, 1], [1, 1], [0, 0], [1, 0]] * 2, loss="binary_crossentropy")


def through_another(folder):
    """A trained model before one that is not built."""
    w = trained(folder)
    w.judge, w.wanted = nn.Sequential([nn.Dense(3, "tanh"), nn.BatchNorm(), nn.Dense(1)], seed=5), w.X[:, :1].copy()
    return w


def on_disk(folder):
    w = trained(folder)
    w.folder = folder
    folder.mkdir(parents=True)
    (folder / "table.csv").write_text("epoch,loss\n1,0.5\n")
    (folder / "empty.npz").touch()
    np.savez(folder / "other.npz", a=np.ones(3))
    w.model.save(folder / "model.npz")
    (folder / "half.npz").write_bytes((folder / "model.npz").read_bytes()[:900])
    return w


def empty_folder(folder):
    folder.mkdir(parents=True)
    (folder / "file").touch()
    return SimpleNamespace(rng=np.random.default_rng(3), folder=folder)


def by_function(folder):
    w = on_disk(folder)
    w.model.fit(w.X, w.y, optimizer=nn.SGD(lambda t: 0.1))
    return w


def train(w):
    w.model.fit(w.X, w.y, loss=w.loss, optimizer=w.adam, epochs=2, batch_size=3, metrics=["rmse"])
    return w.model.predict(w.X), w.model.get_weights()


def before(layers, shape, folder):
    return SimpleNamespace(model=nn.Sequential(layers(), seed=np.random.default_rng(2)), shape=shape)


def ready(name, folder):
    optimizer = getattr(nn, name)(0.1, weight_decay=0.1)
    optimizer.init(4)
    optimizer.step(np.ones(4), np.ones(4))
    return SimpleNamespace(optimizer=optimizer)


def step(w, odd):
    given = {"params": np.ones(4), "grads": np.arange(4.0)} | odd
    w.optimizer.step(**given)
    return given["params"]


# -- a case, and the three ways to add some ----------------------------------------------------------------------------

CASES: list["Case"] = []


@dataclass(frozen=True)
class Made:
    """An argument made anew for each world (`make` gets it); every other argument is itself."""

    make: Callable


def bitwise(result, expected) -> bool:
    return state(result) == state(expected)


def as_values(result, expected) -> bool:
    """Compare numbers whatever their dtype."""
    return np.allclose(np.asarray(result, float), expected, rtol=1e-6, atol=1e-12, equal_nan=True)


@dataclass(frozen=True)
class Case:
    label: str
    call: Callable  # of the world and the odd argument
    odd: object
    names: tuple[str, ...]  # of which a refusal must have one
    must: str  # "refuse", "work", or "either": works as the plain argument does, or is refused
    plain: object = None
    world: Callable = bare
    same: Callable = bitwise

    def __str__(self) -> str:
        return self.label

    def good(self, w):
        """Make a call that works, to see where the world has come to."""
        if self.world in (bare, empty_folder):
            return w.rng.random()
        if hasattr(w, "optimizer"):
            return step(w, {})
        return w.model.rng.random() if hasattr(w, "shape") else train(w)


def refuse(group, call, names, table, world=bare):
    for label, odd in table.items():
        CASES.append(Case(f"{group}: {label}", call, odd, tuple(names.split()), "refuse", world=world))


def accept(group, call, table, world=bare, same=bitwise, must="work", names=""):
    """Every entry of the table is (odd, plain)."""
    for label, (odd, plain) in table.items():
        CASES.append(Case(f"{group}: {label}", call, odd, tuple(names.split()), must, plain, world, same))


def either(group, call, names, table, world=bare, same=bitwise):
    accept(group, call, table, world, same, "either", names)


def argument(f, name, **usual):
    """Return the call of `f` with the odd thing as the argument of that name."""
    return lambda w, odd: f(**(usual | {name: odd}))


def of_fit(name, **others):
    usual = {"loss": "mse", "batch_size": 3} | others
    return lambda w, odd: w.model.fit(w.X, w.y, **({"optimizer": w.adam} | usual | {name: odd}))


def of_batch(name):
    return lambda w, odd: w.model.train_on_batch(w.X, w.y, **({"loss": "mse", "optimizer": w.adam} | {name: odd}))


# -- odd things --------------------------------------------------------------------------------------------------------

# fmt: off

THINGS = {
    "None": None, "text": "abc", "a digit": "3", "bytes": b"3", "[]": [], "{}": {}, "a set": {3}, "a list": [3],
    "nan": nan, "1j": 1j, "a class": nn.Dense, "an object": object(), "a generator": Made(lambda w: (i for i in [3])),
    "a frame": pd.DataFrame({"a": ["x", "y"]}), "an array": np.array([3.0, 4.0]), "a date": np.datetime64("2020-01-01"),
}
NUMBERLESS = {label: THINGS[label] for label in ("None", "text", "a digit", "[]", "a list", "nan", "1j", "a class",
    "an array")}
NO_NUMBERS = NUMBERLESS | {"inf": inf, "True": True, "10**400": 10**400}
NO_INTEGERS = NUMBERLESS | {"inf": inf, "True": True, "0": 0, "-1": -1, "1.5": 1.5}
NO_NAMES = NUMBERLESS | {"{}": {}, "a set": {3}, "an object": object(), "a name with a space": "relu "}
NO_FLAGS = {"no": "no", "False in quotes": "False", "[]": [], "None": None, "nan": nan, "2": 2, "array": np.ones(2)}
OLD = np.random.RandomState(0)


def but(table, *labels):
    return {label: thing for label, thing in table.items() if label not in labels}


def listed(table):
    return {f"[{label}]": Made(lambda w, thing=thing: [make(thing, w)]) for label, thing in table.items()}


def make(thing, w):
    return thing.make(w) if isinstance(thing, Made) else thing


def integers(group, call, name):
    refuse(group, call, name, NO_INTEGERS)
    accept(group, call, {"np.int64": (np.int64(2), 2), "np.uint8": (np.uint8(2), 2)})


def numbers(group, call, name, *outside, table=NO_NUMBERS):
    refuse(group, call, name, table | {str(x): x for x in outside})
    accept(group, call, {"np.float32": (np.float32(0.5), 0.5), "np.float64": (np.float64(0.5), 0.5)})


# -- arrays: bad ones made from a good one, and odd but right ones -----------------------------------------------------


def with_entry(a, x):
    b = np.array(a, object if isinstance(x, str) else np.result_type(a, type(x)))
    b[(-1,) * b.ndim] = x
    return b


def ragged(a):
    return [[1.0] * 9 if a.ndim > 1 else [1.0, 2.0], *a.tolist()[1:]]


def table_of(a):
    return pd.DataFrame(a) if a.ndim > 1 else pd.Series(a)


NO_ARRAYS = {
    "None": lambda a: None, "text": lambda a: "abc", "bytes": lambda a: b"abc", "{}": lambda a: {},
    "a lambda": lambda a: ragged,
    "a set": lambda a: {1.0, 2.0}, "a generator": lambda a: (row for row in a), "a class": lambda a: np.ndarray,
    "ragged": ragged, "texts": lambda a: a.astype(str), "digits": lambda a: a.astype(int).astype(str).tolist(),
    "a text in it": lambda a: with_entry(a, "x"), "None in it": lambda a: [None, *a.tolist()[1:]],
    "complex": lambda a: a + 1j, "dates": lambda a: a.astype("M8[s]"), "durations": lambda a: a.astype("m8[s]"),
    "nan": lambda a: with_entry(a, nan), "inf": lambda a: with_entry(a, inf),
    "-inf in float32": lambda a: with_entry(a.astype("f4"), np.float32(-inf)),
    "a gap": lambda a: table_of(with_entry(a, nan)),
    "masked": lambda a: np.ma.masked_equal(a, a.flat[0]), "structured": lambda a: np.zeros(len(a), [("a", float)]),
    "sparse": lambda a: scipy.sparse.csr_array(np.atleast_2d(a)),
    "a frame with text": lambda a: pd.DataFrame(a).assign(b="x"),
}
NO_SCALARS = {
    "[]": lambda a: [], "a number": lambda a: 1.5, "a 0-d array": lambda a: np.array(1.5), "True": lambda a: True,
    "nan alone": lambda a: nan, "no rows": lambda a: a[:0],
}
NO_SHAPES = {
    "one row less": lambda a: a[1:], "one column more": lambda a: np.concatenate([a, a[..., :1]], axis=-1),
    "no columns": lambda a: a[..., :0], "an axis more": lambda a: a[..., None], "an axis before": lambda a: a[None],
    "flat": lambda a: a.ravel(), "a series": lambda a: pd.Series(a.ravel()),
}
NO_WEIGHTS = but(NO_ARRAYS, "None") | NO_SCALARS | {
    "a column": lambda a: a[:, None], "a row": lambda a: a[None], "two columns": lambda a: np.tile(a[:, None], 2),
    "one row less": lambda a: a[1:], "one row more": lambda a: np.append(a, 1), "negative": lambda a: with_entry(a,
    -1.0),
}
ARRAYS = {
    "a list": lambda a: a.tolist(), "a list of arrays": list, "a frame": table_of,
    "a frame of int": lambda a: table_of(a.astype(int)),
    "tuples": lambda a: tuple(map(tuple, a)) if a.ndim > 1 else tuple(a), "int64": lambda a: a.astype("i8"),
    "uint8": lambda a: a.astype("u1"), "int8": lambda a: a.astype("i1"), "bool": lambda a: a.astype(bool),
    "float16": lambda a: a.astype("f2"), "float32": lambda a: a.astype("f4"), "longdouble": lambda a: a.astype("g"),
    "big-endian": lambda a: a.astype(">f8"), "big-endian int": lambda a: a.astype(">i2"), "Fortran": np.asfortranarray,
    "every second": lambda a: np.repeat(a, 2, axis=0)[::2], "backwards": lambda a: a[::-1].copy()[::-1],
    "read-only": lambda a: np.broadcast_to(a, a.shape), "masked nowhere": np.ma.masked_array,
    "unaligned": lambda a: np.frombuffer(b" " + a.tobytes(), a.dtype, offset=1).reshape(a.shape),
}
FEW = ("a list", "uint8", "read-only", "ragged", "texts", "None", "complex", "nan", "masked", "one row less", "flat",
    "no rows", "sparse", "dates")


def some(table):
    return {label: f for label, f in table.items() if label in FEW}


def bad_arrays(group, call, names, of, table, world=bare):
    """Refuse what each function of the table makes of the good array that `of(world)` returns."""
    refuse(group, call, names, {label: Made(lambda w, f=f: f(of(w))) for label, f in table.items()}, world)


def fine_arrays(group, call, of, table=ARRAYS, world=bare, same=bitwise):
    """Accept them, as their float64 copy."""
    def pair(f):
        return Made(lambda w: f(of(w))), Made(lambda w: np.array(f(of(w))).astype("float64"))
    accept(group, call, {label: pair(f) for label, f in table.items()}, world, same)
