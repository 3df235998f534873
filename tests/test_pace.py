"""A page is one question: half an hour to read at most, half an hour of exercises at most, and says so truly."""

import re

import pytest

from tools import notebooks, pace

PAGES = [path for path in notebooks.notebooks() if re.match(r"\d", path.parent.name)]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_page_is_read_in_half_an_hour_and_says_how_long_it_takes(path):
    notebook = notebooks.load(path)
    reading, exercises = pace.minutes(notebook)
    assert reading <= pace.LIMIT, pace.sections(notebook)
    assert exercises <= pace.LIMIT
    assert pace.stated(notebook) == (pace.rounded(reading), pace.rounded(exercises))


def markdown(text):
    return {"cell_type": "markdown", "source": text, "metadata": {}}


def code(text, *tags):
    return {"cell_type": "code", "source": text, "metadata": {"tags": list(tags)}}


def test_minutes_are_counted_from_words_formulas_code_and_sliders():
    words = " ".join(["word"] * 100)
    assert pace.text_minutes(words) == 1
    assert pace.text_minutes(f"{words} $x_1$ and $$y$$") == pytest.approx(1 + 1 / 100 + 1 / 30 + 1 / 4)
    assert pace.text_minutes("```{math}\nx y z\n```") == 1 / 4
    assert pace.text_minutes("{term}`one two <three four>` {doc}`five`") == 3 / 100
    assert pace.text_minutes(f"<details><summary>A</summary>{words}</details>") == 0
    assert pace.text_minutes(f":::{{dropdown}} What to see\n{words}\n:::\nword") == 1 / 100
    assert pace.code_minutes(code("a = 1\n\n# why\nb = 2")) == 2 / 12
    assert pace.code_minutes(code("a = 1", "hide-input")) == 0
    assert pace.code_minutes(code("a = 1", "hide-input", "slider")) == 3 / 2


def test_exercises_and_quiz_are_counted_apart():
    question = '**1.** Which?\n\n<details class="quiz"><summary>Answer</summary>\n\nlong\n\n</details>'
    page = {
        "cells": [
            markdown("# Do it\n\n*About 5 minutes to read, 30 for the\nexercises.*"),
            code("a = 1"),
            markdown("## Exercises"),
            markdown("### Exercise 1: recall"),
            code("check_a = ask.question(a=ask.number(1))", "checker"),
            code("a = ...", "exercise"),
            code("check_a(1)", "solution"),
            markdown("### Exercise 2: in code"),
            code("@exercise(f=ask.function())", "checker"),
            markdown("### Exercise 3: open"),
            code("@exercise(f=ask.function())", "checker"),
            markdown(f"## Quiz\n\n{question}"),
            markdown("## In three lines"),
        ]
    }
    found = dict((heading, minutes) for heading, *minutes in pace.sections(page))
    assert found["### Exercise 1: recall"] == [0, pytest.approx(4 + 3 / 100)]
    assert found["### Exercise 2: in code"] == [0, pytest.approx(8 + 4 / 100)]
    assert found["### Exercise 3: open"] == [0, pytest.approx(10 + 3 / 100)]
    assert found["## Quiz"] == [0, pytest.approx(1 + 3 / 100)]
    reading, exercises = pace.minutes(page)
    assert reading == pytest.approx(1 / 12 + 14 / 100)
    assert exercises == pytest.approx(23 + 14 / 100)
    assert pace.stated(page) == (5, 30)
    assert pace.rounded(exercises) == 25
    assert pace.rounded(25) == 25
