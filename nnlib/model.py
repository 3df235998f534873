"""A stack of layers, and the loop that trains it."""

import warnings
from math import prod

import numpy as np

from . import losses, metrics, optimizers, storage
from .arrays import Array, Shape, as_dtype, as_generator, as_rows, number, positive_integer
from .callbacks import Callback, Progress
from .flat import FlatParameters
from .layers import Layer


class DivergenceWarning(RuntimeWarning):
    """The loss became NaN or infinite and training was stopped."""


class History(dict):
    """One list per number, one entry per epoch: `history["loss"]`, `["val_rmse"]`, `["learning_rate"]`."""

    def record(self, logs: dict[str, float]) -> None:
        """Append this epoch's numbers."""
        for name, value in logs.items():
            self.setdefault(name, []).append(value)


class Sequential:
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

    def __init__(self, layers, seed=0, dtype="float64"):
        self.layers: list[Layer] = list(layers)
        if not self.layers:
            raise ValueError("layers must hold at least one layer; got none")
        for layer in self.layers:
            if not isinstance(layer, Layer):
                raise ValueError(f"layers must hold nnlib layers; got {layer!r}")
        every = self._every_layer()
        for layer in every:
            if sum(layer is other for other in every) > 1:
                raise ValueError(f"each layer object may appear once; {layer!r} appears more often")
        self.rng = as_generator(seed)
        if not isinstance(self.rng.bit_generator, np.random.PCG64):
            raise ValueError(f"seed must be a Generator over PCG64; got {self.rng!r}")
        self.dtype = as_dtype(dtype)
        self.input_shape: Shape | None = None
        self.params = self.grads = None
        self.optimizer: optimizers.Optimizer | None = None
        self.loss: losses.Loss | None = None
        self.metrics: list = []
        self.epoch = 0
        self.stop_training = False

    def _every_layer(self) -> list[Layer]:
        return [inner for layer in self.layers for inner in layer.walk()]

    # -- from input to output and back ---------------------------------------------------------------------------------

    def build(self, input_shape: Shape) -> "Sequential":
        """Make the parameters for inputs of `input_shape` (one example, without the batch axis); return the model."""
        if self.params is not None:
            raise ValueError(f"the model is already built for inputs of shape {self.input_shape}")
        shape = tuple(positive_integer("input_shape", size) for size in np.atleast_1d(input_shape).tolist())
        every = self._every_layer()
        for layer in every:
            if layer.output_shape is not None:
                raise ValueError(f"{layer!r} already belongs to another model; make a new layer")
        given, random_state = shape, self.rng.bit_generator.state
        try:
            for layer in self.layers:
                layer.output_shape = shape = layer.build(shape, self.rng, self.dtype)
        except ValueError:  # the input does not fit: leave everything as it was, for another try with a better one
            self.rng.bit_generator.state = random_state
            for layer in every:
                layer.reset()
            raise
        self.input_shape, self.output_shape = given, shape
        self.flat = FlatParameters(every, self.dtype)
        self.params, self.grads = self.flat.params, self.flat.grads
        with_parameters = [i for i, layer in enumerate(self.layers) if any(part.params for part in layer.walk())]
        self._first_trained = min(with_parameters, default=0)  # nothing before it has anything to learn
        return self

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return the output for a batch; `training` switches dropout and batch statistics on. Nothing is checked."""
        for layer in self.layers:
            x = layer.forward(x, training)
        return x

    def backward(self, dy: Array) -> Array:
        """Fill `grads` with ∂L/∂parameters from dy = ∂L/∂output of the last `forward`; return ∂L/∂input."""
        self.layers[self._first_trained].skip_dx = False
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy

    def objective(self, loss: "str | losses.Loss") -> losses.Loss:
        """Return the loss fused with the last activation where `losses.FUSED` has the pair, else the loss itself."""
        loss = losses.get(loss)
        activation = getattr(self.layers[-1], "activation", None)
        return losses.FUSED.get((activation.name, loss.name), loss) if activation else loss

    def compute_gradients(self, x: Array, y: Array, objective: losses.Loss, weight: Array | None = None) -> Array:
        """Fill `grads` for one batch, forward and backward; return what `objective.value` takes (z or a).

        No parameter is changed: that is the optimizer's step. Running statistics do move, as in any training batch.
        """
        a = self.forward(x, training=True)
        self.layers[self._first_trained].skip_dx = True
        self._backward_from(objective, a, y, weight, self._first_trained)
        return self.layers[-1].z if objective.on_z else a

    def _backward_from(self, objective, a, y, weight=None, first=0):
        """Run backward from the gradient of `objective` down to layer `first`; return that layer's dx."""
        dy = objective.grad(a, y, weight)
        *rest, last = self.layers[first:]
        dy = last.backward_z(dy) if objective.on_z else last.backward(dy)
        for layer in reversed(rest):
            dy = layer.backward(dy)
        return dy

    # -- training -----------------------------------------------------------------------------------------------------

    def fit(
        self,
        X,
        y,
        *,
        loss=None,
        optimizer=None,
        epochs=1,
        batch_size=32,
        validation_data=None,
        metrics=(),
        sample_weight=None,
        class_weight=None,
        callbacks=(),
        shuffle=True,
        verbose=0,
    ) -> History:
        """Train: for each epoch, for each batch of the shuffled rows, one forward, one backward, one step.

        Parameters
        ----------
        X : array (rows, ...)
            Inputs: (rows, features), sequences (rows, time, features) or images (rows, height, width, channels).
        y : array (rows, outputs)
            Targets, of the shape of the model's output; classes one-hot. (rows,) is refused, not broadcast.
        loss : str or losses.Loss
            Required the first time; later calls use the same one unless told otherwise.
        optimizer : Optimizer or str
            Required the first time. The same object again (or none) goes on from its state; another one starts afresh.
        epochs, batch_size : int
            How often all rows are seen, and rows per step (the last batch of an epoch may be smaller).
        validation_data : (X, y), optional
            Scored after each epoch, under names that begin with "val_"; nothing is learned from it.
        metrics : list of str or functions (y_pred, y_true) -> float
            Scored over all rows after each epoch; for the training rows from the predictions made while learning.
        sample_weight : array (rows,), optional
            Factor of each row's loss.
        class_weight : dict of class number to float, optional
            Factor of the loss of each row of that class.
        callbacks : list of Callback
            See `callbacks`.
        shuffle : bool
            New order of the rows in each epoch.
        verbose : int
            1 shows a progress bar.

        Returns
        -------
        History
            Of this call.

        Warns
        -----
        DivergenceWarning
            Where loss or weights became NaN or infinite: training stops, the best weights so far are put back.
        """
        epochs, batch_size = positive_integer("epochs", epochs), positive_integer("batch_size", batch_size)
        X = self._as_input("X", X)
        y = self._as_target("y", y, len(X))
        validation = self._as_validation(validation_data)
        weight = self._row_weights(y, sample_weight, class_weight)
        self._settle(loss, optimizer, metrics, y, self)
        if validation:
            losses.check_targets(self.loss, validation[1], "validation y")
        callbacks = [*callbacks, *([Progress()] if verbose else [])]
        objective, history, n = self.objective(self.loss), History(), len(X)
        outputs = np.empty((n, *self.output_shape), self.dtype)
        initial = best = (self.epoch, self.get_weights())
        best_score = np.inf
        self.stop_training = False
        begun: list[Callback] = []
        try:
            for callback in callbacks:
                callback.on_train_begin(self, epochs)
                begun.append(callback)
            for _ in range(epochs):
                logs = {"learning_rate": self.optimizer.rate()}
                order = self.rng.permutation(n) if shuffle else slice(None)
                X_epoch, y_epoch, weight_epoch = X[order], y[order], None if weight is None else weight[order]
                # Overflow is not an error in the middle of an epoch: it is looked for, once, at the end.
                with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                    for start in range(0, n, batch_size):
                        rows = slice(start, start + batch_size)
                        w = None if weight is None else weight_epoch[rows]
                        outputs[rows] = self.compute_gradients(X_epoch[rows], y_epoch[rows], objective, w)
                        self.optimizer.step(self.params, self.grads)
                    self.epoch += 1
                    logs = {**self._scores(outputs, y_epoch, objective, weight_epoch), **logs}
                    if validation:
                        scores = self._scores(self._outputs(validation[0], objective), validation[1], objective)
                        logs |= {f"val_{name}": value for name, value in scores.items()}
                history.record(logs)
                score = logs.get("val_loss", logs["loss"])
                diverged = not (np.isfinite(logs["loss"] + score) and self._weights_are_finite())
                if diverged:
                    with np.errstate(all="ignore"):
                        bad = np.flatnonzero(~np.isfinite(objective.rows(outputs, y_epoch)))
                    step = (bad[0] if len(bad) else n - 1) // batch_size + 1
                    self._recover(step, [initial, best], lambda: self._loss_of_rows(X, y, objective, weight))
                elif score < best_score:
                    best_score, best = score, (self.epoch, self.get_weights())
                for callback in callbacks:
                    callback.on_epoch_end(self, self.epoch, logs)
                if diverged or self.stop_training:
                    break
        finally:
            for callback in begun:
                callback.on_train_end(self)
        return history

    def train_on_batch(self, x, y, *, loss=None, optimizer=None, through: "Sequential | None" = None) -> float:
        """One step on one batch, exactly as given; return the loss before the step.

        Parameters
        ----------
        loss, optimizer
            As in `fit`: required the first time. Make the optimizer once, before the loop, and pass that object; a name
            is refused, because at each step it would mean a new optimizer without memory.
        through : Sequential, optional
            A model after this one, held fixed: the loss compares `through(self(x))` with y, its gradient passes
            through `through`, and only this model is updated. That is a generator's step against its discriminator.
            Of `through`, weights and running statistics stay as they are; its `grads` are overwritten.
        """
        if isinstance(optimizer, str):
            raise ValueError(f"optimizer must be an optimizer object, made once before the loop; got {optimizer!r}")
        x = self._as_input("x", x)
        judge = self if through is None else through
        if through is not None:
            through._follow(self)
        y = judge._as_target("y", y, len(x))
        self._settle(loss, optimizer, self.metrics, y, judge)
        objective = judge.objective(self.loss)
        if through is None:
            output = self.compute_gradients(x, y, objective)
        else:
            kept = through.get_weights()
            a = through.forward(self.forward(x, training=True), training=True)
            output = through.layers[-1].z if objective.on_z else a
            through.layers[through._first_trained].skip_dx = False
            self.backward(through._backward_from(objective, a, y))
            through.set_weights(kept)  # its running statistics have moved
        self.optimizer.step(self.params, self.grads)
        return objective.value(output, y)

    def _follow(self, first: "Sequential") -> None:
        """Check that this model can take the output of `first`; build it if need be."""
        if self.dtype != first.dtype:
            raise ValueError(f"through must have the dtype of the model, {first.dtype.name}; got {self.dtype.name}")
        if self.params is None:
            self.build(first.output_shape)
        if self.input_shape != first.output_shape:
            raise ValueError(
                f"through must take inputs of shape {first.output_shape}, the model's output; got {self.input_shape}"
            )

    def _settle(self, loss, optimizer, wanted, y, judge: "Sequential") -> None:
        """Fix loss, optimizer and metrics for this training; an optimizer that is new here starts from nothing.

        `judge` is the model whose output the loss compares with y: this one, or the one that it is trained through.
        """
        self.loss = losses.get(loss if loss is not None or self.loss is None else self.loss)
        losses.check_targets(self.loss, y)
        losses.check_output(self.loss, getattr(judge.layers[-1], "activation", None))
        self.metrics = [metrics.get(metric) for metric in wanted] if not isinstance(wanted, str) else None
        if self.metrics is None:
            raise ValueError(f"metrics must be a list; got {wanted!r}; use [{wanted!r}]")
        if optimizer is None and self.optimizer is None:
            raise ValueError(f"optimizer must be one of {', '.join(optimizers.OPTIMIZERS)}; got None")
        if optimizer is not None and optimizer is not self.optimizer:
            optimizer = optimizers.get(optimizer)
            if optimizer.state or optimizer.t:
                raise ValueError(f"this {type(optimizer).__name__} object already trains another model; make a new one")
            optimizer.init(len(self.params), self.dtype, self.flat.decayed)
            self.optimizer = optimizer

    def _weights_are_finite(self) -> bool:
        return np.isfinite(self.params).all() and all(np.isfinite(buffer).all() for _, buffer in self._buffers())

    def _recover(self, step, candidates, score) -> None:
        """Put the better of the weights back, empty the optimizer's memory and say where the numbers blew up."""

        def loss(candidate):
            self.set_weights(candidate[1])
            return value if np.isfinite(value := score()) else np.inf

        # Scored anew: the loss of an epoch is measured while its weights still move, and the last step may have been
        # the one that went too far.
        best_epoch, best_weights = min(candidates, key=loss)
        self.set_weights(best_weights)
        learning_rate = self.optimizer.rate()
        self.optimizer.init(len(self.params), self.dtype, self.flat.decayed)
        warnings.warn(
            f"the loss or a weight became NaN or infinite in epoch {self.epoch}, step {step}: training stopped; the "
            f"weights are those after epoch {best_epoch}. A smaller learning rate (now {learning_rate:g}), "
            "scaled inputs and targets, or clip_norm may help.",
            DivergenceWarning,
            stacklevel=3,
        )

    # -- using a model ------------------------------------------------------------------------------------------------

    def predict(self, X) -> Array:
        """Return the outputs for all rows of X, with dropout off and running statistics on."""
        return self._outputs(self._as_input("X", X), None)

    def evaluate(self, X, y, *, loss=None, metrics=None) -> dict[str, float]:
        """Return {"loss": ..., metric: ...} over all rows at once; loss and metrics default to those of `fit`."""
        X = self._as_input("X", X)
        y = self._as_target("y", y, len(X))
        if loss is None and self.loss is None:
            raise ValueError(f"loss must be one of {', '.join(losses.LOSSES)}; got None and no earlier fit")
        loss = losses.get(self.loss if loss is None else loss)
        losses.check_targets(loss, y)
        objective = self.objective(loss)
        return self._scores(self._outputs(X, objective), y, objective, wanted=metrics)

    def _outputs(self, X: Array, objective: losses.Loss | None) -> Array:
        """Return what `objective.value` takes (z or a; a for None) for all rows, in pieces that fit the caches."""
        pieces, rows = [], min(1024, max(16, 2**16 // prod(self.input_shape)))
        for start in range(0, len(X), rows):
            a = self.forward(X[start : start + rows], training=False)
            pieces.append(self.layers[-1].z if objective is not None and objective.on_z else a)
        return np.concatenate(pieces)

    def _loss_of_rows(self, X, y, objective, weight) -> float:
        with np.errstate(all="ignore"):
            return objective.value(self._outputs(X, objective), y, weight)

    def _scores(self, outputs, y, objective, weight=None, wanted=None) -> dict[str, float]:
        scores = {"loss": objective.value(outputs, y, weight)}
        chosen = self.metrics if wanted is None else [metrics.get(metric) for metric in wanted]
        if chosen:
            y_pred = self.layers[-1].activation.f(outputs) if objective.on_z else outputs
            scores |= {metric.__name__: metric(y_pred, y) for metric in chosen}
        return scores

    def get_weights(self) -> list[Array]:
        """Return copies of all parameters (one flat array) and of all running statistics."""
        self._require_built()
        return [self.params.copy(), *(buffer.copy() for _, buffer in self._buffers())]

    def set_weights(self, weights: list[Array]) -> None:
        """Put back what `get_weights` returned."""
        self._require_built()
        targets = [self.params, *(buffer for _, buffer in self._buffers())]
        if [np.shape(w) for w in weights] != [t.shape for t in targets]:
            raise ValueError(
                f"weights must have shapes {[t.shape for t in targets]}; got {[np.shape(w) for w in weights]}"
            )
        for target, values in zip(targets, weights, strict=True):
            target[...] = values

    def _buffers(self) -> list[tuple[str, Array]]:
        return [
            (f"layer{i}_{name}", buffer)
            for i, layer in enumerate(self._every_layer())
            for name, buffer in layer.buffers.items()
        ]

    def parameter_counts(self) -> tuple[int, int]:
        """Return how many numbers are trained by gradients, and how many are kept besides (running statistics)."""
        self._require_built()
        return self.params.size, sum(buffer.size for _, buffer in self._buffers())

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

    # -- files --------------------------------------------------------------------------------------------------------

    def save(self, path) -> None:
        """Write everything needed to go on as if never stopped to one .npz file, whole or not at all.

        Layers, weights, running statistics, the optimizer with its state, loss, epoch, and the state of the random
        generator. The loss and activations are stored by name; a function of your own must be in its registry
        (`activations.ACTIVATIONS`, `losses.LOSSES`) when the file is loaded. Metrics of your own and callbacks are not
        stored.
        """
        self._require_built()
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

    # -- checks at the door -------------------------------------------------------------------------------------------

    def _require_built(self) -> None:
        if self.params is None:
            raise ValueError("the model has no parameters yet; call build(input_shape) or fit first")

    def _as_input(self, name: str, x) -> Array:
        """Return x as rows of this model's dtype; builds the model at first sight of an input."""
        x = as_rows(name, x, self.dtype)
        if self.params is None:
            self.build(x.shape[1:])
        if x.shape[1:] != self.input_shape:
            raise ValueError(f"{name} must have shape (rows, {_inside(self.input_shape)}); got {x.shape}")
        return x

    def _as_target(self, name: str, y, rows: int) -> Array:
        y = as_rows(name, y, self.dtype)
        if y.shape != (rows, *self.output_shape):
            raise ValueError(f"{name} must have shape ({rows}, {_inside(self.output_shape)}); got {y.shape}")
        return y

    def _as_validation(self, data):
        if data is None:
            return None
        if not isinstance(data, tuple | list) or len(data) != 2:
            raise ValueError(f"validation_data must be a pair (X, y); got {type(data).__name__}")
        X = self._as_input("validation X", data[0])
        return X, self._as_target("validation y", data[1], len(X))

    def _row_weights(self, y, sample_weight, class_weight) -> Array | None:
        """Return one factor per row, or None where all are 1."""
        if sample_weight is None and class_weight is None:
            return None
        weight = np.ones(len(y), self.dtype)
        if sample_weight is not None:
            given = np.asarray(sample_weight, self.dtype)
            if given.shape != weight.shape or not (np.isfinite(given) & (given >= 0)).all():
                raise ValueError(
                    f"sample_weight must hold {len(y)} finite numbers >= 0, one per row; got shape {given.shape}"
                )
            weight *= given
        if class_weight is not None:
            if y.ndim != 2 or not np.isin(y, (0, 1)).all():
                raise ValueError(f"class_weight needs y of zeros and ones, (rows, classes); got shape {y.shape}")
            row_class = metrics.classes(y)
            missing = sorted(set(row_class.tolist()) - set(class_weight))
            if missing:
                raise ValueError(f"class_weight must have a weight for every class in y; class {missing[0]} has none")
            factors = {c: number(f"class_weight[{c}]", factor, 0) for c, factor in class_weight.items()}
            weight *= np.array([factors[c] for c in row_class.tolist()], self.dtype)
        return weight


def _inside(shape: Shape) -> str:
    return ", ".join(map(str, shape))


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
