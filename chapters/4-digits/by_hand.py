"""The network for the digits, written by hand: one hidden layer and softmax in NumPy, and what trains it.

The pages "Write the network" and "Train the network" build it method by method; later pages import it from here.
"""

import numpy as np


def sigmoid(z):
    """Return 1/(1 + e⁻ᶻ), written as (1 + tanh(z/2))/2, which overflows nowhere."""
    return 0.5 * (1 + np.tanh(0.5 * z))


def log_softmax(z):
    """Return the logarithms of softmax, row by row: z - ln Σ eᶻ, with the largest z taken off first.

    Parameters
    ----------
    z : array (n, classes)

    Returns
    -------
    array (n, classes)
    """
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


# An activation is a pair: f(z), and its slope f'(z) as a function of the *output* a = f(z).
SIGMOID = (sigmoid, lambda a: a * (1 - a))


def standard_normal(fan_in, fan_out, rng):
    """Draw a weight matrix (fan_in, fan_out) from the normal distribution with mean 0 and variance 1."""
    return rng.standard_normal((fan_in, fan_out))


class NeuralNetwork:
    """softmax(f(X W1 + b1) W2 + b2): one hidden layer, one probability per class.

    Parameters
    ----------
    inputs, hidden, outputs : int
        Number of inputs, of hidden units, and of classes.
    rng : numpy.random.Generator
        Draws W1, then W2; the biases begin at 0.
    activation : pair of functions
        f(z), and its slope as a function of the output a = f(z).
    initializer : function
        (fan_in, fan_out, rng) → array (fan_in, fan_out).

    Attributes
    ----------
    parameters : dict
        The arrays W1 (inputs, hidden), b1 (hidden,), W2 (hidden, outputs), b2 (outputs,). Change them in place.
    z1, a1, z2, a2 : ndarray
        What the last forward pass computed.
    """

    def __init__(
        self,
        inputs,
        hidden,
        outputs,
        rng,
        activation=SIGMOID,
        initializer=standard_normal,
    ):
        self.f, self.slope = activation
        self.parameters = {
            "W1": initializer(inputs, hidden, rng),
            "b1": np.zeros(hidden),
            "W2": initializer(hidden, outputs, rng),
            "b2": np.zeros(outputs),
        }

    def forward(self, X):
        """Return the probabilities (n, outputs) for the rows X (n, inputs), and keep z1, a1, z2 and a2."""
        W1, b1, W2, b2 = self.parameters.values()
        self.z1 = X @ W1 + b1
        self.a1 = self.f(self.z1)
        self.z2 = self.a1 @ W2 + b2
        self.a2 = np.exp(log_softmax(self.z2))
        return self.a2

    def loss(self, X, Y):
        """Return the mean over the rows of -ln(probability of the truth); Y (n, outputs) holds one 1 per row."""
        self.forward(X)
        _check_targets(Y, self.a2)
        return float(-np.sum(Y * log_softmax(self.z2)) / len(X))

    def backward(self, X, Y):
        """Return ∂loss/∂parameter under the names of the parameters, in their shapes."""
        self.forward(X)
        _check_targets(Y, self.a2)
        dz2 = (self.a2 - Y) / len(X)
        dz1 = dz2 @ self.parameters["W2"].T * self.slope(self.a1)
        return {
            "W1": X.T @ dz1,
            "b1": dz1.sum(axis=0),
            "W2": self.a1.T @ dz2,
            "b2": dz2.sum(axis=0),
        }


def _check_targets(Y, probabilities):
    """Refuse targets of another shape, which NumPy might stretch to fit."""
    if np.shape(Y) != probabilities.shape:
        raise ValueError(
            f"Y must have the shape {probabilities.shape}, one column per class; got {np.shape(Y)}"
        )


class GradientDescent:
    """parameter ← parameter - learning_rate · gradient, in place.

    Parameters
    ----------
    learning_rate : float
    """

    def __init__(self, learning_rate):
        self.learning_rate = learning_rate

    def __call__(self, parameters, gradients):
        """Take one step: change the arrays in the dict `parameters`; `gradients` has the same names."""
        for name, gradient in gradients.items():
            parameters[name] -= self.learning_rate * gradient


class Trainer:
    """Take steps, and write down the loss after each epoch.

    Parameters
    ----------
    network : NeuralNetwork
    update : function, optional
        (parameters, gradients) → None, changes the parameters in place; without it ``GradientDescent(0.1)``.
    batch_size : int, optional
        Rows per step, newly shuffled in each epoch; without it all rows, one step per epoch.
    rng : numpy.random.Generator, optional
        Shuffles the rows; needed with `batch_size`.
    patience : int, optional
        Stop after so many epochs without a lower validation loss, and go back to the parameters of the lowest.

    Attributes
    ----------
    training_losses, validation_losses : list of float
        One entry per epoch each, both taken after its last step.

    Raises
    ------
    ValueError
        For batches without `rng`, for patience without validation rows.
    """

    def __init__(
        self, network, update=None, batch_size=None, rng=None, patience=None
    ):
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size must be at least 1; got {batch_size}")
        if batch_size is not None and rng is None:
            raise ValueError(
                "batch_size needs rng, a generator to shuffle with; got None"
            )
        self.network, self.patience = network, patience
        self.update = GradientDescent(0.1) if update is None else update
        self.batch_size, self.rng = batch_size, rng
        self.training_losses, self.validation_losses = [], []

    def batches(self, n):
        """List the rows of each step of an epoch."""
        if self.batch_size is None:
            return [slice(None)]
        order = self.rng.permutation(n)
        starts = range(0, n, self.batch_size)
        return [order[i : i + self.batch_size] for i in starts]

    def train(self, X, Y, epochs, validation=None):
        """Train for `epochs` epochs, or until patience ends; return the trainer.

        Parameters
        ----------
        X : array (n, inputs)
        Y : array (n, outputs)
        epochs : int
        validation : pair of arrays, optional
            Other rows, whose loss is written down as well.
        """
        if self.patience is not None and validation is None:
            raise ValueError(
                "patience needs validation, a pair (X, Y); got None"
            )
        parameters = self.network.parameters
        lowest, since, best = np.inf, 0, None
        for _ in range(epochs):
            for rows in self.batches(len(X)):
                self.update(parameters, self.network.backward(X[rows], Y[rows]))
            self.training_losses.append(self.network.loss(X, Y))
            if validation is not None:
                self.validation_losses.append(self.network.loss(*validation))
            if self.patience is not None:
                since += 1
                if self.validation_losses[-1] < lowest:
                    lowest, since = self.validation_losses[-1], 0
                    best = {k: v.copy() for k, v in parameters.items()}
                if since >= self.patience:
                    break
        if best is not None:
            for name, kept in best.items():
                parameters[name][...] = kept
        return self
