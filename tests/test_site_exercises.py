"""Exercises on the built page: the form of each, judged by the page's script in the very words of Python."""

import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from exercise_cases import CASES
from exercise_table import Chapter, table
from site_checks import DARK, LIGHT, PHONE, SITE, Watched, axe_faults, jump_faults, overflow_faults
from test_exercises_of_chapters import CHECKS
from test_notebooks import quiz_questions, quizzes

from nnlib.course import exercises as ask
from tools import notebooks

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = (ROOT / "assets" / "exercises.js").read_text(encoding="utf-8")
STYLE = (ROOT / "assets" / "course.css").read_text(encoding="utf-8")

WHOLE = ask.question(count=ask.number(12, {10: "two are missing", (13, math.inf): "too many"}, "count again"))
PAIR = ask.question(
    hints={(7.5, 2): "the other way round"},
    a=ask.number(2.0, {2.2: "too large"}),
    b=ask.number(7.5, {-7.5: "check the sign"}, tolerance=0.01),
    wrong=[(1, 1)],
)
SHAPE = ask.question(shape=ask.numbers((32, 100), {(100, 32): "rows come first", (32,): "two axes"}))
TASKS = ask.question(one=ask.choice(True, {False: "it can"}), two=ask.choice("tanh", {"relu": "not <b>bounded</b>"}))
NAMES = ask.question(names=ask.choices({"a", "b"}, {"c": "c is off", "d": "d is off"}, "{missing} more"))
WORD = ask.question(name=ask.choice("Adam", otherwise="who else?"), wrong=["SGD", "RMSprop"])
EVERY = [WHOLE, PAIR, SHAPE, TASKS, NAMES, WORD]


@ask.exercise(predict=ask.function(), wrong=[lambda x: 0, lambda x: 1])
def check_predict(predict):
    return predict(1) == 2


