"""Keras as its users run it: `compile`, then `fit` on NumPy arrays, on the backend in KERAS_BACKEND."""

from time import perf_counter

import keras
import numpy as np
from keras import layers

from ..workloads import ADAM, BATCH_NORM, DROPOUT


def network(name):
    """Layers of a workload's network; Keras starts with Glorot uniform weights and zero biases by itself."""
    if name == "insurance":
        norm = lambda: layers.BatchNormalization(**BATCH_NORM)  # noqa: E731
        dense = lambda: layers.Dense(100, activation="relu")  # noqa: E731
        return [
            *(norm(), dense(), norm(), layers.Dropout(DROPOUT), dense(), norm(), layers.Dropout(DROPOUT)),
            *(dense(), norm(), layers.Dense(1)),
        ]
    if name == "digits":
        return [layers.Dense(64, activation="relu"), layers.Dense(10, activation="softmax")]
    if name == "cnn":
        return [
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    return [layers.LSTM(32, recurrent_initializer="glorot_uniform"), layers.Dense(1)]


class EpochClock(keras.callbacks.Callback):
    """Notes the time at the end of each epoch."""

    def __init__(self):
        super().__init__()
        self.times = []

    def on_epoch_end(self, epoch, logs=None):
        self.times.append(perf_counter())


class Fit:
    """`fit` with loss and metric; the first epoch of a call is not counted, because it carries the set-up."""

    def __init__(self, workload, X, y):
        keras.utils.set_random_seed(0)
        self.workload, self.X, self.y = workload, X, y
        self.steps = workload.steps(len(X))
        self.model = keras.Sequential([keras.Input(X.shape[1:]), *network(workload.network)])
        if workload.optimizer == "adam":
            optimizer = keras.optimizers.Adam(
                workload.learning_rate, beta_1=ADAM["beta1"], beta_2=ADAM["beta2"], epsilon=ADAM["epsilon"]
            )
        else:
            optimizer = keras.optimizers.SGD(workload.learning_rate)
        metric = keras.metrics.RootMeanSquaredError() if workload.metric == "rmse" else workload.metric
        self.model.compile(optimizer=optimizer, loss=workload.loss, metrics=[metric])

    def train(self, epochs):
        clock = EpochClock()
        self.model.fit(
            self.X,
            self.y,
            batch_size=self.workload.batch_size,
            epochs=epochs + 1,
            shuffle=self.steps > 1,
            verbose=0,
            callbacks=[clock],
        )
        return np.diff(clock.times).tolist()

    def predict(self, X):
        return np.asarray(self.model.predict(X, verbose=0))
