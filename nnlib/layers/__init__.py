"""The building blocks of a model, one file per idea; `LAYERS` is the list of all of them by name.

Read base first, then dense, norm, compose, conv, recurrent and attention.
"""

from .attention import SelfAttention
from .base import Layer
from .compose import Flatten, Residual
from .conv import Conv2D, MaxPool2D
from .dense import Activation, Dense, Maxout
from .norm import BatchNorm, Dropout, LayerNorm
from .recurrent import LSTM, RNN

LAYERS: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (
        *(Dense, Activation, Maxout),
        *(BatchNorm, LayerNorm, Dropout),
        *(Flatten, Residual),
        *(Conv2D, MaxPool2D),
        *(RNN, LSTM),
        SelfAttention,
    )
}

__all__ = ["LAYERS", "LSTM", "RNN", "Activation", "BatchNorm", "Conv2D", "Dense", "Dropout", "Flatten", "Layer"]
__all__ += ["LayerNorm", "MaxPool2D", "Maxout", "Residual", "SelfAttention"]