@pytest.fixture
def page_with(browser, new_tab, tmp_path, monkeypatch):
    """Open a page that holds the places to answer of these checks; one that `remembers` in a context of its own."""
    monkeypatch.setenv("NNLIB_FOR_THE_BOOK", "1")
    contexts = []

    def open_page(*checks, context=None, name="page.html", theme="light", remembers=False, **settings):
        markup = "".join(
            f'<section id="e{number}"><h3>Exercise {number}</h3>{shown}</section>'
            for number, shown in enumerate(check(*[...] * len(check.kinds))._repr_html_() for check in checks)
        )
        file = tmp_path / name
        file.write_text(
            f'<!doctype html><html lang="en" data-theme="{theme}" data-content_root="./"><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width"><title>t</title><style>{THEME}{STYLE}</style>'
            f"<script>{SCRIPT}</script><main><h1>Chapter</h1><section><h2>Exercises</h2>{markup}</section></main></html>"
        )
        if remembers:
            context = browser.new_context(offline=True, **LIGHT)
            contexts.append(context)
            hold_memory(context)
        page = context.new_page() if context else new_tab({**LIGHT, **settings}, file.as_uri())
        page.goto(file.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


# the colours that the theme brings
THEME = """
html { --pst-color-background: #fff; --pst-color-text-base: #222; --pst-color-text-muted: #48566b;
  --pst-color-primary: #0a7d91; --pst-color-accent: #8045e5; --pst-color-border: #d1d5da; --pst-color-success: #00843f;
  --pst-color-danger: #d72d47; }
html[data-theme=dark] { --pst-color-background: #14181e; --pst-color-text-base: #ced6dd;
  --pst-color-text-muted: #9ca4af; --pst-color-primary: #3fb1c5; --pst-color-accent: #9c5ffd;
  --pst-color-border: #48566b; --pst-color-success: #5fb488; --pst-color-danger: #e78894; }
body { background: var(--pst-color-background); color: var(--pst-color-text-base); }
"""

ANSWER = """([number, answers]) => answers.map(given => {
  const form = document.querySelectorAll('form.answer')[number];
  [...form.querySelectorAll('.answer-part')].forEach((part, i) => {
    for (const input of part.querySelectorAll('input')) {
      if (input.type === 'text') input.value = given[i];
      else input.checked = [given[i]].flat().includes(input.value);
    }
  });
  form.requestSubmit();
  return form.querySelector('.answer-verdict').textContent;
})"""


def page_says(page, number, answers):
    """Give answers to an exercise on a page, and return what is said about each."""
    return page.evaluate(ANSWER, [number, answers])


def typed(kind, answer):
    """Return the form in which a reader of the page can give this answer, or None if there is none."""
    if isinstance(kind, ask.choices):
        names = answer.tolist() if isinstance(answer, np.ndarray) else answer
        known = [*kind.right, *kind.options]
        given = isinstance(names, set | frozenset | list | tuple) and names and all(name in known for name in names)
        return sorted(names) if given else None
    if isinstance(kind, ask.choice) and kind.options:
        return next(
            (word for word in kind.words() if isinstance(answer, str | bool | None) and word == str(answer)), None
        )
    if isinstance(kind, ask.numbers) and isinstance(answer, list | tuple | np.ndarray):
        parts = [typed(ask.number(), part) for part in np.asarray(answer, dtype=object).reshape(-1)]
        return ", ".join(parts) if parts and None not in parts else None
    if isinstance(kind, ask.choice) and answer is None:
        return "None"
    if isinstance(answer, bool | np.bool_):
        return None
    if isinstance(answer, float | int | np.number | Fraction) and not np.iscomplexobj(answer):
        return str(answer) if isinstance(answer, Fraction) else repr(np.asarray(answer).item())
    return answer if isinstance(answer, str) and answer.strip() else None


# what fingers do on a keyboard
SPELLINGS = [
    "0", "-0", "1", "−1", "+1", ".5", "5.", "1,000", "1,00", "0,5", "1e3", "1E-3", "1e−3", "1e", "3/16", "-3 / 4",
    "1/0", "0/0", "1//2", "1e999", "1/1e999", " 7 ", "7 8", "7,8", "7, 8", "(7, 8)", "[7 8]", ",", "-", "--1",
    "1_000", "0x10", "NaN", "inf", "Infinity", "50%", "½", "٣", "π", "it's", 'say "x"', "it's \"x\"", "a\\b",
    "x" * 57, "x" * 58, "x" * 59, "x " * 40, "True", "Adam", "adam", "'ADAM'", "tanh",
]  # fmt: skip


def edges(part):
    """Yield what lies on the ends of the ranges of a part, and just beside them."""
    for answer in part["answers"]:
        for ranges in [[answer["range"]]] if "range" in answer else [answer["ranges"]] if "ranges" in answer else []:
            for place in (0, 1):
                for towards in (None, -math.inf, math.inf):
                    ends = [pair[place] for pair in ranges]
                    if None not in ends:
                        moved = [end if towards is None else math.nextafter(end, towards) for end in ends]
                        yield ", ".join(map(repr, moved))


def rows(check, right, wrong):
    """Return answers as they are given on a page: the table's, the known ones, each edge and odd spellings."""
    kinds, question = list(check.kinds.values()), check.question()
    given = [
        [typed(kind, part) for kind, part in zip(kinds, answers, strict=True)]
        for answers in [*right, *wrong, *check.wrong]
        if len(answers) == len(kinds)
    ]
    base = [typed(kind, kind.right) for kind in kinds]
    for place, (kind, part) in enumerate(zip(kinds, question["parts"], strict=True)):
        more = list(edges(part)) + SPELLINGS if part["type"] in ("numeric", "numbers", "string") else kind_options(kind)
        given += [[*base[:place], answer, *base[place + 1 :]] for answer in more]
    unique = {repr(answers): answers for answers in given if None not in answers}
    return list(unique.values())


def kind_options(kind):
    if isinstance(kind, ask.choices):
        return [[name] for name in (*kind.right, *kind.options)] + [sorted({*kind.right, *kind.options})]
    return kind.words()


@pytest.mark.parametrize("check", EVERY, ids=lambda check: ", ".join(check.kinds))
def test_the_page_says_what_python_says(page_with, check):
    assert_same_words(page_with(check), 0, check)


def assert_same_words(page, number, check, more_right=(), more_wrong=()):
    solved = [tuple(kind.right for kind in check.kinds.values())]
    answers = rows(check, *table(check, solved, more_right, more_wrong))
    said = page_says(page, number, answers)
    assert ask.RIGHT.text in said
    assert len({*said}) >= 2
    assert dict(zip(map(repr, answers), said, strict=True)) == {repr(each): repr(check(*each)) for each in answers}


QUESTIONS = sorted({path for path, _ in CHECKS})


@pytest.mark.parametrize("path", QUESTIONS, ids=lambda path: path.stem)
def test_every_exercise_of_a_chapter_says_on_the_page_what_it_says_in_python(page_with, path):
    chapter = Chapter(path, questions=True)
    checks = {name: check for name, check in chapter.checks().items() if check.question()}
    page = page_with(*checks.values())
    for number, (name, check) in enumerate(checks.items()):
        own = CASES.get(path.stem, {}).get(name, lambda space: ([], []))
        assert_same_words(page, number, check, *own(chapter.space))
    chapter.close()


# --- what a reader meets ------------------------------------------------------------------------------------------


def test_in_a_notebook_nothing_of_a_page_is_shown(monkeypatch):
    monkeypatch.delenv("NNLIB_FOR_THE_BOOK", raising=False)
    assert WHOLE(...)._repr_html_() is None
    monkeypatch.setenv("NNLIB_FOR_THE_BOOK", "1")
    assert repr(WHOLE(...)) == ask.NOT_ANSWERED.text
    assert WHOLE(...) == ask.NOT_ANSWERED
    assert WHOLE(12)._repr_html_() is WHOLE(11)._repr_html_() is None


def test_an_answer_is_checked_by_keyboard_alone(page_with):
    page = page_with(PAIR, TASKS)
    first, second = page.locator("form.answer").all()
    page.keyboard.press("Tab")
    page.keyboard.type("2.2")
    page.keyboard.press("Tab")
    page.keyboard.type("15/2")
    page.keyboard.press("Enter")
    verdict = first.locator(".answer-verdict")
    assert verdict.inner_text() == "✗ Not yet: too large."
    assert first.get_by_label("a", exact=True).get_attribute("aria-invalid") == "true"
    first.get_by_label("a", exact=True).fill("2")
    assert verdict.inner_text() == ""
    page.keyboard.press("Enter")
    assert verdict.inner_text() == "✓ Right."
    for key in ("Tab", "Tab", "Tab", "Space", "Tab", "Space"):  # other field, button, radio buttons
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    assert second.locator(".answer-verdict").inner_text() == "✗ Not yet: not <b>bounded</b>."
    page.keyboard.press("ArrowRight")
    assert second.locator(".answer-verdict").inner_text() == ""
    page.keyboard.press("Enter")
    assert second.locator(".answer-verdict").inner_text() == "✓ Right."


def test_an_empty_part_is_not_answered(page_with):
    page = page_with(PAIR, TASKS, NAMES)
    for number, answers in enumerate([["2", ""], [None, "tanh"], [[]]]):
        assert page_says(page, number, [answers]) == ["… Not answered yet."]


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (WHOLE, "A whole number."),
        (PAIR, "a: a number, three digits are enough; b: a number, at most 0.01 off."),
        (SHAPE, "2 whole numbers with commas between."),
        (TASKS, "Choose one, each."),
        (NAMES, "Choose all that apply."),
        (WORD, "A word."),
    ],
)
def test_one_line_says_what_is_asked_for(page_with, check, words):
    form = page_with(check).locator("form.answer")
    line = form.locator("p").first
    assert line.inner_text() == words
    described = form.locator("input[type=text], fieldset")
    assert {*described.evaluate_all("all => all.map(e => e.getAttribute('aria-describedby'))")} == {
        line.get_attribute("id")
    }


