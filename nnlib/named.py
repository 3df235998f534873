"""Functions under a name: what activations, losses and initializers have in common."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from functools import partial
from typing import Any


@dataclass(frozen=True)
class Named:
    """One or more functions under one name, by which a file or an argument may call them.

    Parameters
    ----------
    options : dict, optional
        Keyword arguments with which each of the functions is called, such as the slope of a leaky ReLU.
    doc : str, optional
        What `help` shows; by default what the first function says of itself.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict, hash=False, kw_only=True)
    doc: InitVar[str | None] = field(default=None, kw_only=True)

    def __post_init__(self, doc: str | None) -> None:
        functions = {field: value for field, value in vars(self).items() if callable(value)}
        taken = functions if not self.options else {f: partial(value, **self.options) for f, value in functions.items()}
        vars(self).update(taken, __doc__=doc or next(iter(functions.values())).__doc__)
