"""With a kernel: ipywidgets above a picture that is drawn when its state is asked for, and kept."""

import base64
import html
import time
import types
from dataclasses import replace
from typing import Any

from .controls import Control, Position
from .definition import Definition
from .drawing import render_figure

SLOW = 0.2  # seconds; a figure slower than this follows the slider only when it is let go


def as_it_is_now(function: Any) -> Any:
    """Return a function of the notebook that keeps the names it uses, whatever later cells give these names to.

    A picture is drawn when the reader moves the slider, long after its cell has run; by then `axes` may be those of
    another figure. Functions that the function calls by name keep theirs, too.
    """
    if not isinstance(function, types.FunctionType):
        return function
    notebook = function.__globals__
    kept: dict[str, Any] = {"__builtins__": notebook.get("__builtins__"), "__name__": notebook.get("__name__")}

    def copy(original: types.FunctionType) -> types.FunctionType:
        copied = types.FunctionType(
            original.__code__, kept, original.__name__, original.__defaults__, original.__closure__
        )
        copied.__kwdefaults__ = original.__kwdefaults__
        copied.__dict__.update(original.__dict__)
        keep(original.__code__)
        return copied

    def keep(code: types.CodeType) -> None:
        for name in code.co_names:
            if name in notebook and name not in kept:
                value = kept[name] = notebook[name]
                if isinstance(value, types.FunctionType) and value.__globals__ is notebook:
                    kept[name] = copy(value)
        for part in code.co_consts:  # functions inside the function
            if isinstance(part, types.CodeType):
                keep(part)

    return copy(function)


class KernelExplorer:
    """Controls with the picture of the state they are at; the last value of a cell displays it.

    Attributes
    ----------
    widget : ipywidgets.VBox
        The controls above the picture.
    panels : list of ipywidgets.Widget
        The controls, in the order of the arguments.
    picture : ipywidgets.HTML
        What is seen of the state.
    """

    def __init__(self, definition: Definition, kind: str):
        import ipywidgets

        now = as_it_is_now
        self.definition = replace(definition, draw=now(definition.draw), alt=now(definition.alt))
        self.kind = kind
        self.png: bytes | None = None
        self.frames: dict[Position, str] = {}
        started = time.monotonic()
        markup, alt = self._draw(definition.first)
        self.frames[definition.first] = markup
        follows = time.monotonic() - started < SLOW
        self.summary = definition.summary(alt)
        self.panels = [_panel(c, i, follows) for c, i in zip(definition.controls, definition.first, strict=True)]
        self.picture = ipywidgets.HTML(markup)
        row = []
        for control, panel in zip(definition.controls, self.panels, strict=True):
            if control.name == definition.play:
                row.append(_play_button(control, panel))
            row.append(panel)
            panel.observe(self._move, "index")
        bar = ipywidgets.Box(row, layout={"display": "flex", "flex_flow": "row wrap", "align_items": "center"})
        self.widget = ipywidgets.VBox([bar, self.picture])
        _replace_earlier_run(self)

    def __repr__(self) -> str:
        return f"Explorer({self.summary})"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, Any]:
        bundle = {**self.widget._repr_mimebundle_(), "text/plain": self.summary}
        if self.png is not None:  # for places that show no widgets
            bundle["image/png"] = base64.b64encode(self.png).decode()
        return bundle

    def _draw(self, position: Position) -> tuple[str, str | None]:
        def render(figure, alt: str) -> str:
            drawing = render_figure(figure, kind=self.kind)
            if not self.frames and self.kind == "png":
                self.png = drawing.data[0][1]
            return drawing.img(alt)

        return self.definition.frame(position, render)

    def _move(self, _change: Any) -> None:
        position = tuple(panel.index for panel in self.panels)
        if position not in self.frames:
            try:
                self.frames[position] = self._draw(position)[0]
            except Exception as error:  # raised here it would only reach the log, and the old picture would stay
                where = self.definition.state_text(position)
                said = f"{where} cannot be drawn. {type(error).__name__}: {error}"
                self.picture.value = f"<pre>{html.escape(said)}</pre>"
                return
        self.picture.value = self.frames[position]

    def close(self) -> None:
        """Remove every widget from the kernel and from the page."""
        from ipywidgets import Widget

        def below(widget: Widget) -> list[Widget]:
            parts = [getattr(widget, name, None) for name in ("layout", "style")]
            children = [part for child in getattr(widget, "children", ()) for part in below(child)]
            return [widget, *(part for part in parts if isinstance(part, Widget)), *children]

        for widget in [*below(self.widget), *(link for panel in self.panels for link in _links_of(panel))]:
            widget.close()


def _panel(control: Control, index: int, follows: bool) -> Any:
    """Return the ipywidgets control that suits the values."""
    import ipywidgets

    style = {"description_width": "initial"}
    choice = {"options": list(control.texts), "index": index, "description": control.label}
    if control.kind == "slider":
        layout = {"width": "auto", "min_width": "22em"}
        return ipywidgets.SelectionSlider(**choice, style=style, layout=layout, continuous_update=follows)
    if control.kind == "buttons":
        return ipywidgets.ToggleButtons(**choice, style={**style, "button_width": "initial"})
    return ipywidgets.Dropdown(**choice, style=style, layout={"width": "auto"})


def _play_button(control: Control, panel: Any) -> Any:
    import ipywidgets

    last = len(control.values) - 1
    button = ipywidgets.Play(
        value=panel.index, min=0, max=last, interval=700, show_repeat=False, layout={"width": "auto"}
    )
    panel.played_by = ipywidgets.jslink((button, "value"), (panel, "index"))
    return button


def _links_of(panel: Any) -> list[Any]:
    return [panel.played_by] if hasattr(panel, "played_by") else []


def _running_cell() -> tuple[str, str] | None:
    """Return (cell, run) where a person runs the cell in Jupyter; None in a script."""
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    parent = kernel.get_parent("shell") if kernel else {}
    cell = parent.get("metadata", {}).get("cellId")
    return (cell, parent["header"]["msg_id"]) if cell else None


_shown: dict[str, tuple[str, list[KernelExplorer]]] = {}


def _replace_earlier_run(explorer: KernelExplorer) -> None:
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