def test_code_is_answered_in_jupyterlab_and_the_page_says_how(page_with):
    page = page_with(check_predict)
    assert page.locator("form").count() == 0
    assert "make lab opens JupyterLab" in page.locator(".answer").inner_text()


def test_a_phone_shows_figures_only_where_nothing_else_is_needed(page_with):
    page = page_with(WHOLE, PAIR)
    keys = page.locator("[type=text]").evaluate_all("all => all.map(input => input.inputMode)")
    assert keys == ["decimal", "", ""]  # some phones have no minus, no slash and no point among them


@pytest.mark.parametrize("settings", [LIGHT, DARK, PHONE], ids=["light", "dark", "phone"])
def test_forms_are_accessible_and_fit(page_with, settings):
    page = page_with(*EVERY, check_predict, theme="dark" if settings is DARK else "light", **settings)
    for number, check in enumerate(EVERY):
        page_says(page, number, rows(check, [tuple(kind.right for kind in check.kinds.values())], [])[-1:])
    page_says(page, 0, [["12"]])
    assert axe_faults(page) + overflow_faults(page) == []


def test_focus_is_visible_everywhere(page_with):
    page = page_with(*EVERY, check_predict)
    for _ in range(page.locator("input:not([type=radio]), fieldset:has([type=radio]), button:visible").count()):
        page.keyboard.press("Tab")
        outline = """(e => getComputedStyle(/radio|checkbox/.test(e.type) && e.nextElementSibling || e).outlineStyle)
                     (document.activeElement)"""
        assert page.evaluate(outline) == "solid"


