"""The plans for workshops: their minutes are those of the chapters and exercises they name, and they add up."""

import re

import pytest

from tools import notebooks, pace

README = notebooks.ROOT / "workshop" / "README.md"
PLAN = re.compile(r"^#+ ([^\n]*) \((\d+) h(?: (\d+) min)?\)\n+((?:\|[^\n]*\n)+)", re.MULTILINE)
ROW = re.compile(r"^\| (\d+) \| ([^|]*) \|", re.MULTILINE)
CHAPTER = re.compile(r"\[([^\]]*)\]\(([^)]*)\)(?:, exercises? ([\d, and]+))?")


def plans(text):
    """Return {plan: (minutes stated, [(minutes, what)])}."""
    return {
        title: (60 * int(hours) + int(minutes or 0), [(int(time), what.strip()) for time, what in ROW.findall(table)])
        for title, hours, minutes, table in PLAN.findall(text)
    }


def needed(what, load=notebooks.load):
    """Return the minutes that a row asks for: the page, and the exercises that it names; None for a break or a talk."""
    named = CHAPTER.search(what)
    if not named:
        return None
    notebook = load(README.parent / named[2])
    title = notebooks.text_of(notebook["cells"][0]["source"]).partition("\n")[0].removeprefix("# ")
    assert title.partition(":")[0] == named[1], what
    reading = pace.stated(notebook)[0] if pace.stated(notebook) else pace.rounded(pace.minutes(notebook)[0])
    exercises = {heading: minutes for heading, _, minutes in pace.sections(notebook)}
    numbers = re.findall(r"\d+", named[3] or "")
    chosen = [next(m for h, m in exercises.items() if h.startswith(f"### Exercise {n}:")) for n in numbers]
    return reading + pace.rounded(sum(chosen))


def plan_faults(stated, rows, load=notebooks.load):
    """List what does not add up in a plan."""
    faults, since = [], 0
    for minutes, what in rows:
        if needed(what, load) not in (None, minutes):
            faults.append(f"{what}: {minutes} minutes, and it needs {needed(what, load)}")
        since = 0 if what.startswith(("break", "lunch")) else since + minutes
        if since > 120:
            faults.append(f"{what}: {since} minutes without a break")
    total = sum(minutes for minutes, _ in rows)
    return faults + ([f"states {stated} minutes, adds up to {total}"] if total != stated else [])


@pytest.mark.parametrize("plan", plans(README.read_text(encoding="utf-8")))
def test_plan_adds_up(plan):
    stated, rows = plans(README.read_text(encoding="utf-8"))[plan]
    assert len(rows) > 4
    assert plan_faults(stated, rows) == []


def test_there_are_plans():
    assert len(plans(README.read_text(encoding="utf-8"))) >= 4


def page(_):
    sources = ["# Do it: now\n\n*About 25 minutes to read, 10 for the exercises.*", "### Exercise 1: by hand"]
    cells = [{"cell_type": "markdown", "metadata": {}, "source": source} for source in sources]
    checker = {"cell_type": "code", "metadata": {"tags": ["checker"]}, "source": "check_a = ask.question(a=1)"}
    return {"cells": [*cells, checker]}


ROWS = [(10, "welcome"), (30, "[Do it](x.ipynb), exercise 1"), (15, "break"), (25, "[Do it](x.ipynb)")]


def test_a_plan_is_read():
    text = "## Short (1 h 20 min)\n\n| minutes | what |\n|---|---|\n| 65 | talk | x |\n| 15 | break | |\n\n## Other\n"
    assert plans(text) == {"Short": (80, [(65, "talk"), (15, "break")])}


@pytest.mark.parametrize(
    ("stated", "rows", "fault"),
    [
        (80, ROWS, None),
        (81, ROWS, "adds up to 80"),
        (75, [*ROWS[:3], (20, "[Do it](x.ipynb)")], "it needs 25"),
        (75, [ROWS[0], (25, "[Do it](x.ipynb), exercise 1"), *ROWS[2:]], "it needs 30"),
        (150, [*ROWS, (70, "talk")], None),
        (185, [*ROWS, (105, "talk")], "130 minutes without a break"),
    ],
)
def test_a_plan_that_does_not_add_up_is_found(stated, rows, fault):
    faults = plan_faults(stated, rows, load=page)
    assert len(faults) == (fault is not None)
    assert (fault or "") in " ".join(faults)
