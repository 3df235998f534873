"""Files that are either the old one or the new one, never half of each; and models as plain data inside them."""

import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import fields
from functools import partial
from io import BytesIO
from math import prod
from types import FunctionType
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from . import activations, initializers, losses, optimizers, schedules
from .arrays import Array, Shape
from .checks import as_path, counter, number, one_of
from .flat import FlatParameters
from .layers import LAYERS, Layer
from .model import Network

if sys.platform != "win32":
    import fcntl

FORMAT = 1
Path = str | bytes | os.PathLike[str]
PAIRS = {activations.Activation: activations.get, initializers.Initializer: initializers.get, losses.Loss: losses.get}

# -- files -------------------------------------------------------------------------------------------------------------


def write_whole(contents: Mapping[str, Callable[[IO[bytes]], object]]) -> None:
    """Write files under other names, and when all are on the disk, give them their own: each stays whole.

    A file's other name is always the same (`.model.npz.saving`), so that the next one overwrites what a kill left.
    """
    temporary = {path: os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.saving") for path in contents}
    try:
        for path, write_to in contents.items():
            with open(temporary[path], "wb") as file:
                write_to(file)
                file.flush()
                os.fsync(file.fileno())
        for path in contents:
            os.replace(temporary[path], path)
    except BaseException:
        for name in temporary.values():
            with suppress(FileNotFoundError):
                os.unlink(name)
        raise


def write(path: Path, config: dict[str, Any], arrays: dict[str, Array]) -> None:
    """Write `config` (as JSON) and `arrays` to one .npz file."""
    path = as_path("path", path)
    text = np.array(json.dumps({"format": FORMAT, **config}, default=lambda number: number.item()))
    members: dict[str, Any] = {"config": text, **arrays}
    with ExitStack() as held:
        # One program at a time, or two that save to one path would write into one temporary file. The folder is what
        # they lock, because a lock on a file that is renamed is lost, and one beside it would lie there for ever.
        if sys.platform != "win32":
            with suppress(OSError):  # a folder that may not be read, or a file system without locks
                held.callback(os.close, folder := os.open(os.path.dirname(path) or ".", os.O_RDONLY))
                fcntl.flock(folder, fcntl.LOCK_EX)
        write_whole({path: lambda file: np.savez(file, **members)})


def read(file: IO[bytes]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return (config, arrays) of a file that `write` made, in little more memory than the file is long."""
    from zipfile import ZIP_STORED, ZipFile  # here, because most programs never load a model and would wait for it

    with ZipFile(file) as archive:
        members = archive.infolist()
        stored = all(m.compress_type == ZIP_STORED and m.compress_size == m.file_size for m in members)
        if not stored or sum(m.file_size for m in members) > os.fstat(file.fileno()).st_size:
            raise ValueError("its members are compressed, or longer than the file")
        arrays = {m.filename.removesuffix(".npy"): _array(archive.read(m)) for m in members}
    config = json.loads(str(arrays.pop("config")))
    if len(arrays) + 1 < len(members) or config["format"] != FORMAT:
        raise ValueError(f"it is not of format {FORMAT}, which this version reads, or holds two arrays of one name")
    return config, arrays


def _array(content: bytes) -> Array:
    """Return a view of the array in a .npy file, of plain numbers or characters only."""
    file = BytesIO(content)
    version = npy.read_magic(file)
    shape, fortran_order, dtype = npy.read_array_header_1_0(file)
    if version != (1, 0) or fortran_order or dtype.kind not in "fU" or min(shape, default=0) < 0:
        raise ValueError(f"it holds an array of another kind: {dtype}, shape {shape}, version {version}")
    # a view is never larger than what is there, whatever shape the header claims
    return np.frombuffer(content, dtype, offset=file.tell()).reshape(shape)


# -- models as plain data ----------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Return an argument of a layer or optimizer as JSON can hold it: pure pairs by name and options.

    Raises
    ------
    ValueError
        Where `load` would find something else under that name, or nothing.
    """
    if isinstance(value, Layer):
        arguments = {name: plain(argument) for name, argument in value.config().items()}
        return {"layer": _name_in(LAYERS, value), **arguments}
    get: Callable[[Any], Any] | None = next((get for kind, get in PAIRS.items() if isinstance(value, kind)), None)
    if get is not None:
        name = {"name": value.name, **value.options} if value.options else value.name
        found = None
        with suppress(ValueError, TypeError):
            found = get(name)
        _require_known(value.name, _substance(found) == _substance(value))
        return name
    if type(value) in schedules.SCHEDULES.values():
        return {"name": type(value).__name__, **{f.name: plain(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if callable(value):
        raise ValueError(
            f"a learning_rate that is a function cannot be saved: {value!r}; "
            f"use one of {', '.join(schedules.SCHEDULES)}, or set model.optimizer = None before saving"
        )
    return value


def _name_in(table: Mapping[str, type], value: object) -> str:
    name = type(value).__name__
    _require_known(name, table.get(name) is type(value))
    return name


def _require_known(name: str, known: bool) -> None:
    if not known:
        raise ValueError(
            f"a file holds names, and nnlib knows no {name!r}, or another one than yours: put it, under a name of its "
            "own, into its table (layers.LAYERS, losses.LOSSES, activations.ACTIVATIONS, ...) before saving"
        )


def _substance(value: Any) -> Any:
    """Return what a pure pair, or a function in it, consists of: two of them do the same where this is equal."""
    if isinstance(value, tuple(PAIRS)):
        return type(value), [_substance(part) for part in vars(value).values()]
    if isinstance(value, partial):
        return _substance(value.func), value.args, value.keywords
    if isinstance(value, FunctionType):
        return value.__module__, value.__code__, [_substance(cell.cell_contents) for cell in value.__closure__ or ()]
    return value


def layer_from(config: dict[str, Any]) -> Layer:
    """Return the unbuilt layer that `plain` described."""
    config = dict(config)
    cls = one_of("layer", config.pop("layer"), LAYERS)
    layer: Layer = cls(*map(layer_from, config.pop("layers", [])), **config)
    return layer


def build_within(model: Network, input_shape: Shape, n: int) -> None:
    """Build a model whose parameters come from a file: none is drawn, and more than the file's `n` are refused.

    Refused before they take memory, that is: a few bytes can ask for a billion units.
    """
    left = n

    def draw(shape: Shape, rng: object) -> Array:
        nonlocal left
        left -= prod(shape)
        if left < 0:
            raise ValueError(f"its layers need more parameters than the {n} that it holds")
        return np.broadcast_to(np.float64(0), shape)

    # Every layer makes the first and largest of its parameters by an initializer that it has.
    undrawn = initializers.Initializer("undrawn", draw)
    own = [(vars(layer), name, value) for layer in model._every_layer() for name, value in vars(layer).items()]
    own = [(of_layer, name, value) for of_layer, name, value in own if isinstance(value, initializers.Initializer)]
    for of_layer, name, _ in own:
        of_layer[name] = undrawn
    model.build(input_shape)
    for of_layer, name, value in own:
        of_layer[name] = value


def plain_optimizer(optimizer: optimizers.Optimizer) -> dict[str, Any]:
    """Return an optimizer's class, arguments and step counter; its state arrays are stored beside."""
    if set(optimizer.state) != set(optimizer.state_names):
        raise ValueError("model.optimizer must be one that fit was given, or None; got one that has no state yet")
    arguments = {name: plain(getattr(optimizer, name)) for name in inspect.signature(type(optimizer)).parameters}
    return {"name": _name_in(optimizers.OPTIMIZERS, optimizer), "arguments": arguments, "t": optimizer.t}


def optimizer_from(config: dict[str, Any], flat: FlatParameters) -> optimizers.Optimizer:
    """Return the optimizer at the step at which it was saved, its state arrays not yet filled."""
    cls = one_of("optimizer", config["name"], optimizers.OPTIMIZERS)
    optimizer: optimizers.Optimizer = cls(**config["arguments"])
    optimizer.init(len(flat.params), flat.params.dtype, flat.decayed)
    optimizer.t = counter("t", config["t"])
    number("the learning rate at step t", optimizer.rate(), 0)
    return optimizer
