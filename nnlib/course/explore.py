"""Sliders that need no kernel: every state is drawn when the cell runs, the browser only picks one.

A slider of `ipywidgets.interact` asks Python for each new picture, so it is dead on a page without a kernel.
`explore` turns this round. It calls the drawing function once for every combination of the controls, puts
each picture in a widget of its own, stacks them, and links the control's index to the stack's index *in the
browser* (`ipywidgets.jslink`). The same cell therefore moves in Jupyter and in the built page opened from a
USB stick, and stands still as a described figure where there is no JavaScript.
"""

import base64
import hashlib
import html
import inspect
import io
import itertools
import math
import numbers
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

CSS_PIXELS_PER_INCH = 100  # a figure of 6.4 × 4 inches takes 640 × 400 pixels of the page
SHARPNESS = 2  # image pixels per CSS pixel, so that lines are crisp on phones and high-density screens
COLOURS = 64  # a palette PNG of a line chart is a third of the size of a full-colour one and looks the same
TOGGLE_CHARACTERS = 36  # up to four words that fit side by side on a phone become buttons, more a dropdown


# --- the controls and their states --------------------------------------------------------------------------


@dataclass(frozen=True)
class Control:
    """One control: the argument it sets, what the reader sees, and the values it runs through."""

    name: str
    label: str
    values: tuple[Any, ...]
    texts: tuple[str, ...]

    @property
    def is_numeric(self) -> bool:
        """Whether the values lie on a scale, and so belong on a slider."""
        return all(_is_number(value) for value in self.values)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _number_texts(values: Sequence[float]) -> list[str]:
    """Short decimal texts that still tell the values apart: 0.001, 1e-05, −0.5."""
    for digits in range(6, 18):
        texts = [f"{value:.{digits}g}".replace("-", "−" if abs(value) >= 1e-4 else "-") for value in values]
        if len(set(texts)) == len(texts):
            break
    return texts


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    return getattr(value, "__name__", None) or str(value)


