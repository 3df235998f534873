"""What a chapter defines once: a drawing function, its controls, and the words for each state."""

import html
import inspect
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .controls import Control, Position
from .drawing import describe


@dataclass(frozen=True)
class Definition:
    """An interactive figure, wherever it will be shown; `frame` draws one of its states and checks it.

    Attributes
    ----------
    draw : callable
        Returns a figure or html for the values of the controls.
    controls : tuple of Control
        What the reader can set, in the order of the arguments.
    first : tuple of int
        The state to begin with.
    alt : str, callable or None
        The words for a state: a template, a function of the values, or None to read them off the figure.
    play : str or None
        The control that runs by itself when the reader presses a button.
    """

    draw: Callable[..., Any]
    controls: tuple[Control, ...]
    first: Position
    alt: str | Callable[..., str] | None
    play: str | None

    def check_arguments(self) -> None:
        """Refuse a drawing function that does not take the controls as its arguments."""
        try:
            inspect.signature(self.draw).bind(**self.values(self.first))
        except TypeError as error:
            names = ", ".join(control.name for control in self.controls)
            raise TypeError(f"draw must accept the controls ({names}) as its arguments; got {error}") from None

    def positions(self) -> list[Position]:
        """List every state, the last control running fastest."""
        return list(itertools.product(*(range(len(control.values)) for control in self.controls)))

    def values(self, position: Position) -> dict[str, Any]:
        """Return the arguments of `draw` for a state."""
        return {control.name: control.values[i] for control, i in zip(self.controls, position, strict=True)}

    def state_text(self, position: Position) -> str:
        """Say a state in the reader's words."""
        named = zip(self.controls, position, strict=True)
        return ", ".join(f"{control.label} {control.texts[i]}" for control, i in named)

    def summary(self, alt: str | None) -> str:
        """Say what there is to set and to see, for places that show text only."""
        ranges = "; ".join(f"{control.label}: {', '.join(control.texts)}" for control in self.controls)
        return f"Interactive figure with controls {ranges}. {alt or ''}".strip()

    def frame(self, position: Position, render: Callable[[Any, str], Any]) -> tuple[Any, str | None]:
        """Draw a state; return what `render` makes of its figure (or its html as it is), and its description.

        A figure is closed once it is drawn: pyplot keeps every figure open that nobody closes, and the notebook
        would show it a second time. The drawing function may go on with it all the same.
        """
        from matplotlib import pyplot as plt
        from matplotlib.figure import Figure

        where = self.state_text(position)
        try:
            drawn = self.draw(**self.values(position))
            told = self._tell(position)
        except Exception as error:
            error.add_note(f"This happened while explore was drawing the state {where}.")
            raise
        if isinstance(drawn, np.ndarray) and drawn.size:  # a grid of axes
            drawn = drawn.flat[0]
        drawn = getattr(drawn, "figure", drawn)
        if isinstance(drawn, Figure):
            plt.close(drawn)
            told = told or describe(drawn)
            if not told:
                raise ValueError(f"alt must be given where a figure has no title and no labels ({where})")
            if self.alt is None:
                told = f"{told}. State: {where}."
            return render(drawn, told), told
        if isinstance(drawn, str) and drawn.strip():
            return _described(drawn, told, where), told
        raise TypeError(f"draw must return a matplotlib Figure or html; got {drawn!r} for {where}")

    def _tell(self, position: Position) -> str | None:
        if self.alt is None:
            return None
        if callable(self.alt):
            text = self.alt(**self.values(position))
        else:
            named = zip(self.controls, position, strict=True)
            text = self.alt.format(**{control.name: control.texts[i] for control, i in named})
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"alt must give a text for every state; got {text!r}")
        return text

    def check_different(self, looks: Mapping[Position, Any], alts: Mapping[Position, str | None]) -> None:
        """Refuse a step of a control that never changes the picture, or never the description.

        It may do so in some states: where all weights are zero, so is the output, whatever the learning rate.
        """
        for axis, control in enumerate(self.controls):
            for at, (before, after) in enumerate(itertools.pairwise(control.texts)):
                pairs = [(p, (*p[:axis], at + 1, *p[axis + 1 :])) for p in looks if p[axis] == at]
                for what, seen in (("picture", looks), ("description", alts)):
                    if seen[self.first] is not None and all(seen[one] == seen[other] for one, other in pairs):
                        raise ValueError(
                            f"every step of a control must change the {what}; "
                            f"{control.label} from {before} to {after} never does"
                        )


def _described(markup: str, alt: str | None, where: str) -> str:
    """Return the html that a drawing function made, refused where a screen reader would find nothing."""
    if re.search(r"<img(?![^>]*\balt=)", markup):
        raise ValueError(f"an <img> drawn for {where} must have alt text; got none")
    if "<svg" not in markup:
        return markup  # a table or a paragraph speaks for itself
    if not alt:
        raise ValueError(f"alt must be given when draw returns SVG, to describe {where}; got None")
    return f'<div role="img" aria-label="{html.escape(alt)}">{markup}</div>'