def test_neither_paper_nor_a_page_without_script_shows_a_form(page_with):
    page = page_with(*EVERY, check_predict, remembers=True)
    page.emulate_media(media="print")
    assert not any(form.is_visible() for form in page.locator(".answer").all())
    page = page_with(*EVERY, java_script_enabled=False)
    assert not any(form.is_visible() for form in page.locator(".answer").all())


def test_what_a_chapter_says_is_text_on_the_page(page_with):
    page = page_with(TASKS)
    assert page_says(page, 0, [["True", "relu"]]) == ["✗ Not yet: not <b>bounded</b>."]
    assert page.locator("b").count() == 0


# --- memory -------------------------------------------------------------------------------------------------------


def progress(page):
    return page.locator(".answer-progress span").inner_text()


def test_answers_are_remembered_and_judged_again(page_with):
    page = page_with(WHOLE, TASKS, NAMES, check_predict, remembers=True)
    assert page.locator("h2 + .answer-progress").count() == 1
    assert progress(page) == "0 of 4 answered"
    assert not page.locator(".answer-progress button").is_visible()
    page_says(page, 0, [["12"]])
    page_says(page, 1, [["False", "tanh"]])
    page_says(page, 2, [[["a", "d"]]])
    page.get_by_label("I have done it").check()
    assert progress(page) == "2 of 4 answered"
    reopen(page, lambda: progress(page) == "2 of 4 answered")
    assert progress(page) == "2 of 4 answered"
    assert page.get_by_label("I have done it").is_checked()
    assert page.locator(".answer-verdict").all_inner_texts() == [
        "✓ Right.",
        "✗ Not yet: it can.",
        "✗ Not yet: d is off.",
    ]
    assert page.locator("form input:checked").evaluate_all("all => all.map(input => input.value)") == [
        "False", "tanh", "a", "d",
    ]  # fmt: skip
    page_says(page, 0, [["11"]])
    page.get_by_label("I have done it").uncheck()
    assert progress(page) == "0 of 4 answered"


def test_answers_can_be_forgotten(page_with):
    page = page_with(WHOLE, TASKS, check_predict, remembers=True)
    page_says(page, 0, [["12"]])
    page.get_by_label("I have done it").check()
    page.get_by_role("button", name="Forget my answers").click()
    for _ in range(2):
        assert progress(page) == "0 of 3 answered"
        assert page.locator("[type=text]").input_value() == ""
        assert page.locator("input:checked").count() == 0
        assert page.locator(".answer-verdict").all_inner_texts() == ["", ""]
        reopen(page, lambda: progress(page) == "0 of 3 answered")


def test_pages_have_memories_of_their_own_and_links_say_how_far_one_is(page_with, tmp_path):
    page = page_with(WHOLE, PAIR, remembers=True)
    page_says(page, 0, [["12"]])
    other = page_with(WHOLE, context=page.context, name="other.html")
    assert progress(other) == "0 of 1 answered"
    assert other.locator("[type=text]").input_value() == ""
    (tmp_path / "chapters").mkdir()
    links = tmp_path / "chapters" / "map.html"
    links.write_text(
        f'<!doctype html><html data-content_root="../"><script>{SCRIPT}</script><ul class="answer-counts">'
        '<li><a href="../page.html#e1">One</a><li><a href="../other.html">Two</a><li><a href="#">Here</a>'
        '<li><a href="https://example.org/page.html">There</a></ul></html>'
    )
    other.goto(links.as_uri())
    assert other.locator("a").all_text_contents() == ["One1 of 2", "Two", "Here", "There"]


def test_a_question_that_asks_for_something_else_starts_anew(page_with):
    page = page_with(WHOLE, remembers=True)
    page_says(page, 0, [["12"]])
    again = page_with(ask.question(count=ask.number(13), wrong=[1, 2]), context=page.context)
    assert (progress(again), again.locator("[type=text]").input_value()) == ("0 of 1 answered", "")


