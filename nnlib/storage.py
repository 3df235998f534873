"""Files that are either the old one or the new one, never half of each; and models as plain data inside them."""

import inspect
import json
import os
from contextlib import suppress
from dataclasses import fields, is_dataclass

import numpy as np

from . import optimizers, schedules
from .arrays import Array
from .checks import one_of
from .layers import LAYERS, Layer

FORMAT = 1


def write(path, config: dict, arrays: dict[str, Array]) -> None:
    """Write `config` (as JSON) and `arrays` to one .npz file, first under another name, then renamed."""
    path = os.fspath(path)
    text = np.array(json.dumps({"format": FORMAT, **config}, default=lambda number: number.item()))
    temporary = os.path.join(os.path.dirname(path), f".saving-{os.urandom(8).hex()}")
    try:
        with open(temporary, "xb") as file:
            np.savez(file, config=text, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def read(path) -> tuple[dict, dict[str, Array]]:
    """Return (config, arrays) of a file that `write` made; nothing in it is executed (allow_pickle=False)."""
    from zipfile import BadZipFile  # here, because most programs never load a model and would wait for it
    from zlib import error as ZlibError

    try:
        # np.load leaves a damaged file open if it has to open it itself
        with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        config = dict(json.loads(str(arrays.pop("config"))))
    except OSError:
        raise
    except (ValueError, TypeError, KeyError, EOFError, NotImplementedError, BadZipFile, ZlibError) as error:
        raise ValueError(f"{os.fspath(path)!r} is not a model saved by nnlib, or is damaged: {error}") from error
    if config.get("format") != FORMAT:
        raise ValueError(f"{os.fspath(path)!r} has format {config.get('format')!r}; this version reads {FORMAT}")
    return config, arrays


def plain(value):
    """Return an argument of a layer or optimizer as JSON can hold it: pure pairs by name and options."""
    if isinstance(value, Layer):
        return {"layer": type(value).__name__, **{k: plain(v) for k, v in value.config().items()}}
    if hasattr(value, "options"):  # an initializer, activation or loss
        return {"name": value.name, **value.options} if value.options else value.name
    if is_dataclass(value):  # a schedule
        return {"name": type(value).__name__, **{f.name: plain(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if callable(value):
        raise ValueError(
            f"a learning_rate that is a function cannot be saved: {value!r}; "
            f"use one of {', '.join(schedules.SCHEDULES)}, or set model.optimizer = None before saving"
        )
    return value


def layer_from(config: dict) -> Layer:
    """Return the unbuilt layer that `plain` described."""
    config = dict(config)
    cls = one_of("layer", config.pop("layer"), LAYERS)
    inner = [layer_from(item) for item in config.pop("layers", [])]
    return cls(*inner, **config)


def plain_optimizer(optimizer: optimizers.Optimizer | None) -> dict | None:
    """Return an optimizer's class, arguments and step counter; its state arrays are stored beside."""
    if optimizer is None:
        return None
    arguments = {name: plain(getattr(optimizer, name)) for name in inspect.signature(type(optimizer)).parameters}
    return {"name": type(optimizer).__name__, "arguments": arguments, "t": optimizer.t, "decayed": optimizer.decayed}


def optimizer_from(config: dict, arrays: dict[str, Array]) -> optimizers.Optimizer:
    """Return the optimizer in the state in which it was saved."""
    optimizer = one_of("optimizer", config["name"], optimizers.OPTIMIZERS)(**config["arguments"])
    n = len(arrays["params"])
    optimizer.init(n, arrays["params"].dtype, config["decayed"])
    optimizer.t = config["t"]
    for name in optimizer.state_names:
        optimizer.state[name][...] = arrays[f"optimizer_{name}"]
    return optimizer
