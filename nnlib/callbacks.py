"""What happens between epochs: stop early, lower the learning rate, keep the best, log, show progress.

`fit` calls `on_train_begin(model, epochs)`, after each epoch `on_epoch_end(model, epoch, logs)`, and, whatever happens,
`on_train_end(model)`. `epoch` counts from 1; `logs` holds this epoch's numbers by name. A callback ends the training
with `model.stop_training = True`.
"""

import csv
import os

import numpy as np

from .arrays import number, one_of, positive_integer


class Callback:
    """Does nothing; subclasses override what they need."""

    def on_train_begin(self, model, epochs: int) -> None:
        """Before the first epoch of a call of `fit`."""

    def on_epoch_end(self, model, epoch: int, logs: dict[str, float]) -> None:
        """After each epoch."""

    def on_train_end(self, model) -> None:
        """After the last epoch, also where training was broken off by an error."""


class _Monitor(Callback):
    """Watches one number of the logs and knows whether it got better by more than `min_delta`."""

    def __init__(self, monitor="val_loss", mode="min", min_delta=0.0):
        self.monitor = monitor
        self.mode = mode
        self.sign = one_of("mode", mode, {"min": 1.0, "max": -1.0})
        self.min_delta = number("min_delta", min_delta, 0)

    def on_train_begin(self, model, epochs):
        self.best = np.inf  # of sign · value, so that lower is better in both modes
        self.wait = 0

    def improved(self, logs) -> bool:
        """Update `best` and `wait` (epochs since the best); NaN is never better."""
        if self.monitor not in logs:
            raise ValueError(f"monitor must be one of {', '.join(logs)}; got {self.monitor!r}")
        value = self.sign * logs[self.monitor]
        better = bool(value < self.best - self.min_delta)
        self.best, self.wait = (value, 0) if better else (self.best, self.wait + 1)
        return better


class EarlyStopping(_Monitor):
    """Stop when `monitor` has not got better by more than `min_delta` for `patience` epochs.

    Parameters
    ----------
    monitor, mode
        A name in the logs ("val_loss", "val_rmse", ...) and whether "min" or "max" is good.
    restore_best : bool
        Go back to the weights of the best epoch at the end of training, however it ended (Keras does so only where
        training was stopped early, and only on request).
    """

    def __init__(self, monitor="val_loss", patience=10, min_delta=0.0, mode="min", restore_best=True):
        super().__init__(monitor, mode, min_delta)
        self.patience = positive_integer("patience", patience)
        self.restore_best = bool(restore_best)

    def on_train_begin(self, model, epochs):
        super().on_train_begin(model, epochs)
        self.best_epoch, self.best_weights = 0, None

    def on_epoch_end(self, model, epoch, logs):
        if self.improved(logs):
            self.best_epoch = epoch
            if self.restore_best:
                self.best_weights = model.get_weights()
        elif self.wait >= self.patience:
            model.stop_training = True

    def on_train_end(self, model):
        if self.best_weights is not None:
            model.set_weights(self.best_weights)


class ReduceLROnPlateau(_Monitor):
    """η ← max(factor · η, min_learning_rate) when `monitor` has not got better for `patience` epochs."""

    def __init__(self, monitor="val_loss", factor=0.1, patience=5, min_delta=1e-4, mode="min", min_learning_rate=0.0):
        super().__init__(monitor, mode, min_delta)
        self.factor = number("factor", factor, 0, 1, open_low=True, open_high=True)
        self.patience = positive_integer("patience", patience)
        self.min_learning_rate = number("min_learning_rate", min_learning_rate, 0)

    def on_train_begin(self, model, epochs):
        super().on_train_begin(model, epochs)
        if callable(model.optimizer.learning_rate):
            raise ValueError("ReduceLROnPlateau needs a learning_rate that is a number; got a schedule")

    def on_epoch_end(self, model, epoch, logs):
        if not self.improved(logs) and self.wait >= self.patience:
            lowered = self.factor * model.optimizer.learning_rate
            model.optimizer.learning_rate = max(lowered, self.min_learning_rate)
            self.wait = 0


class ModelCheckpoint(_Monitor):
    """Save the model to `path` after each epoch, or only when `monitor` is the best so far.

    `path` may hold fields in braces: "model-{epoch:03d}-{val_rmse:.2f}.npz". Each file is written whole under another
    name and then renamed.
    """

    def __init__(self, path, monitor="val_loss", mode="min", save_best_only=True):
        super().__init__(monitor, mode)
        self.path = os.fspath(path)
        self.save_best_only = bool(save_best_only)
        self.last_path = None

    def on_epoch_end(self, model, epoch, logs):
        if not self.save_best_only or self.improved(logs):
            try:
                path = self.path.format(epoch=epoch, **logs)
            except (KeyError, IndexError) as error:
                raise ValueError(f"path may name epoch, {', '.join(logs)}; got {self.path!r}") from error
            model.save(path)
            self.last_path = path


class CSVLogger(Callback):
    """Write one line per epoch to `path`, each on the disk before the next epoch starts; `append` continues a file."""

    def __init__(self, path, separator=",", append=False):
        self.path = os.fspath(path)
        self.separator = separator
        self.append = bool(append)
        self.file = None

    def on_train_begin(self, model, epochs):
        self.file = open(self.path, "a" if self.append else "w", newline="", encoding="utf-8")  # noqa: SIM115
        self.writer = None

    def on_epoch_end(self, model, epoch, logs):
        row = {"epoch": epoch, **logs}
        if self.writer is None:
            self.writer = csv.DictWriter(self.file, row, delimiter=self.separator)
            if self.file.tell() == 0:
                self.writer.writeheader()
            else:
                self._check_header(list(row))
        self.writer.writerow(row)
        self.file.flush()

    def _check_header(self, columns: list[str]) -> None:
        with open(self.path, newline="", encoding="utf-8") as file:
            header = next(csv.reader(file, delimiter=self.separator))
        if header != columns:
            raise ValueError(f"append needs a file with the columns {columns}; {self.path!r} has {header}")

    def on_train_end(self, model):
        if self.file is not None:
            self.file.close()
            self.file = None


class Progress(Callback):
    """A bar over the epochs with the latest numbers, or a line each where tqdm is missing; `fit(verbose=1)` adds it."""

    def on_train_begin(self, model, epochs):
        try:
            from tqdm.auto import tqdm
        except ImportError:
            self.bar = None
        else:
            # in a notebook dynamic_ncols lets the numbers wrap below the bar where the page is narrow
            self.bar = tqdm(total=epochs, unit="epoch", dynamic_ncols=True)

    def on_epoch_end(self, model, epoch, logs):
        numbers = {name: f"{value:.4g}" for name, value in logs.items()}
        if self.bar is None:
            print(f"epoch {epoch}:", ", ".join(f"{name}={number}" for name, number in numbers.items()))
        else:
            self.bar.set_postfix(numbers, refresh=False)
            self.bar.update()

    def on_train_end(self, model):
        if self.bar is not None:
            self.bar.close()