@pytest.mark.parametrize("stored", ["", "{", "null", "[]", '{"of": 1}', '{"given": 7, "right": {}}', '{"right": [1]}'])
def test_a_memory_that_makes_no_sense_is_none(page_with, stored):
    page = page_with(WHOLE, remembers=True)
    page_says(page, 0, [["12"]])
    page.evaluate("stored => localStorage.setItem(Object.keys(localStorage)[0], stored)", stored)
    reopen(page, lambda: progress(page) == "0 of 1 answered")
    assert progress(page) == "0 of 1 answered"
    assert page_says(page, 0, [["12"]]) == ["✓ Right."]
    assert progress(page) == "1 of 1 answered"


def test_without_storage_answers_are_judged_all_the_same(page_with):
    page = page_with(WHOLE, remembers=True)
    page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('refused'); }})")
    page.reload()
    assert page_says(page, 0, [["12"]]) == ["✓ Right."]
    assert progress(page) == "1 of 1 answered"


def test_what_is_restored_is_not_read_aloud_and_what_is_checked_is(browser, page_with):
    context = browser.new_context(offline=True)
    context.add_init_script("window.later = []; window.setTimeout = (call) => later.push(call);")
    page = page_with(WHOLE, context=context)
    verdict = page.locator(".answer-verdict")
    assert verdict.get_attribute("aria-live") == "off"
    page.evaluate("later.forEach((call) => call())")
    assert verdict.get_attribute("aria-live") == "polite"
    context.close()


def test_the_script_is_a_classic_one_and_small():
    """A page opened as a file may load no module and fetch nothing."""
    assert not re.search(r"^\s*(import|export)\b|\bfetch\(|XMLHttpRequest", SCRIPT, re.MULTILINE)
    assert len(SCRIPT) < 14_000


# --- quizzes, on the built pages ----------------------------------------------------------------------------------

QUIZZES = {SITE / path.relative_to(ROOT).with_suffix(".html"): quiz_questions(text) for path, text in quizzes().items()}
SAMPLE = SITE / "chapters/2-foundations/13-choose-a-learning-rate.html"  # its first question has formulas


def opening(words):
    """Return what a page shows of a chapter's words, as far as the first formula."""
    shown = re.sub(r"\{term\}`([^`<]*?)(?: <[^>]*>)?`", r"\1", words.partition("$")[0])
    return " ".join(re.sub(r"[*`]", "", shown).split())


def plain(words):
    """Return words with simple spaces and marks."""
    return " ".join(words.translate(str.maketrans("’“”", '\'""')).split())


def text(part):
    """Return the text of a part of a page; `inner_text` would be none where it is out of sight and not laid out."""
    return plain(part.text_content())


def done(page, part="#quiz"):
    return text(page.locator(f"{part} .answer-progress span"))


# of each question what is asked, the options, and what is said and how it is marked after each of these was chosen
CHOSEN = """all => [...document.querySelectorAll("fieldset.quiz-question")].map((box, number) => {
  const labels = [...box.querySelectorAll("label")];
  const asked = document.getElementById(box.getAttribute("aria-labelledby")).textContent;
  return [asked, labels.map(label => label.textContent), (all[number] ?? []).map(letter => {
    labels.find(label => label.textContent.trim().startsWith(letter)).click();
    return [box.querySelector(".answer-verdict").textContent, [...box.classList].slice(1).join(" ")];
  })];
})"""


def hold_memory(context):
    """Keep a second page of the origin open: without one, a busy Chromium may lose what has just been written."""
    second = context.new_page()
    second.goto((ROOT / "assets" / "mark.svg").as_uri())
    second.evaluate("localStorage.length")


def reopen(page, shown):
    """Reload a page until it is as it should be: what it remembers arrives late where a browser is busy."""
    for _ in range(10):
        page.reload()
        if shown():
            return
        page.wait_for_timeout(300)


