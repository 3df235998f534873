"""Explore: one drawing function and its controls become a figure to move, wherever the chapter is read.

`controls` and `definition` say what there is to set, to see and to hear; `drawing` and `inks` turn a figure into files
for the light and the dark page. Two hosts show it: `kernel` (Jupyter, drawn when asked for) and `page` (the built book,
every state drawn and checked beforehand, no kernel needed).
"""

import base64
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .controls import Control, make_control, start_position
from .definition import Definition
from .drawing import STILL, describe, render_figure
from .kernel import KernelExplorer
from .page import THEMES, PageExplorer

__all__ = ["Control", "Picture", "describe", "explore", "make_control", "picture"]

FOR_THE_BOOK = "NNLIB_FOR_THE_BOOK"  # the environment variable that the build of the book sets to 1


def is_for_the_book() -> bool:
    """Tell whether the chapter is run for the built page."""
    return os.environ.get(FOR_THE_BOOK) == "1"


def explore(
    draw: Callable[..., Any],
    *,
    start: Mapping[str, Any] | None = None,
    alt: str | Callable[..., str] | None = None,
    labels: Mapping[str, str] | None = None,
    play: str | None = None,
    picture_format: str = "png",
    limit_mb: float = 4.0,
    **controls: Iterable | Mapping,
) -> KernelExplorer | PageExplorer:
    """Let the reader move a figure between the states of its controls, with a kernel or without.

    Parameters
    ----------
    draw : callable
        Called as ``draw(learning_rate=0.1, initializer="he_normal")``, in any order of the states. Returns a
        matplotlib Figure (or Axes), or html. It may return the same figure each time with its artists updated, which
        is several times faster than a new one.
    start : mapping, optional
        The state to begin with, by value or by text shown; other controls begin at their first value.
    alt : str or callable, optional
        Describes each state to those who cannot see it: a template such as ``"Loss with {optimizer}: …"``
        that is filled with the texts shown, or a callable that gets the same arguments as `draw` and returns
        the text. By default it is put together from title, axis labels, legend and state, which says what is
        drawn but not what is to be seen there: prefer to give one.
    labels : mapping, optional
        Argument -> what the reader sees in its place (default: ``learning_rate`` becomes "learning rate").
        LaTeX is not typeset in controls; use Unicode: ``{"learning_rate": "learning rate η"}``.
    play : str, optional
        The control, usually "step", that gets a play button.
    picture_format : {"png", "svg"}
        A picture of pixels in few colours, or SVG, which is sharper at any size but larger where there are many points.
    limit_mb : float
        The largest total of all pictures on the built page, in 10⁶ bytes.
    **controls : list or mapping
        One to three arguments of `draw`, each with the values it takes. Numbers get a slider; a few short
        texts get buttons; anything else a menu. A mapping ``{"text shown": value}`` is for values that
        are no good to read, such as functions.

    Returns
    -------
    KernelExplorer or PageExplorer
        Displays itself as the last value of a cell.

    Raises
    ------
    ValueError
        For no or too many controls, a control with fewer than two or with repeated values, an unknown start, or a state
        that cannot be described. On the built page also for a step that changes nothing and for pictures that are too
        large.
    TypeError
        If `draw` does not take these arguments or returns something else than a figure or html.
    """
    labels = dict(labels or {})
    made = tuple(make_control(name, values, labels.pop(name, None)) for name, values in controls.items())
    if not 1 <= len(made) <= 3:
        raise ValueError(f"explore must have one to three controls, such as step=[0, 1, 2]; got {len(made)}")
    if labels:
        raise ValueError(f"labels must name controls ({', '.join(controls)}); got {', '.join(labels)}")
    if play is not None and play not in controls:
        raise ValueError(f"play must name a control ({', '.join(controls)}); got {play!r}")
    if picture_format not in ("png", "svg"):
        raise ValueError(f"picture_format must be 'png' or 'svg'; got {picture_format!r}")
    definition = Definition(draw, made, start_position(made, start or {}), alt, play)
    definition.check_arguments()
    if is_for_the_book():
        return PageExplorer(definition, picture_format, limit_mb)
    return KernelExplorer(definition, picture_format)


@dataclass(frozen=True)
class Picture:
    """A figure with the text that describes it: what `picture` returns."""

    alt: str
    markup: str
    png: bytes

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        png = base64.b64encode(self.png).decode()
        return {"text/html": self.markup, "image/png": png, "text/plain": self.alt}


def picture(figure, alt: str) -> Picture:
    """Show a figure that does not move as `explore` shows those that do: sharp, small, and described.

    Parameters
    ----------
    figure : matplotlib Figure or Axes
        It is closed, so that the notebook does not show it a second time without description.
    alt : str
        What is to be seen, for those who cannot see it.
    """
    from matplotlib import pyplot as plt

    figure = getattr(figure, "figure", figure)
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"alt must be a text that describes the figure; got {alt!r}")
    settings = (THEMES, "webp") if is_for_the_book() else ()
    drawing = render_figure(figure, *settings, light_enough=STILL)
    plt.close(figure)
    markup = drawing.img(alt)
    if is_for_the_book():
        markup = f'<div class="explore-picture">{markup}</div>'
    return Picture(alt, markup, drawing.png)
