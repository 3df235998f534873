"""The model that everybody uses: a network that learns, can be stored, and can be looked at."""

from typing import Any

from . import losses, metrics, storage
from .arrays import Array
from .checks import as_path, counter
from .layers import Layer
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
        for title, layer in _outline(self.layers):
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
        self.built()
        config = {
            "layers": storage.plain(self.layers),
            "dtype": self.dtype.name,
            "input_shape": self.input_shape,
            "epoch": self.epoch,
            "loss": storage.plain(self.loss),
            "metrics": [name for own in self.metrics for name, metric in metrics.METRICS.items() if own is metric],
            "rng": self.rng.bit_generator.state,
            "optimizer": None if self.optimizer is None else storage.plain_optimizer(self.optimizer),
        }
        storage.write(path, config, _arrays(self))


def load(path: storage.Path) -> Sequential:
    """Return a model as it was when `Sequential.save` wrote the file; `fit` then goes on bit by bit.

    Nothing in the file is executed, and loading takes little more memory than the file and its model.

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
    model = Sequential(map(storage.layer_from, config["layers"]), dtype=config["dtype"])
    storage.build_within(model, config["input_shape"], arrays["params"].size)
    model.epoch = counter("epoch", config["epoch"])
    model.loss = None if config["loss"] is None else losses.get(config["loss"])
    model.metrics = [metrics.get(name) for name in config["metrics"]]
    if config["optimizer"] is not None:
        model.optimizer = storage.optimizer_from(config["optimizer"], model.built())
    generator = model.rng.bit_generator
    generator.state = config["rng"]
    if generator.state != config["rng"] or config["rng"]["state"]["inc"] % 2 == 0:  # even: some never leave one state
        raise ValueError(f"rng must be a state of PCG64; got {config['rng']!r}")
    places = _arrays(model)
    found, needed = ({name: (a.dtype, a.shape) for name, a in group.items()} for group in (arrays, places))
    if found != needed:
        raise ValueError(f"its arrays must be {needed}; got {found}")
    for name, place in places.items():
        place[...] = arrays[name]
    return model


def _arrays(model: Sequential) -> dict[str, Array]:
    """Return by name all arrays of a model that a file holds: parameters, running statistics, optimizer state."""
    state = {} if model.optimizer is None else model.optimizer.state
    return {
        "params": model.built().params,
        **dict(model._buffers()),
        **{f"optimizer_{name}": a for name, a in state.items()},
    }


def _outline(layers: list[Layer], branch: str = "") -> list[tuple[str, Layer]]:
    """Return (title, layer) for each layer and, after it, drawn as its branches, the layers inside it."""
    lines = []
    for layer in layers:
        joint, trunk = ("", "") if not branch else ("└ ", "  ") if layer is layers[-1] else ("├ ", "│ ")
        lines.append((branch[2:] + joint + _title(layer), layer))
        lines += _outline(layer.children, branch + trunk if branch else "  ")
    return lines


def _title(layer: Layer) -> str:
    activation = getattr(layer, "activation", None)
    name = type(layer).__name__
    return f"{name} {activation.name}" if activation is not None and activation.name != "linear" else name
