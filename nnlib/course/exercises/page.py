"""On the built page: a form for what the page can judge by itself, and a line on how to run what only Python can.

The page's script (assets/exercises.js) judges by the data beside the form, which is what `Check.question` returns: each
right value, each hint and each sentence is written once, in the chapter.
"""

import hashlib
import html
import json

IN_CODE = (
    "This one is answered in code: <code>make lab</code> opens JupyterLab; in this chapter, write your answer in place "
    "of the three dots and run the two cells above."
)


def place_to_answer(check):
    """Return the html of an exercise that is not answered yet."""
    question = check.question()
    return _in_code(check.__name__) if question is None else _form(question)


def _in_code(name):
    return (
        f'<div class="answer answer-in-code" data-exercise="{html.escape(name)}"><p>{IN_CODE}</p>'
        '<label><input type="checkbox" autocomplete="off"> I have done it</label></div>'
    )


def _form(question):
    parts = question["parts"]
    # an exercise that asks for something else is another one, and what was answered to the old one is forgotten
    asked = json.dumps([[part["name"], part["type"]] for part in parts] + [question["right"]])
    name = f"answer-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"
    data = {
        "parts": [{key: value for key, value in part.items() if key not in ("name", "asked")} for part in parts],
        "together": question["together"],
        "says": {"right": question["says"]["right"], "unanswered": "… Not answered yet."},
    }
    inputs = "".join(_part(part, f"{name}-{number}", f"{name}-asked") for number, part in enumerate(parts))
    # inside <script> only its own end tag ends it
    script = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return (
        f'<form class="answer" data-exercise="{name}" novalidate><p id="{name}-asked">{_asked(parts)}</p>'
        f'<div class="answer-parts">{inputs}<button type="submit">Check</button></div>'
        f'<p class="answer-verdict" aria-live="polite"></p><script type="application/json">{script}</script></form>'
    )


def _asked(parts):
    """Say in one line what is asked for; parts of which the same is asked share the words."""
    names = {}
    for part in parts:
        names.setdefault(part["asked"], []).append(f"<code>{html.escape(part['name'])}</code>")
    if len(names) == 1:
        (words,) = names
        return f"{words[0].upper()}{words[1:]}{', each' if len(parts) > 1 else ''}."
    return "; ".join(f"{', '.join(called)}: {words}" for words, called in names.items()) + "."


def _part(part, name, asked):
    label = f"<code>{html.escape(part['name'])}</code>"
    if part["type"] in ("multiple_choice", "many_choice"):
        kind = "radio" if part["type"] == "multiple_choice" else "checkbox"
        options = "".join(
            f'<label><input type="{kind}" name="{name}" value="{option}" autocomplete="off">'
            f"<span>{option}</span></label>"
            for option in (html.escape(answer["answer"]) for answer in part["answers"])
        )
        return (
            f'<fieldset class="answer-part explore-buttons" aria-describedby="{asked}"><legend>{label}</legend>'
            f"{options}</fieldset>"
        )
    wide = ' class="answer-wide"' if part["type"] == "numbers" else ""
    keys = ' inputmode="decimal"' if _is_count(part) else ""
    return (
        f'<div class="answer-part"><label for="{name}">{label}</label><input type="text" id="{name}"{wide}{keys} '
        f'aria-describedby="{asked}" autocomplete="off" autocapitalize="off" spellcheck="false"></div>'
    )


def _is_count(part):
    """Tell whether a phone may show its keys for figures alone: some of them have no minus, no slash and no point."""
    ends = [end for answer in part["answers"] for end in answer.get("range", []) if end is not None]
    return part["asked"] == "a whole number" and min(ends) >= 0
