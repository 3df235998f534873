"""The model that everybody uses: a network that learns, can be stored, and can be looked at."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from . import losses, metrics, storage
from .activations import linear
from .arrays import Array
from .checks import as_path, counter
from .layers import LAYERS, Layer
from .optimizers import OPTIMIZERS, Optimizer
from .training import Trainable


class Sequential(Trainable):
    """y = fₖ(... f₂(f₁(x))): the output of each layer is the input of the next.

    Parameters
    ----------
    layers : list of Layer
        Each object once.
    seed : int or numpy.random.Generator
        Source of all randomness of this model: initial weights, shuffling, dropout. Same seed, same bits.
    dtype : {"float64", "float32"}
        float64 to compare derivatives, float32 for twice the speed.

    Attributes
    ----------
    params, grads : array (n,)
        All parameters and all gradients, flat (None before `build`); the layers' dicts hold views into them.
    epoch : int
        Epochs trained so far, over all calls of `fit`; saved with the model.
    """

    def summary(self) -> None:
        """Print the network, layer by layer: shapes and numbers of parameters."""
        trained, kept = self.parameter_counts()
        rows = [("layer", "output shape", "parameters", "not trainable"), ("input", str(self.input_shape), "0", "0")]
        for title, layer in chain.from_iterable(map(_outline, self.layers)):
            fixed = sum(buffer.size for buffer in layer.buffers.values())
            size = fixed + sum(values.size for values in layer.params.values())
            rows.append((title, str(layer.output_shape), f"{size:,}", f"{fixed:,}"))
        w = [max(map(len, column)) for column in zip(*rows, strict=True)]
        rule = "─" * (sum(w) + 6)
        head, *lines = (f"{a:<{w[0]}}  {b:<{w[1]}}  {c:>{w[2]}}  {d:>{w[3]}}" for a, b, c, d in rows)
        print(head, rule, *lines, rule, sep="\n")
        print(f"{trained + kept:,} parameters, of which {kept:,} not trainable ({self.dtype.name})")

    def save(self, path: storage.Path) -> None:
        """Write everything needed to go on as if never stopped to one .npz file, whole or not at all.

        Layers, weights, running statistics, the optimizer with its state, loss, metrics, epoch, and the state of the
        random generator. Callbacks are not stored, nor are metrics of your own that are not in `metrics.METRICS`.

        Parameters
        ----------
        path : str, bytes or os.PathLike
            The name as it is; nothing is appended to it.

        Raises
        ------
        ValueError
            Before anything is written, where the file could not be loaded again as this model: layers, losses,
            activations, initializers and optimizers are stored by name, so one of your own must be in its table
            (`layers.LAYERS`, `losses.LOSSES`, `activations.ACTIVATIONS`, ...) under a name that no other has; it must
            be there, too, when the file is loaded.
        """
        if self.optimizer is not None and set(self.optimizer.state) != set(self.optimizer.state_names):
            raise ValueError("model.optimizer must be one that fit was given, or None; got one that has no state yet")
        storage.write(path, self.as_plain(self.loss, self.optimizer), _arrays(self))

    def as_plain(self, loss: losses.Loss | None, optimizer: Optimizer | None) -> dict[str, Any]:
        """Return what `save` writes besides arrays, for a training with that loss and optimizer."""
        return {
            "layers": storage.plain(self.layers),
            "dtype": self.dtype.name,
            "input_shape": self.input_shape,
            "epoch": self.epoch,
            "loss": storage.plain(loss),
            "metrics": [name for own in self.metrics for name, metric in metrics.METRICS.items() if own is metric],
            "rng": self.rng.bit_generator.state,
            "optimizer": storage.plain(optimizer),
            "t": optimizer.t if optimizer else 0,
        }


def load(path: storage.Path) -> Sequential:
    """Return a model as it was when `Sequential.save` wrote the file; `fit` then goes on bit by bit.

    Nothing in the file is executed, and loading takes little more memory than the file and its model. A weight that was
    NaN when it was saved is NaN again, for whoever looks for the cause.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        As it was given to `save`.

    Raises
    ------
    OSError
        Where the file cannot be opened (FileNotFoundError, PermissionError, ...).
    ValueError
        Where it is damaged, not a model, or names something that this version (or your session) does not know.
    """
    name = as_path("path", path)
    with open(name, "rb") as file:
        try:
            return _restored(*storage.read(file))
        except Exception as error:  # what is damaged, or made to harm, can fail in any way in any module
            raise ValueError(
                f"{name!r} is not a model saved by nnlib, or is damaged, or needs something that this "
                f"session does not have: {type(error).__name__}: {error!s:.300}"
            ) from error


def _restored(config: dict[str, Any], arrays: dict[str, Array]) -> Sequential:
    """Return the model that `config` and `arrays` describe; refuse what does not fit together."""
    model = Sequential([storage.from_plain("layer", c, LAYERS) for c in config["layers"]], dtype=config["dtype"])
    storage.build_within(model, config["input_shape"], arrays["params"].size)
    model.epoch = counter("epoch", config["epoch"])
    model.loss = None if config["loss"] is None else losses.get(config["loss"])
    model.metrics = [metrics.get(name) for name in config["metrics"]]
    if config["optimizer"] is not None:
        model.optimizer = optimizer = storage.from_plain("optimizer", config["optimizer"], OPTIMIZERS)
        optimizer.init(model.built().params.size, model.dtype, model.built().decayed)
        optimizer.t = counter("t", config["t"])
    generator = model.rng.bit_generator
    generator.state = config["rng"]
    if generator.state != config["rng"] or config["rng"]["state"]["inc"] % 2 == 0:  # even: some never leave one state
        raise ValueError(f"rng must be a state of PCG64; got {config['rng']!r}")
    places = _arrays(model)
    found, needed = ({name: (a.dtype, a.shape) for name, a in group.items()} for group in (arrays, places))
    if found != needed:
        raise ValueError(f"its arrays must be {needed}; got {found}")
    for name, place in places.items():
        if name.endswith("_variance") and (arrays[name] < 0).any():
            raise ValueError(f"{name} must be 0 or more; got {arrays[name].min()}")
        place[...] = arrays[name]
    return model


def _arrays(model: Sequential) -> dict[str, Array]:
    """Return by name all arrays of a model that a file holds: parameters, running statistics, optimizer state."""
    state = model.optimizer.state if model.optimizer else {}
    of_optimizer = {f"optimizer_{name}": a for name, a in state.items()}
    return {"params": model.built().params, **dict(model._buffers()), **of_optimizer}


def _outline(layer: Layer, joint: str = "", trunk: str = "") -> Iterator[tuple[str, Layer]]:
    """Yield (title, layer) for the layer and, drawn as its branches, for the layers inside it."""
    activation = getattr(layer, "activation", linear)
    yield f"{joint}{type(layer).__name__} {activation.name}".removesuffix(" linear"), layer
    for child in layer.children:
        last = child is layer.children[-1]
        yield from _outline(child, trunk + ("└ " if last else "├ "), trunk + ("  " if last else "│ "))
