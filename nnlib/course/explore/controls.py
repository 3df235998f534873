"""The controls of an interactive figure: which argument each sets, its values, and the texts that the reader sees."""

import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TOGGLE_CHARACTERS = 36  # up to four words that fit side by side on a phone become buttons, more a dropdown

Position = tuple[int, ...]  # which value each control is at: a state of the figure


@dataclass(frozen=True)
class Control:
    """One control: the argument it sets, what the reader sees, and the values it runs through."""

    name: str
    label: str
    values: tuple[Any, ...]
    texts: tuple[str, ...]

    @property
    def kind(self) -> str:
        """What suits the values: a slider for numbers, buttons for a few short texts, else a menu."""
        if all(_is_number(value) for value in self.values):
            return "slider"
        short = len(self.texts) <= 4 and sum(map(len, self.texts)) <= TOGGLE_CHARACTERS
        return "buttons" if short else "menu"


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


def start_position(controls: Sequence[Control], start: Mapping[str, Any]) -> Position:
    """Find the state to begin with, by value or by text shown; other controls begin at their first value."""
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
