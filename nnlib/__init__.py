"""A neural network library to be read in one sitting: NumPy, derivatives by hand, verified and fast.

Read the modules in this order: arrays, checks, named, initializers, activations, losses, metrics, schedules,
optimizers, layers, flat, callbacks, door, model, training, storage, sequential, gradcheck, sweep. Each imports only
those before it. `checks` and `door`, which refuse wrong arguments, are to be looked up, not read. `nnlib.course` is the
kit that the chapters need around it: tables, plots, sliders, exercises.

To see a training go through them, follow `fit` in training: for each batch, `compute_gradients` calls
every layer's `forward`, the loss's `grad` and every layer's `backward`; then the optimizer's `step` changes the
parameters.
"""

from . import activations, callbacks, gradcheck, initializers, layers, losses, metrics, optimizers, schedules
from .callbacks import Callback, CSVLogger, EarlyStopping, ModelCheckpoint, Progress, ReduceLROnPlateau
from .gradcheck import check_gradients
from .layers import (
    LSTM,
    RNN,
    Activation,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LayerNorm,
    Maxout,
    MaxPool2D,
    Residual,
    SelfAttention,
)
from .optimizers import SGD, Adagrad, Adam, RMSprop
from .sequential import Sequential, load
from .sweep import sweep
from .training import DivergenceWarning, History

__version__ = "0.1.0"
