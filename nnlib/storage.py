"""Files that are either the old one or the new one, never half of each; and models as plain data inside them."""

import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from math import prod
from typing import IO, Any, TypeVar

import numpy as np
from numpy.lib import format as npy

from . import activations, initializers, losses
from .arrays import Array, Shape
from .checks import as_path, one_of
from .initializers import Initializer
from .layers import LAYERS, Layer
from .model import Network
from .optimizers import OPTIMIZERS, Optimizer
from .schedules import SCHEDULES, Schedule

FORMAT = 2
T = TypeVar("T")
Path = str | bytes | os.PathLike[str]
PAIRS = {activations.Activation: activations.get, Initializer: initializers.get, losses.Loss: losses.get}

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


def write(path: Path, config: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Write `config` (as JSON) and `arrays` to one .npz file."""
    path = as_path("path", path)
    text = np.array(json.dumps({"format": FORMAT, **config}, default=lambda number: number.item()))
    with ExitStack() as held:
        # One program at a time, or two that save to one path would write into one temporary file. The folder is what
        # they lock, because a lock on a file that is renamed is lost, and one beside it would lie there for ever.
        if sys.platform != "win32":
            import fcntl

            with suppress(OSError):  # a folder that may not be read, or a file system without locks
                held.callback(os.close, folder := os.open(os.path.dirname(path) or ".", os.O_RDONLY))
                fcntl.flock(folder, fcntl.LOCK_EX)
        write_whole({path: lambda file: np.savez(file, config=text, **arrays)})


def read(file: IO[bytes]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return (config, arrays) of a file that `write` made, in little more memory than the file is long."""
    from zipfile import ZIP_STORED, ZipFile  # here, because most programs never load a model and would wait for it

    with ZipFile(file) as archive:
        members = archive.infolist()
        stored = all(m.compress_type == ZIP_STORED and m.compress_size == m.file_size for m in members)
        if not stored or sum(m.file_size for m in members) > os.fstat(file.fileno()).st_size:
            raise ValueError("its members are compressed, or longer than the file")
        arrays = {m.filename.removesuffix(".npy"): _array(archive.open(m)) for m in members}
    config = json.loads(str(arrays.pop("config")))
    if len(arrays) + 1 < len(members) or config["format"] != FORMAT:
        raise ValueError(f"it is not of format {FORMAT}, which this version reads, or holds two arrays of one name")
    return config, arrays


def _array(file: IO[bytes]) -> Array:
    """Return the array in a .npy file, of plain numbers or characters only."""
    version = npy.read_magic(file)
    shape, fortran_order, dtype = npy.read_array_header_1_0(file)
    if version != (1, 0) or fortran_order or dtype.kind not in "fU" or min(shape, default=0) < 0:
        raise ValueError(f"it holds an array of another kind: {dtype}, shape {shape}, version {version}")
    # a view is never larger than what is there, whatever shape the header claims
    return np.frombuffer(file.read(), dtype).reshape(shape)


# -- models as plain data ----------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Return an argument of a layer or optimizer as JSON can hold it: by its name, with its arguments or options.

    Raises
    ------
    ValueError
        Where `load` would find something else under that name, or nothing.
    """
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    get: Callable[[Any], object] | None = next((get for kind, get in PAIRS.items() if isinstance(value, kind)), None)
    if isinstance(value, Layer | Optimizer | Schedule):
        name = type(value).__name__
        options = {option: plain(getattr(value, option)) for option in inspect.signature(type(value)).parameters}
        known = {**LAYERS, **OPTIMIZERS, **SCHEDULES}.get(name) is type(value)
    elif get is not None:
        name, options, known = value.name, value.options, False
        with suppress(ValueError):
            known = _parts(get({"name": name, **options})) == _parts(value)
    elif callable(value):
        raise ValueError(
            f"a learning_rate that is a function cannot be saved: {value!r}; "
            f"use one of {', '.join(SCHEDULES)}, or set model.optimizer = None before saving"
        )
    else:
        return value
    if not known:
        raise ValueError(
            f"a file holds names, and nnlib knows no {name!r}, or another one than yours: put it, under a name of its "
            "own, into its table (layers.LAYERS, losses.LOSSES, activations.ACTIVATIONS, ...) before saving"
        )
    key = "class" if isinstance(value, Layer | Optimizer) else "name"  # an argument may be called name, never class
    return {key: name, **options}


def _parts(pair: Any) -> list[Any]:
    """Return what a pure pair consists of: two of them do the same where this is equal."""
    return [type(pair), *((v.func, v.args, v.keywords) if isinstance(v, partial) else v for v in vars(pair).values())]


def from_plain(kind: str, config: dict[str, Any], table: Mapping[str, Callable[..., T]]) -> T:
    """Return the unbuilt layer or the optimizer that `plain` described."""
    options = {"layers": [], **config}
    make = one_of(kind, options.pop("class"), table)
    return make(*(from_plain(kind, inner, table) for inner in options.pop("layers")), **options)


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
    undrawn = Initializer("undrawn", draw)
    own = [
        (vars(layer), {name: value for name, value in vars(layer).items() if isinstance(value, Initializer)})
        for layer in model._every_layer()
    ]
    for of_layer, drawing in own:
        of_layer.update(dict.fromkeys(drawing, undrawn))
    model.build(input_shape)
    for of_layer, drawing in own:
        of_layer.update(drawing)
