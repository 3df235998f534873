"""A neural network library to be read in one sitting: NumPy, derivatives by hand, verified and fast.

Read the modules in this order: arrays, initializers, activations, losses, schedules, optimizers, layers, flat,
callbacks, storage, metrics, model, gradcheck. Each imports only those before it. The rest (probe, datasets, sweep,
plots, explore, exercises) is what the chapters need around it.

To see a training go through them, follow `Sequential.fit` in model: for each batch, `compute_gradients` calls
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
)
from .model import DivergenceWarning, History, Sequential, load
from .optimizers import SGD, Adagrad, Adam, RMSprop
from .sweep import sweep

__version__ = "0.1.0"