def quiz_faults(page, questions):
    """Choose each option of a quiz; list what is not asked, named, judged or counted as its chapter says."""
    faults, boxes = [], page.evaluate(CHOSEN, [[*wrong, right] for _, _, right, _, wrong in questions])
    for (name, letters, said), (asked, options, right, why, wrong) in zip(boxes, questions, strict=True):
        if not plain(name).startswith(opening(asked)):
            faults.append(f"{name!r} is asked, not {asked!r}")
        if [plain(label)[0] for label in letters] != [*options]:
            faults.append(f"{asked!r} has the options {letters}")
        for letter, (verdict, mark) in zip([*wrong, right], said, strict=True):
            sign, words = ("✓ Right.", why) if letter == right else ("✗ Not yet.", wrong[letter])
            if not plain(verdict).startswith(f"{sign} {opening(words)}"):
                faults.append(f"{asked!r}: {verdict!r} is said of {letter}, not {sign} {words!r}")
            if mark != ("is-right" if letter == right else "is-wrong"):
                faults.append(f"{asked!r}: {letter} is marked as {mark}")
    if (said := done(page)) != f"{len(boxes)} of {len(boxes)} answered":
        faults.append(f"in the end it says {said!r}")
    return faults


@pytest.fixture
def quiz(browser):
    """The sample page with the network cut; afterwards nothing may have gone wrong on it."""
    with Watched(browser, SAMPLE) as opened:
        hold_memory(opened.context)
        yield opened.page
    assert opened.faults == []


def test_a_quiz_is_answered_wrong_then_right_and_remembered(quiz):
    box = quiz.locator("fieldset.quiz-question").first
    verdict = box.locator(".answer-verdict")
    assert (done(quiz), verdict.is_visible()) == ("0 of 5 answered", False)
    for option, begin, count in ((2, "✗ Not yet. Then each jump", 0), (1, "✓ Right. The factor", 1)) * 2:
        box.get_by_role("radio").nth(option).check()
        said = text(verdict)
        assert said.startswith(begin)
        for _ in range(2):
            assert (done(quiz), done(quiz, "#exercises")) == (f"{count} of 5 answered", "0 of 4 answered")
            assert (text(verdict), box.get_by_role("radio").nth(option).is_checked()) == (said, True)
            reopen(quiz, lambda said=said: text(verdict) == said)
    assert text(quiz.locator(".bd-sidebar-primary .answer-count")) == "1 of 9"
    assert verdict.locator(".katex").count() == 1


def test_a_quiz_is_forgotten_apart_from_the_exercises(quiz):
    quiz.locator("fieldset.quiz-question label").nth(1).click()
    quiz.get_by_label("I have done it").first.check()
    quiz.locator("#quiz").get_by_role("button", name="Forget my answers").click()
    for _ in range(2):
        assert (done(quiz), done(quiz, "#exercises")) == ("0 of 5 answered", "1 of 4 answered")
        assert quiz.locator(".quiz-question :checked").count() == 0
        assert quiz.locator(".quiz-question .answer-verdict").all_text_contents() == [""] * 5
        reopen(quiz, lambda: done(quiz, "#exercises") == "1 of 4 answered")


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [
        ("The loss falls in every step", "The loss falls", 0),
        ("It is below 1.", "It is below ½.", 0),
        ("is positive, and the weight stays", "is positive: the weight stays", 1),
    ],
)
def test_a_question_of_a_quiz_that_asks_for_something_else_starts_anew(quiz, old, new, count):
    quiz.locator("fieldset.quiz-question label").nth(1).click()
    html = SAMPLE.read_text(encoding="utf-8")
    assert html.count(old) == 1
    quiz.route("**/*.html", lambda route: route.fulfill(body=html.replace(old, new), content_type="text/html"))
    reopen(quiz, lambda: done(quiz) == f"{count} of 5 answered")
    assert new in quiz.content()
    assert done(quiz) == f"{count} of 5 answered"
    assert quiz.locator(".answer-count").count() == count


def test_a_quiz_is_answered_by_keyboard_alone(quiz):
    box = quiz.locator("fieldset.quiz-question").first
    verdict, options = box.locator(".answer-verdict"), box.get_by_role("radio")
    focused = "document.activeElement.value + getComputedStyle(document.activeElement).outlineStyle"
    quiz.locator("#quiz .answer-progress").evaluate("line => { line.tabIndex = 0; line.focus(); }")
    quiz.keyboard.press("Tab")
    for key, letter in (("ArrowDown", "b"), ("ArrowRight", "c"), ("ArrowDown", "a"), ("ArrowUp", "c")):
        quiz.keyboard.press(key)
        assert quiz.evaluate(focused) == f"{letter}solid"
        assert (text(verdict), box.locator(":checked").count()) == ("", 0)
    quiz.wait_for_function("document.querySelector('.quiz-question .answer-verdict').ariaLive === 'polite'")
    quiz.keyboard.press("Space")
    assert (text(verdict)[0], options.nth(2).is_checked()) == ("✗", True)
    quiz.keyboard.press("ArrowLeft")
    quiz.keyboard.press("Space")
    assert (text(verdict)[0], options.nth(1).is_checked()) == ("✓", True)


