"""Every check of every chapter takes right answers in all their forms, and refuses near misses in a sentence."""

import contextlib
import io
import json
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from exercise_cases import CASES
from exercise_table import Chapter, table
from test_notebooks import checks_defined

from nnlib.course import exercises as ask
from tools import notebooks

CHECKS = [
    (path, name) for path in notebooks.notebooks() for name in sorted(checks_defined(notebooks.load(path)))
]  # fmt: skip
every_check = pytest.mark.parametrize(("path", "name"), CHECKS, ids=lambda part: getattr(part, "stem", part))
CHAPTERS = {}


def chapter_of(path):
    """Return a chapter, run once."""
    if path not in CHAPTERS:
        CHAPTERS[path] = Chapter(path)
    return CHAPTERS[path]


@pytest.fixture(scope="module", autouse=True)
def folders_of_chapters():
    yield
    for chapter in CHAPTERS.values():
        chapter.close()
    CHAPTERS.clear()


def state(chapter):
    """Return what must not change while answers are judged: the chapter's arrays and tables, and NumPy's generator."""
    found = {"np.random": str(np.random.get_state())}  # noqa: NPY002
    for name, value in chapter.space.items():
        if isinstance(value, np.ndarray):
            found[name] = value.tobytes()
        elif isinstance(value, pd.DataFrame | pd.Series):
            found[name] = value.to_json(date_format="iso")
    return found


def spoken(check, answers):
    """Judge an answer as a notebook would, where any warning is an error."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("error")
        return check(*answers)


def prints(answers):
    """Return what an answer holds, to see whether judging it has changed it."""
    return repr([np.asarray(answer).tolist() if isinstance(answer, np.ndarray) else answer for answer in answers])


def rows(path, name):
    chapter = chapter_of(path)
    own = CASES.get(path.stem, {}).get(name, lambda space: ([], []))
    return chapter, chapter.checks()[name], *table(chapter.checks()[name], chapter.solved[name], *own(chapter.space))


def judged(chapter, check, answers_of_rows):
    """Return (what was handed in, the verdict) for ten rows or more; neither it nor the chapter may change."""
    assert len(answers_of_rows) >= 10
    before, found = state(chapter), []
    for answers in answers_of_rows:
        held = prints(answers)
        found.append((held, spoken(check, answers)))
        assert prints(answers) == held
    assert state(chapter) == before
    return found


@every_check
def test_right_answers_are_taken_in_every_form(path, name):
    chapter, check, right, _ = rows(path, name)
    assert [f"{held}: {verdict!r}" for held, verdict in judged(chapter, check, right) if not verdict] == []


@every_check
def test_wrong_answers_are_refused_in_a_sentence(path, name):
    chapter, check, _, wrong = rows(path, name)
    odd = [
        f"{held}: {verdict!r}"
        for held, verdict in judged(chapter, check, wrong)
        if verdict
        or not re.fullmatch(r"✗ Not yet: .{1,390}", verdict.text)  # one line
        or "cannot be checked" in verdict.text
    ]
    assert odd == []


@every_check
def test_three_dots_are_not_answered(path, name):
    check = chapter_of(path).checks()[name]
    dots = [(lambda *args: ...) if isinstance(kind, ask.function) else ... for kind in check.kinds.values()]
    assert spoken(check, dots) == ask.NOT_ANSWERED


def page_says(question, answers):
    """Judge answers as a page does that has nothing but the data of a question."""

    def within(value, ends):
        return (ends[0] is None or ends[0] <= value) and (ends[1] is None or value <= ends[1])

    def fits(case, answer):
        if case["type"] == "default":
            return True
        if case["type"] == "range":
            return within(answer, case["range"])
        return len(answer) == len(case["ranges"]) and all(map(within, answer, case["ranges"]))

    for case in question["together"]:
        if all(map(within, answers, case["ranges"])):
            return case["feedback"]
    for part, answer in zip(question["parts"], answers, strict=True):
        cases = part["answers"]
        if part["type"] == "many_choice":
            wrong = {case["answer"]: case["feedback"] for case in cases if not case["correct"]}
            chosen = [wrong[option] for option in part["order"] if option in answer]
            missing = sum(case["correct"] and case["answer"] not in answer for case in cases)
            if chosen or missing:
                return chosen[0] if chosen else part["missing"].replace("{missing}", str(missing))
            continue
        if part["type"] in ("multiple_choice", "string"):
            case = next(case for case in cases if case.get("type") == "default" or case["answer"] == str(answer))
        else:
            case = next(case for case in cases if fits(case, answer))
        if not case["correct"]:
            return case["feedback"]
    return question["says"]["right"]


@every_check
def test_a_page_says_what_python_says(path, name):
    """A question is complete as data: a page needs nothing else to give the very hints of the check."""
    check = chapter_of(path).checks()[name]
    question = check.question()
    assert (question is None) == (type(check) is ask.Check)
    if question is None:
        return
    assert json.loads(json.dumps(question, allow_nan=False)) == question
    assert page_says(question, question["right"]) == repr(check(*question["right"])) == ask.RIGHT.text
    assert len(question["wrong"]) >= 2
    for wrong in question["wrong"]:
        assert page_says(question, wrong["answers"]) == wrong["says"] == repr(check(*wrong["answers"]))
        assert wrong["says"].startswith("✗ Not yet: ")
