"""The model that everybody uses: a network that learns, can be stored, and can be looked at."""

from . import losses, metrics, storage
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
        lines = [("layer", "output shape", "parameters", "not trainable"), ("input", self.input_shape, 0, 0)]
        for title, layer in _outline(self.layers):
            fixed = sum(buffer.size for buffer in layer.buffers.values())
            lines.append((title, layer.output_shape, fixed + sum(p.size for p in layer.params.values()), fixed))
        rows = [(a, str(b), *(f"{n:,}" if isinstance(n, int) else n for n in rest)) for a, b, *rest in lines]
        w = [max(len(row[i]) for row in rows) for i in range(4)]
        for i, row in enumerate(rows):
            print(f"{row[0]:<{w[0]}}  {row[1]:<{w[1]}}  {row[2]:>{w[2]}}  {row[3]:>{w[3]}}")
            if i == 0:
                print("─" * (sum(w) + 6))
        print("─" * (sum(w) + 6))
        print(f"{trained + kept:,} parameters, of which {kept:,} not trainable ({self.dtype.name})")

    def save(self, path) -> None:
        """Write everything needed to go on as if never stopped to one .npz file, whole or not at all.

        Layers, weights, running statistics, the optimizer with its state, loss, epoch, and the state of the random
        generator. The loss and activations are stored by name; a function of your own must be in its registry
        (`activations.ACTIVATIONS`, `losses.LOSSES`) when the file is loaded. Metrics of your own and callbacks are not
        stored.
        """
        self.built()
        config = {
            "layers": storage.plain(self.layers),
            "dtype": self.dtype.name,
            "input_shape": self.input_shape,
            "epoch": self.epoch,
            "loss": storage.plain(self.loss),
            "metrics": [name for name, metric in metrics.METRICS.items() if metric in self.metrics],
            "rng": self.rng.bit_generator.state,
            "optimizer": storage.plain_optimizer(self.optimizer),
        }
        arrays = {"params": self.params, **dict(self._buffers())}
        if self.optimizer is not None:
            arrays |= {f"optimizer_{name}": state for name, state in self.optimizer.state.items()}
        storage.write(path, config, arrays)


def load(path) -> Sequential:
    """Return a model as it was when `Sequential.save` wrote the file; `fit` then goes on bit by bit.

    Raises
    ------
    FileNotFoundError
        Where there is no such file.
    ValueError
        Where it is damaged, not a model, or names something that this version (or your session) does not know.
    """
    config, arrays = storage.read(path)
    model = Sequential(map(storage.layer_from, config["layers"]), dtype=config["dtype"])
    model.build(config["input_shape"])
    model.set_weights([arrays["params"], *(arrays[name] for name, _ in model._buffers())])
    model.rng.bit_generator.state = config["rng"]
    model.epoch = config["epoch"]
    model.metrics = [metrics.get(name) for name in config["metrics"]]
    model.loss = None if config["loss"] is None else losses.get(config["loss"])
    if config["optimizer"] is not None:
        model.optimizer = storage.optimizer_from(config["optimizer"], arrays)
    return model


def _outline(layers: list[Layer], branch="") -> list[tuple[str, Layer]]:
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