def make_control(name: str, values: Iterable | Mapping, label: str | None = None) -> Control:
    """Read one control of `explore`: a list of values, or a mapping from the text shown to the value."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"{name} must be a list of values or a mapping text -> value; got {values!r}")
    if isinstance(values, Mapping):
        texts, values = [str(text) for text in values], list(values.values())
    else:
        # NumPy scalars become Python's own, so that the drawing function and the texts see plain numbers.
        values = [
            value.item() if hasattr(value, "item") and not getattr(value, "shape", 0) else value for value in values
        ]
        texts = _number_texts(values) if values and all(map(_is_number, values)) else [_text(v) for v in values]
    if len(texts) < 2:
        raise ValueError(f"{name} must have at least two values to choose from; got {len(texts)}")
    twice = [text for text in texts if texts.count(text) > 1]
    if twice:
        raise ValueError(f"{name} must have values that differ; got {twice[0]!r} more than once")
    return Control(name, label or name.replace("_", " "), tuple(values), tuple(texts))


# --- one state becomes one picture --------------------------------------------------------------------------


def _png(figure) -> bytes:
    """Render a figure as a palette PNG at twice the size it takes on the page."""
    import matplotlib
    from PIL import Image

    buffer = io.BytesIO()
    dpi = CSS_PIXELS_PER_INCH * SHARPNESS
    # A "tight" box would give each state another size, and the page would jump under the slider.
    with matplotlib.rc_context({"savefig.bbox": "standard"}):
        figure.savefig(buffer, format="rgba", dpi=dpi)
    pixels = buffer.getvalue()
    # 4.6 × 200 is 919.99… here and 920 in matplotlib: take the neighbouring size that fits the number of pixels
    nearest = [(math.floor(inches * dpi), math.ceil(inches * dpi)) for inches in figure.get_size_inches()]
    size = next(size for size in itertools.product(*nearest) if 4 * math.prod(size) == len(pixels))
    image = Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1)
    opaque = Image.new("RGB", image.size, "white")
    opaque.paste(image, mask=image.getchannel("A"))
    packed = io.BytesIO()
    # octree palettes compress a third better than median cuts, in half the time
    palette = opaque.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette.save(packed, format="PNG", optimize=True)
    return packed.getvalue()


def _svg(figure) -> bytes:
    """Render a figure as SVG, byte for byte the same on every run."""
    import matplotlib

    buffer = io.BytesIO()
    settings = {"savefig.bbox": "standard", "svg.hashsalt": "nnlib", "svg.fonttype": "path"}
    with matplotlib.rc_context(settings):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _img(figure, alt: str, picture_format: str) -> str:
    """Return `<img>` with the figure inside, its size on the page, and the text that describes it."""
    if figure.get_layout_engine() is None:
        # Notebooks crop and widen each figure to what is in it; with a fixed size its labels would be cut off.
        figure.set_layout_engine("constrained")
    data = _svg(figure) if picture_format == "svg" else _png(figure)
    mime = "svg+xml" if picture_format == "svg" else "png"
    width, height = (round(inches * CSS_PIXELS_PER_INCH) for inches in figure.get_size_inches())
    # decoding="sync": otherwise the browser shows an empty box for a moment each time the slider moves
    return (
        f'<img src="data:image/{mime};base64,{base64.b64encode(data).decode()}" alt="{html.escape(alt)}"'
        f' width="{width}" height="{height}" decoding="sync" style="max-width:100%;height:auto">'
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


def describe(figure) -> str:
    """Say what a figure shows, from its titles, axis labels and legends; empty where it has none."""
    parts = [figure.get_suptitle()] if figure.get_suptitle() else []
    for axes in figure.axes:
        x, y = axes.get_xlabel(), axes.get_ylabel()
        against = f"{y} against {x}" if x and y else y or x
        legend = axes.get_legend()
        lines = ", ".join(text.get_text() for text in legend.get_texts()) if legend else ""
        about = ": ".join(part for part in (axes.get_title(), against) if part)
        if about or lines:
            parts.append(about + (f" ({lines})" if lines else ""))
    return " ".join("; ".join(parts).replace("$", "").split())


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
    shown = Picture(alt, _img(figure, alt, "png"), _png(figure))
    plt.close(figure)
    return shown


def _state_text(controls: Sequence[Control], position: Sequence[int]) -> str:
    return ", ".join(f"{control.label} {control.texts[i]}" for control, i in zip(controls, position, strict=True))


# --- what explore returns -----------------------------------------------------------------------------------


@dataclass(repr=False)
class Explorer:
    """Controls with every picture they can show; the last value of a cell displays it.

    Attributes
    ----------
    widget : ipywidgets.VBox
        The controls above the pictures.
    widgets : list of ipywidgets.Widget
        Everything that was made for it, for `close`.
    controls : tuple of Control
        What the reader can set, in the order of the arguments.
    alts : dict
        Position of each control -> the text that describes that state (None for html that needs none).
    size : int
        Bytes of all different pictures together, as embedded in the page.
    static : str
        The figure of the starting state with its description, for pages without JavaScript.
    summary : str
        What there is to set and to see, for places that show text only.
    png : bytes or None
        The picture of the starting state, for printed books.
    """

    widget: Any
    widgets: list
    controls: tuple[Control, ...]
    alts: dict[tuple[int, ...], str | None]
    size: int
    static: str
    summary: str
    png: bytes | None

    def __repr__(self) -> str:
        return f"Explorer({self.summary})"

    def _ipython_display_(self) -> None:
        from IPython.display import display

        data = {**self.widget._repr_mimebundle_(), "text/plain": self.summary}
        if self.png is not None:
            data["image/png"] = base64.b64encode(self.png).decode()
        display(data, raw=True)
        # A browser with JavaScript never renders what is inside <noscript>, so the figure is not there twice.
        display({"text/html": f"<noscript>{self.static}</noscript>", "text/plain": ""}, raw=True)

    def close(self) -> None:
        """Remove every widget from the kernel and from the page."""
        for widget in self.widgets:
            widget.close()


def _running_cell() -> tuple[str, str] | None:
    """Return (cell, run) where a person runs the cell in Jupyter; None in a build or a script."""
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    parent = kernel.get_parent("shell") if kernel else {}
    cell = parent.get("metadata", {}).get("cellId")
    return (cell, parent["header"]["msg_id"]) if cell else None


_shown: dict[str, tuple[str, list[Explorer]]] = {}


def _replace_earlier_run(explorer: Explorer) -> None:
    """Close what the same notebook cell made when it ran before: Jupyter keeps the state of every widget."""
    if (running := _running_cell()) is None:
        return
    cell, run = running
    earlier_run, explorers = _shown.get(cell, (run, []))
    if earlier_run != run:
        for old in explorers:
            old.close()
        explorers = []
    _shown[cell] = (run, [*explorers, explorer])


def _with_progress(positions: Sequence, patience: float = 2.0) -> Iterable:
    """Yield the positions; where someone waits longer than `patience` seconds, show how many are done.

    tqdm's notebook bar is a widget, whose state would stay in the notebook for ever; an html bar that is
    emptied at the end leaves nothing.
    """
    from IPython.display import display

    start, bar = time.monotonic(), None
    someone_waits = _running_cell() is not None
    for done, position in enumerate(positions):
        if someone_waits and time.monotonic() - start > patience:
            text = f"{done} of {len(positions)} states drawn"
            meter = f'<progress value="{done}" max="{len(positions)}"></progress>'
            data = {"text/html": f"<label>{meter} {text}</label>", "text/plain": text}
            if bar is None:
                bar = display(data, raw=True, display_id=True)
            else:
                bar.update(data, raw=True)
        yield position
    if bar is not None:
        bar.update({"text/html": "", "text/plain": ""}, raw=True)


# --- explore ------------------------------------------------------------------------------------------------


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
) -> Explorer:
    """Draw every combination of the controls, and let the reader move between them, with no kernel.

    Parameters
    ----------
    draw : callable
        Called once per state as ``draw(learning_rate=0.1, initializer="he_normal")``. Returns a matplotlib
        Figure (or Axes), or html. It may return the same figure each time with its artists updated, which is
        several times faster than a new one; `explore` closes it at the end, so it is not shown twice.
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
        A palette PNG, or SVG, which is sharper at any size but larger where there are many points.
    limit_mb : float
        The largest total of all pictures, in 10⁶ bytes. They are part of the page.
    **controls : list or mapping
        One to three arguments of `draw`, each with the values it takes. Numbers get a slider; a few short
        texts get buttons; anything else a dropdown. A mapping ``{"text shown": value}`` is for values that
        are no good to read, such as functions.

    Returns
    -------
    Explorer
        Displays itself as the last value of a cell.

    Raises
    ------
    ValueError
        For no or too many controls, a control with fewer than two or with repeated values, an unknown start,
        a state that cannot be described, or pictures larger together than `limit_mb`.
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
    first = _start_position(made, start or {})
    _check_arguments(draw, made)

    pictures, alts, png = _draw_states(draw, made, first, alt, picture_format, limit_mb)
    size = sum(len(picture) for picture in set(pictures.values()))
    widget, widgets = _build_widgets(made, first, pictures, play)
    caption = f"{_state_text(made, first)}. The other states need JavaScript."
    static = (
        f'<figure class="explore-static">{pictures[first]}'
        f"<figcaption>{html.escape(caption[0].upper() + caption[1:])}</figcaption></figure>"
    )
    ranges = "; ".join(f"{control.label}: {', '.join(control.texts)}" for control in made)
    summary = f"Interactive figure with controls {ranges}. {alts[first] or ''}".strip()
    explorer = Explorer(widget, widgets, made, alts, size, static, summary, png)
    _replace_earlier_run(explorer)
    return explorer


