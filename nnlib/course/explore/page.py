"""On the built page: native controls, a description of each state, and pictures that the build puts into files.

What is written here works as it stands without JavaScript: the picture of the starting state, described. The page's
script (assets/explore.js) reads the list of states beside it and moves the figure. Pictures are written as data:
addresses; the build (tools/course_site.py) replaces them by those of files.
"""

import base64
import hashlib
import html
import json
from typing import Any

from .controls import Control, Position
from .definition import Definition
from .drawing import Drawing, render_figure

THEMES = ("light", "dark")
LARGEST = 25_000  # bytes of one state's picture


class PageExplorer:
    """Every state, drawn and checked; the last value of a cell displays it.

    Attributes
    ----------
    alts : dict
        State -> the text that describes it (None for html that needs none).
    looks : dict
        State -> its `Drawing`, or html.
    """

    def __init__(self, definition: Definition, kind: str, limit_mb: float):
        self.definition = definition
        self.looks: dict[Position, Drawing | str] = {}
        self.alts: dict[Position, str | None] = {}
        kind = "webp" if kind == "png" else kind
        quality = 0

        def render(figure, _alt):
            nonlocal quality
            # what was too heavy for one state is for its neighbours; nor should lines get sharper as a slider moves
            drawing = render_figure(figure, THEMES, kind, least=quality)
            quality = drawing.quality
            return drawing

        positions, sizes = definition.positions(), {}
        for position in positions:
            look, self.alts[position] = definition.frame(position, render)
            self.looks[position] = look
            sizes[look] = look.size if isinstance(look, Drawing) else len(look)
            if isinstance(look, Drawing) and look.size > LARGEST:
                raise ValueError(
                    f"a picture must take at most {LARGEST / 1e3:g} KB; got {look.size / 1e3:.0f} KB for "
                    f"{definition.state_text(position)}: use a smaller figure or draw less in it"
                )
            if sum(sizes.values()) > limit_mb * 1e6:
                raise ValueError(
                    f"the pictures must take at most {limit_mb:g} MB together; got {sum(sizes.values()) / 1e6:.1f} MB "
                    f"after {len(self.looks)} of {len(positions)} states: use fewer values or a smaller figure, "
                    "or raise limit_mb"
                )
        definition.check_different(self.looks, self.alts)

    def __repr__(self) -> str:
        return f"Explorer({self.summary})"

    @property
    def summary(self) -> str:
        """What there is to set and to see, for places that show text only."""
        return self.definition.summary(self.alts[self.definition.first])

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, Any]:
        bundle = {"text/html": self.markup(), "text/plain": self.summary}
        look = self.looks[self.definition.first]
        if isinstance(look, Drawing) and (png := look.png):  # for printed books
            bundle["image/png"] = base64.b64encode(png).decode()
        return bundle

    def markup(self) -> str:
        """Return the html of the figure: controls, the picture of the starting state, and the list of states."""
        first, controls = self.definition.first, self.definition.controls
        group = hashlib.sha256(repr((controls, self.alts, self.definition.state_text(first))).encode()).hexdigest()[:8]
        bar = "".join(
            _control(control, at, f"{group}-{number}", _play(control) if control.name == self.definition.play else "")
            for number, (control, at) in enumerate(zip(controls, first, strict=True))
        )
        look, alt = self.looks[first], self.alts[first]
        shown = look.img(alt or "") if isinstance(look, Drawing) else look
        caption = self.definition.state_text(first)
        return (
            f'<figure class="explore"><div class="explore-controls">{bar}{COPY}</div>'
            f'<div class="explore-picture">{shown}</div>'
            f'<p class="explore-said" aria-live="polite"></p>'
            f"<figcaption><span>{html.escape(caption[0].upper() + caption[1:])}</span>."
            "<noscript> The other states need JavaScript.</noscript></figcaption>"
            f'<script type="application/json">{self._states()}</script></figure>'
        )

    def _states(self) -> str:
        """Return what the script needs: the texts of each control, and for each state its picture and description."""
        looks = list(dict.fromkeys(self.looks.values()))  # states that look the same share a file
        states = {
            "texts": [control.texts for control in self.definition.controls],
            "alts": [self.alts[position] or self.definition.state_text(position) for position in self.looks],
            "shown": [looks.index(look) for look in self.looks.values()],
            "looks": [
                {theme: look.address(theme) for theme in THEMES} if isinstance(look, Drawing) else {"html": look}
                for look in looks
            ],
        }
        # inside <script> only its own end tag ends it
        return json.dumps(states, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")


COPY = (
    '<button type="button" class="explore-copy" title="Copy the address of this state">'
    '<span class="visually-hidden">Copy the address of this state</span></button>'
)


def _play(control: Control) -> str:
    label = html.escape(control.label)
    return f'<button type="button" class="explore-play" aria-label="Play {label}" data-label="{label}"></button>'


def _control(control: Control, at: int, name: str, play: str) -> str:
    """Return the native control that suits the values; `name` is its own on the page, `play` a button beside it."""
    label, key = html.escape(control.label), html.escape(control.name.replace("_", "-"))
    texts = [html.escape(text) for text in control.texts]
    if control.kind == "slider":
        widest = max(map(len, control.texts))
        return (
            f'<div class="explore-slider" data-key="{key}"><label for="{name}">{label}</label>{play}'
            f'<input type="range" id="{name}" min="0" max="{len(texts) - 1}" value="{at}" '
            f'aria-valuetext="{texts[at]}" autocomplete="off">'
            f'<span class="explore-value" style="min-width:{widest}ch" aria-hidden="true">{texts[at]}</span></div>'
        )
    if control.kind == "buttons":
        options = "".join(
            f'<label><input type="radio" name="{name}" value="{i}"{" checked" * (i == at)} autocomplete="off">'
            f"<span>{text}</span></label>"
            for i, text in enumerate(texts)
        )
        return f'<fieldset class="explore-buttons" data-key="{key}"><legend>{label}</legend>{play}{options}</fieldset>'
    options = "".join(f'<option value="{i}"{" selected" * (i == at)}>{text}</option>' for i, text in enumerate(texts))
    return (
        f'<div class="explore-menu" data-key="{key}"><label for="{name}">{label}</label>{play}'
        f'<select id="{name}" autocomplete="off">{options}</select></div>'
    )