@pytest.mark.parametrize("settings", [LIGHT, DARK, PHONE], ids=["light", "dark", "phone"])
def test_an_answered_quiz_is_accessible_and_fits_and_nothing_jumps(browser, kept, settings):
    with Watched(browser, SAMPLE, query="#quiz", context=kept(settings)) as opened:
        jumps = jump_faults(opened.page)
        for box in opened.page.locator("fieldset.quiz-question").all():
            box.locator("label").nth(1).click()
        assert {*opened.page.locator(".quiz-question").evaluate_all("all => all.map(box => box.classList[1])")} == {
            "is-right", "is-wrong",
        }  # fmt: skip
        faults = overflow_faults(opened.page) + axe_faults(opened.page, at_last=True)
        assert faults + jumps == []


def test_options_take_the_same_room_with_and_without_a_script(browser):
    rooms = []
    for script in (False, True):
        page = browser.new_page(**LIGHT, offline=True, java_script_enabled=script)
        page.goto(f"{SAMPLE.as_uri()}#quiz")
        boxes = [option.bounding_box() for option in page.locator("#quiz ul:has(+ :is(details, p)) > li").all()]
        rooms.append([{**box, "y": box["y"] - boxes[0]["y"]} for box in boxes])
        assert page.locator("#quiz input").count() == (len(boxes) if script else 0)
        page.close()
    assert rooms[0] == rooms[1]


def test_on_paper_a_quiz_is_text(quiz):
    quiz.locator("fieldset.quiz-question label").nth(1).click()
    quiz.emulate_media(media="print")
    assert not any(
        part.is_visible() for part in quiz.locator("#quiz :is(input, .answer-verdict, progress, details)").all()
    )
    assert all(part.is_visible() for part in quiz.locator(".quiz-question :is(p:first-child, li)").all())


# --- titles -------------------------------------------------------------------------------------------------------


def title_faults(notebook):
    """List exercises whose title is no heading below a heading of the part, or whose number is not the next."""
    faults, number, level, title = [], 0, 0, None
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = notebooks.text_of(cell["source"])
            faults += [
                f"{cell['id']}: a title in bold type is no heading" for _ in re.findall(r"^\*\*Exercise", text, re.M)
            ]
            for marks, words in re.findall(r"^(#+) (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M):
                title = re.fullmatch(r"Exercise( \d+)?: \S.*[^.]", words)
                if title and len(marks) != level + 1:
                    faults.append(f"{cell['id']}: the heading is of level {len(marks)} below one of level {level}")
                level = level if title else len(marks)
        elif "exercise" in notebooks.tags(cell):
            number += 1
            if not title or title[1] not in (f" {number}", None):
                faults.append(f"{cell['id']}: no heading such as 'Exercise {number}: by hand'")
            title = None
    return faults


@pytest.mark.parametrize("path", notebooks.notebooks(), ids=lambda path: path.stem)
def test_titles_of_exercises_are_headings_with_addresses(path):
    assert title_faults(notebooks.load(path)) == []


def cell(text, *tags):
    return {"cell_type": "code" if tags else "markdown", "source": text, "id": text[:5], "metadata": {"tags": [*tags]}}


@pytest.mark.parametrize(
    ("texts", "fault"),
    [
        (["## Exercises", "### Exercise 1: recall\n\nWhat?"], None),
        (["## Exercises\n\n**Exercise 1: recall.** What?"], "bold"),
        (["## Exercises", "#### Exercise 1: recall"], "level 4 below one of level 2"),
        (["## Exercises", "### Exercise 2: recall"], "'Exercise 1: by hand'"),
        (["## Exercises", "### Exercise 1: recall."], "no heading"),
        (["## Exercises", "### Exercise 1"], "no heading"),
    ],
)
def test_a_title_that_is_no_heading_is_found(texts, fault):
    faults = title_faults({"cells": [*map(cell, texts), cell("a = ...", "exercise")]})
    assert (fault in " ".join(faults)) if fault else not faults
