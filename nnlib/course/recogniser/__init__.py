"""A network to play with: draw a digit with mouse, finger or keyboard, and see what the network makes of it.

`drawing` holds the steps from a pen's path to 8 × 8 counts. `Recogniser` writes a figure that takes the same steps in
the reader's browser, in a notebook as on the built page: the markup, the network's numbers, some digits to begin with,
and the script (page.js) and style (page.css) that make it work. It loads nothing, so it also works from a file.
"""

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...layers import Dense
from .drawing import count_blocks, crop, normalize, rasterize, redraw, squeeze, straighten, thicken, thin, zoom

__all__ = ["Recogniser", "count_blocks", "crop", "normalize", "rasterize", "redraw", "squeeze", "straighten", "thicken",
           "thin", "zoom"]  # fmt: skip

INPUTS, CLASSES = 64, 10
KNOWN = ("linear", "relu", "sigmoid", "tanh", "softmax")  # what the script can compute
KEYS = (
    "With the keyboard, on the paper: the arrows move the pen over a grid of 8\u00a0×\u00a08, Space draws a line to "
    "where it stands, Enter lifts it, Backspace takes a line back."
)


class Recogniser:
    """A figure to draw a digit in; the last value of a cell displays it.

    Parameters
    ----------
    models : Sequential, or mapping of str to Sequential
        Built for 64 inputs, the counts of an 8 × 8 picture divided by 16, row by row; of `Dense` layers that end in
        linear, relu, sigmoid or tanh, and the last one in a softmax over ten digits. Their numbers are taken as they
        are now, as float32. Of several, the reader chooses by what the mapping calls them; the first answers first.
    examples : mapping of str to array, optional
        Digits to look at before drawing one: what the menu says, and 64 numbers from 0 to 1 (of any shape). The first
        is shown at the start; without JavaScript, and in print, it is all there is.

    Raises
    ------
    ValueError
        If the script could not compute a model, one of its numbers is not finite, or an example is no picture.
    """

    def __init__(self, models, examples=None):
        models = dict(models) if isinstance(models, Mapping) else {"network": models}
        if not models:
            raise ValueError("models must hold at least one network; got none")
        self.networks = {name: _layers(model) for name, model in models.items()}
        self.examples = {name: _counts(name, picture) for name, picture in dict(examples or {}).items()}
        self.shown = next(iter(self.examples.values()), np.zeros(INPUTS, int))
        self.probabilities = next(iter(models.values())).predict(self.shown[None] / 16)[0]

    def __repr__(self):
        return f"Recogniser({self.summary})"

    @property
    def summary(self):
        """What there is to see at the start, for places that show text only."""
        first = int(self.probabilities.argmax())
        name = next(iter(self.examples), "no ink")
        return f"{name}: the network says {first} with {_percent(self.probabilities[first])}"

    def _repr_html_(self):
        here = Path(__file__).parent
        style, script = ((here / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
        return f"<style>{style}</style>{self.markup()}<script>{script}</script>"

    def markup(self):
        """Return the html of the figure, without style and script."""
        data = {
            "networks": list(self.networks.values()),
            "examples": [{"name": name, "counts": counts.tolist()} for name, counts in self.examples.items()],
        }
        # inside <script> only its own end tag ends it
        written = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
        group = f"recogniser-{hashlib.sha256(written.encode()).hexdigest()[:8]}"
        several = "" if len(self.networks) > 1 else " hidden"
        return (
            f'<figure class="recogniser" aria-label="Draw a digit">'
            f'<div class="recogniser-controls"><span><label for="{group}-menu">Show</label> '
            f'<select class="recogniser-menu" id="{group}-menu" autocomplete="off">'
            f'<option value="-1">your drawing</option>{_options(self.examples)}</select></span>'
            f'<span{several}><label for="{group}-networks">Network</label> '
            f'<select class="recogniser-networks" id="{group}-networks" autocomplete="off">'
            f"{_options(self.networks)}</select></span>"
            '<button type="button" class="recogniser-undo">Undo</button>'
            '<button type="button" class="recogniser-clear">Clear</button>'
            '<label><input type="checkbox" class="recogniser-fit" checked autocomplete="off"> '
            "Normalize the drawing</label></div>"
            f'<p class="recogniser-verdict">{html.escape(_sentence(self.summary))}</p>'
            '<div class="recogniser-steps"><div class="recogniser-drawing"><div class="recogniser-title">Paper</div>'
            f'<div class="recogniser-paper" role="application" tabindex="0" aria-label="Paper to draw on" '
            f'data-lm-suppress-shortcuts="true" aria-describedby="{group}-keys">'
            '<canvas class="recogniser-canvas" width="512" height="512"></canvas></div></div>'
            '<div class="recogniser-drawing" aria-hidden="true"><div class="recogniser-title">32 × 32</div>'
            '<canvas class="recogniser-bitmap" width="256" height="256"></canvas></div>'
            f"{_pixels(self.shown)}{_answer(self.probabilities)}</div>"
            f'<p class="recogniser-keys" id="{group}-keys">{KEYS}</p>'
            '<p class="recogniser-dead">To draw, you need JavaScript.</p>'
            '<p class="recogniser-said" aria-live="polite"></p>'
            f'<script type="application/json">{written}</script></figure>'
        )


def _options(names):
    return "".join(f'<option value="{i}">{html.escape(name)}</option>' for i, name in enumerate(names))


def _layers(model):
    """Return the layers of a model as the script reads them, or say why it could not compute them."""
    layers = getattr(model, "layers", None)
    if not layers or getattr(model, "flat", None) is None:
        raise ValueError(f"models must be built or trained, each a Sequential; got {model!r}")
    for number, layer in enumerate(layers, start=1):
        if type(layer) is not Dense:
            raise ValueError(f"models must consist of Dense layers; layer {number} is {layer!r}")
    if model.input_shape != (INPUTS,) or model.output_shape != (CLASSES,):
        raise ValueError(
            f"models must have {INPUTS} inputs and {CLASSES} outputs; got {model.input_shape} and {model.output_shape}"
        )
    for number, layer in enumerate(layers, start=1):
        name, last = layer.activation.name, number == len(layers)
        if name not in KNOWN or (name == "softmax") != last:
            allowed = "softmax" if last else ", ".join(KNOWN[:-1])
            raise ValueError(f"the activation of layer {number} must be {allowed}; got {name}")
    return [_layer(layer, number) for number, layer in enumerate(layers, start=1)]


def _layer(layer, number):
    W, b = layer.params["W"], layer.params["b"]
    with np.errstate(over="ignore"):
        numbers = np.concatenate([W.ravel(), b]).astype("<f4")
    if not np.isfinite(numbers).all():
        raise ValueError(f"the weights of layer {number} must be finite in float32; got {_odd(W, b)}")
    return {
        "units": layer.units,
        "activation": layer.activation.name,
        "numbers": base64.b64encode(numbers.tobytes()).decode(),
    }


def _odd(W, b):
    values = np.concatenate([W.ravel(), b])
    return values[~(np.abs(values) <= np.finfo(np.float32).max)][0]


def _counts(name, picture):
    values = np.asarray(picture, float).ravel()
    if values.size != INPUTS or not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"each example must hold {INPUTS} numbers from 0 to 1; {name!r} has not")
    counts = np.rint(16 * values).astype(int)
    if not np.allclose(16 * values, counts, atol=1e-6):
        raise ValueError(f"each example must hold sixteenths, as load_digits gives them; {name!r} has others")
    return counts


def _percent(p):
    return f"{100 * p:.1f}%"


def _sentence(words):
    return f"{words[0].upper()}{words[1:]}."


def _pixels(counts):
    """Return the 64 counts as a table that is a picture, too."""
    kinds = ["" if count <= 6 else ' class="is-middle"' if count <= 8 else ' class="is-dark"' for count in counts]
    cells = [f'<td{kind} style="--ink: {count / 16:g}">{count}</td>' for count, kind in zip(counts, kinds, strict=True)]
    rows = "".join(f"<tr>{''.join(cells[8 * i : 8 * i + 8])}</tr>" for i in range(8))
    return (
        '<div><div class="recogniser-title">64 counts</div>'
        f'<table class="recogniser-pixels" aria-label="What the network gets"><tbody>{rows}</tbody></table></div>'
    )


def _answer(probabilities):
    """Return the ten probabilities as a table with bars."""
    first = probabilities.argmax()
    rows = "".join(
        f'<tr{" class=is-first" if digit == first else ""}><th scope="row">{digit}</th>'
        f'<td aria-hidden="true"><span style="width: {100 * p:.4g}%"></span></td><td>{_percent(p)}</td></tr>'
        for digit, p in enumerate(probabilities)
    )
    return (
        '<div><div class="recogniser-title">The network</div>'
        f'<table class="recogniser-answer" aria-label="What the network says"><tbody>{rows}</tbody></table></div>'
    )