def _start_position(controls: Sequence[Control], start: Mapping[str, Any]) -> tuple[int, ...]:
    names = [control.name for control in controls]
    for name in start:
        if name not in names:
            raise ValueError(f"start must name controls ({', '.join(names)}); got {name!r}")
    position = []
    for control in controls:
        wanted = start.get(control.name, control.texts[0])
        for i, (value, text) in enumerate(zip(control.values, control.texts, strict=True)):
            comparable = isinstance(value, str | numbers.Real)  # arrays have no single truth to their ==
            if wanted is value or (comparable and wanted == value) or str(wanted) == text:
                position.append(i)
                break
        else:
            options = ", ".join(control.texts)
            raise ValueError(f"start of {control.name} must be one of {options}; got {wanted!r}")
    return tuple(position)


def _check_arguments(draw: Callable, controls: Sequence[Control]) -> None:
    try:
        inspect.signature(draw).bind(**{control.name: control.values[0] for control in controls})
    except TypeError as error:
        names = ", ".join(control.name for control in controls)
        raise TypeError(f"draw must accept the controls ({names}) as its arguments; got {error}") from None


def _draw_states(draw, controls, first, alt, picture_format, limit_mb):
    """Return {position: html}, {position: alt}, and the PNG of the first state where it is a figure."""
    from matplotlib import pyplot as plt
    from matplotlib.figure import Figure

    positions = list(itertools.product(*(range(len(control.values)) for control in controls)))
    pictures: dict[tuple[int, ...], str] = {}
    alts: dict[tuple[int, ...], str | None] = {}
    png, size, seen = None, 0, set()
    figure = None
    try:
        for position in _with_progress(positions):
            state = {c.name: c.values[i] for c, i in zip(controls, position, strict=True)}
            where = _state_text(controls, position)
            try:
                drawn = draw(**state)
                told = _tell(alt, state, controls, position)
            except Exception as error:
                error.add_note(f"This happened while explore was drawing the state {where}.")
                raise
            if isinstance(drawn, np.ndarray) and drawn.size:  # a grid of axes
                drawn = drawn.flat[0]
            drawn = getattr(drawn, "figure", drawn)
            if isinstance(drawn, Figure):
                if figure is not None and drawn is not figure:
                    plt.close(figure)  # pyplot keeps every figure open that nobody closes
                figure = drawn
                told = told or describe(drawn)
                if not told:
                    raise ValueError(f"alt must be given where a figure has no title and no labels ({where})")
                if alt is None:
                    told = f"{told}. State: {where}."
                pictures[position] = _img(drawn, told, picture_format)
                if position == first:
                    png = _png(drawn)
            elif isinstance(drawn, str) and drawn.strip():
                pictures[position] = _described(drawn, told, where)
            else:
                raise TypeError(f"draw must return a matplotlib Figure or html; got {drawn!r} for {where}")
            alts[position] = told
            digest = hashlib.sha256(pictures[position].encode()).digest()
            if digest not in seen:
                seen.add(digest)
                size += len(pictures[position])
            if size > limit_mb * 1e6:
                raise ValueError(
                    f"the pictures must take at most {limit_mb:g} MB together; got {size / 1e6:.1f} MB after "
                    f"{len(pictures)} of {len(positions)} states, {size / len(seen) / 1e3:.0f} KB each: "
                    "use fewer values or a smaller figure, or raise limit_mb"
                )
    finally:
        if figure is not None:
            plt.close(figure)
    return pictures, alts, png


def _tell(alt, state, controls, position) -> str | None:
    if callable(alt):
        text = alt(**state)
    elif alt is not None:
        texts = {control.name: control.texts[i] for control, i in zip(controls, position, strict=True)}
        text = alt.format(**texts)
    else:
        return None
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"alt must give a text for every state; got {text!r}")
    return text


def _build_widgets(controls, first, pictures, play):
    """Stack the pictures and link each control's index to its stacks, in the browser.

    Every widget brings a layout and a style of its own into the page; pictures and stacks share theirs.
    """
    import ipywidgets
    from ipywidgets.widgets.widget_string import HTMLStyle

    wide = ipywidgets.Layout(width="100%")
    plain = HTMLStyle()
    panels = [_panel(control, i) for control, i in zip(controls, first, strict=True)]
    frames: dict[str, Any] = {}
    made = [wide, plain]

    def frame(picture):
        if picture not in frames:  # states that look the same share one widget
            frames[picture] = ipywidgets.HTML(picture, layout=wide, style=plain)
        return frames[picture]

    def stack(position=()):
        depth = len(position)
        if depth == len(controls):
            return frame(pictures[position])
        children = [stack((*position, i)) for i in range(len(controls[depth].values))]
        pile = ipywidgets.Stack(children, selected_index=first[depth], layout=wide)
        made.extend([pile, ipywidgets.jslink((panels[depth], "index"), (pile, "selected_index"))])
        return pile

    pile = stack()
    pile.add_class("explore-frames")
    row = []
    for control, panel in zip(controls, panels, strict=True):
        if control.name == play:
            last = len(control.values) - 1
            button = ipywidgets.Play(
                value=panel.index, min=0, max=last, interval=700, show_repeat=False, layout={"width": "auto"}
            )
            made.extend([button, button.layout, button.style, ipywidgets.jslink((button, "value"), (panel, "index"))])
            row.append(button)
        row.append(panel)
    wrap = ipywidgets.Layout(display="flex", flex_flow="row wrap", align_items="center", width="100%")
    bar = ipywidgets.Box(row, layout=wrap)
    bar.add_class("explore-controls")
    widget = ipywidgets.VBox([bar, pile], layout=wide)
    widget.add_class("explore")
    for panel in panels:
        made.extend([panel, panel.layout, panel.style])
    return widget, [*made, *frames.values(), wrap, bar, widget]


def _panel(control: Control, index: int):
    """Return the ipywidgets control that suits the values."""
    import ipywidgets

    style = {"description_width": "initial"}
    choice = {"options": list(control.texts), "index": index, "description": control.label}
    if control.is_numeric:
        return ipywidgets.SelectionSlider(**choice, style=style, layout={"width": "auto", "flex": "1 1 18em"})
    if len(control.texts) <= 4 and sum(map(len, control.texts)) <= TOGGLE_CHARACTERS:
        buttons = {**style, "button_width": "initial"}
        return ipywidgets.ToggleButtons(**choice, style=buttons, layout={"width": "auto"})
    return ipywidgets.Dropdown(**choice, style=style, layout={"width": "auto"})
