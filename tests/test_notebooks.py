"""What every notebook in the repository keeps to, so that diffs are readable and pages of one shape."""

import ast
import json
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml
from exercise_table import names_assigned

from tools import notebooks

PATHS = notebooks.notebooks()
every_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def checks_defined(notebook):
    """Names of the checks in checker cells: functions decorated with @exercise, and what `question` returns."""
    names = set()
    for cell in notebook["cells"]:
        if "checker" in notebooks.tags(cell):
            for node in ast.parse(notebooks.text_of(cell["source"])).body:
                if isinstance(node, ast.FunctionDef) and any(
                    isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("exercise")
                    for mark in node.decorator_list
                ):
                    names.add(node.name)
                if (
                    isinstance(node, ast.Assign)
                    and isinstance(node.value, ast.Call)
                    and ast.unparse(node.value.func).endswith("question")
                ):
                    names.add(node.targets[0].id)
    return names


def output_text(cell):
    return "".join(notebooks.text_of(output["data"]["text/plain"]) for output in cell["outputs"])


def exercise_faults(notebook):
    """List what breaks the convention: exercise, then self-check, then solution, for each exercise."""
    defined, used, faults = checks_defined(notebook), set(), []
    expected = "exercise"
    following = {"exercise": "self-check", "self-check": "solution", "solution": "exercise"}
    check = None
    for cell in notebook["cells"]:
        for kind in notebooks.tags(cell) & set(following):
            if kind != expected:
                faults.append(f"{cell['id']}: {kind} where {expected} should come")
            expected = following[kind]
            if kind == "exercise":
                continue
            called = re.findall(r"\bcheck_\w+(?=\()", notebooks.text_of(cell["source"]))
            if kind == "self-check":
                check = called[-1] if called else None
                used.add(check)
            if check is None or called[-1:] != [check]:
                faults.append(f"{cell['id']}: does not end with the check of its exercise")
            said = {"self-check": "… Not answered yet", "solution": "✓ Right."}[kind]
            if not output_text(cell).startswith(said):
                faults.append(f"{cell['id']}: its kept output is not {said!r} (tag it nbval-check-output)")
    if expected != "exercise":
        faults.append(f"the last exercise has no {expected}")
    return faults + [f"{name}: no such check in a checker cell" for name in sorted(used - defined, key=str)]


@every_notebook
def test_notebook_is_in_the_form_that_make_notebooks_writes(path):
    """Outputs that change, execution counts, widget state and volatile metadata would drown every diff."""
    notebook = notebooks.load(path)
    assert path.read_text(encoding="utf-8") == notebooks.dump(notebooks.stripped(notebook)), (
        f"run: make notebooks NB={path.relative_to(notebooks.ROOT)}"
    )


@every_notebook
def test_tags_are_known(path):
    """A misspelt tag would silently show what should be folded, or compare nothing."""
    for cell in notebooks.load(path)["cells"]:
        unknown = {tag for tag in notebooks.tags(cell) - notebooks.TAGS if not notebooks.CLAIM.fullmatch(tag)}
        assert not unknown, f"cell {cell['id']}: {sorted(unknown)}; known are {sorted(notebooks.TAGS)}"


@every_notebook
def test_kept_outputs_do_not_change_from_run_to_run(path):
    """An address or a duration in a compared output fails on every other machine."""
    for cell in notebooks.load(path)["cells"]:
        text = str(cell.get("outputs", ""))
        assert not re.search(r"0x[0-9a-f]{6,}|\b\d+(\.\d+)? ?(ms|µs)\b", text), f"cell {cell['id']}"


FIRST_LINES = {"solution": "# Solution", "checker": "# How it is judged"}


@every_notebook
def test_first_line_of_a_folded_cell_gives_nothing_away(path):
    """JupyterLab shows it."""
    for cell in notebooks.load(path)["cells"]:
        for kind in notebooks.tags(cell) & set(FIRST_LINES):
            assert notebooks.text_of(cell["source"]).split("\n")[0] == FIRST_LINES[kind], f"cell {cell['id']}"


def names_of(notebook, kind):
    """Return the names that the cells with this tag assign."""
    cells = [cell for cell in notebook["cells"] if kind in notebooks.tags(cell)]
    return set().union(*(names_assigned(notebooks.text_of(cell["source"])) for cell in cells))


@every_notebook
def test_no_solution_assigns_a_name_of_the_readers(path):
    """After "Run All" the check of a wrong answer would judge the solution, and say that it is right."""
    notebook = notebooks.load(path)
    assert names_of(notebook, "solution") & names_of(notebook, "exercise") == set()


def kinds_of(notebook):
    """Return the names of the answers of each check, as its definition gives them."""
    found = {}
    for cell in notebook["cells"]:
        if "checker" in notebooks.tags(cell):
            for node in ast.parse(notebooks.text_of(cell["source"])).body:
                if isinstance(node, ast.FunctionDef) and node.decorator_list:
                    found[node.name] = [arg.arg for arg in node.args.args]
                elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                    names = [keyword.arg for keyword in node.value.keywords]
                    found[ast.unparse(node.targets[0])] = [name for name in names if name not in ("hints", "wrong")]
    return found


@every_notebook
def test_checks_call_the_answers_what_the_reader_calls_them(path):
    """What a check says names the answer; a page asks for it under this name."""
    notebook = notebooks.load(path)
    kinds = kinds_of(notebook)
    for cell in notebook["cells"]:
        if "self-check" in notebooks.tags(cell):
            call = ast.parse(notebooks.text_of(cell["source"])).body[-1].value
            assert [ast.unparse(arg) for arg in call.args] == kinds[call.func.id], f"cell {cell['id']}"


@every_notebook
def test_exercises_have_prompt_check_and_solution(path):
    """A reader would be left without a check, or an instructor's handout would show a solution."""
    assert exercise_faults(notebooks.load(path)) == []


def cell(kind, source, said=None):
    outputs = [] if said is None else [{"data": {"text/plain": [said]}}]
    return {"id": kind, "metadata": {"tags": [kind]}, "source": source, "outputs": outputs}


GOOD = [
    cell("checker", "@exercise(wrong=[1, 2])\ndef check_a(a):\n    return a == 3"),
    cell("exercise", "a = ..."),
    cell("self-check", "check_a(a)", "… Not answered yet: ..."),
    cell("solution", "check_a(3)", "✓ Right."),
]


def test_good_exercise_is_accepted():
    assert exercise_faults({"cells": GOOD}) == []


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (GOOD[1:], "no such check"),
        (GOOD[:3], "has no solution"),
        ([GOOD[0], GOOD[1], GOOD[3], GOOD[2]], "solution where self-check"),
        ([*GOOD[:3], cell("solution", "check_a(4)", "✗ Not yet: that is not it.")], "kept output is not '✓"),
        ([*GOOD[:3], cell("solution", "check_b(3)", "✓ Right.")], "does not end with the check"),
        ([*GOOD[:2], cell("self-check", "check_a(a)", "✓ Right."), GOOD[3]], "kept output is not '…"),
    ],
)
def test_broken_exercise_is_found(cells, fault):
    assert fault in " ".join(exercise_faults({"cells": cells}))


# --- quizzes ------------------------------------------------------------------------------------------------------

ANSWERED = re.compile(r"<details class=\"quiz\"><summary>Answer</summary>\n\n(.*?)\n\n</details>", re.DOTALL)
LETTERED = re.compile(r"\*\*([a-z])\*\* (.*)", re.DOTALL)


def lettered(lines):
    """Return {letter: words} of a list of options, or None if it is none."""
    found = [LETTERED.fullmatch(item) for item in re.split(r"^- ", lines, flags=re.MULTILINE)[1:]]
    return {item[1]: item[2].strip() for item in found} if all(found) and lines.startswith("- ") else None


def quiz_questions(text):
    """Split a quiz into questions: (what is asked, {letter: option}, right letter, why, {letter: what is wrong}).

    None stands in the place of what has not the form that the page makes radio buttons of.
    """
    questions, parts = [], ANSWERED.split(text)
    for before, answer in zip(parts[:-1:2], parts[1::2], strict=True):
        asked, _, options = before.strip().rpartition("\n\n")
        right, _, wrong = answer.partition("\n\n")
        named = LETTERED.fullmatch(right)
        letter, why = named.groups() if named else (None, None)
        questions.append((asked.rpartition("\n\n")[2], lettered(options), letter, why, lettered(wrong)))
    return questions


def quiz_faults(text):
    """List what breaks the form of a quiz."""
    faults, questions = [], quiz_questions(text)
    if len(questions) not in range(3, 7) or text.count("<details") != len(questions):
        faults.append(f"{len(questions)} questions of {text.count('<details')} with an answer of the form")
    for number, (asked, options, right, _, wrong) in enumerate(questions, start=1):
        if not re.fullmatch(rf"\*\*{number}\.\*\* .*", asked, re.DOTALL):
            faults.append(f"question {number} does not begin with **{number}.**")
        if options is None or list(options) not in (list("abc"), list("abcd")):
            faults.append(f"question {number}: three or four options a, b, c (and d) should stand before the answer")
        elif right not in options:
            faults.append(f"question {number}: the answer names no option")
        elif wrong is None or list(wrong) != [letter for letter in options if letter != right]:
            faults.append(f"question {number}: after the answer a line for each other option should follow")
        elif len({*options.values()}) < len(options):
            faults.append(f"question {number}: an option stands there twice")
    return faults


def quizzes():
    """Return {path: text} of the quizzes of all chapters."""
    cells = ((path, notebooks.text_of(cell["source"])) for path in PATHS for cell in notebooks.load(path)["cells"])
    return {path: text for path, text in cells if text.startswith("## Quiz")}


@pytest.mark.parametrize(("path", "text"), quizzes().items(), ids=lambda part: getattr(part, "stem", ""))
def test_quiz_has_the_form_of_which_a_page_makes_choices(path, text):
    assert quiz_faults(text) == []


def test_every_chapter_of_a_part_ends_with_a_quiz():
    assert {path for path in PATHS if path.parent.name[0].isdigit()} == {*quizzes()}


def leaning(questions):
    """List letters, and lengths, that are right far more or less often than by chance."""
    fair, right = Counter(), Counter()
    for _, options, letter, *_ in questions:
        sizes = {key: len(words) for key, words in options.items()}
        places = {"longest": max(sizes.values()), "shortest": min(sizes.values())}
        for key, size in sizes.items():
            marks = [key, *(name for name, extreme in places.items() if size == extreme)]
            fair.update(dict.fromkeys(marks, 1 / len(options)))
            right.update(marks if key == letter else [])
    return [f"{mark}: {right[mark]} times, {fair[mark]:.1f} by chance" for mark in fair
            if not 0.6 * fair[mark] <= right[mark] <= 1.4 * fair[mark]]  # fmt: skip


def test_neither_letter_nor_length_tells_the_right_option():
    assert leaning(question for text in quizzes().values() for question in quiz_questions(text)) == []


QUESTION = """**{}.** Which?

- **a** One of
  them.
- **b** None.
- **c** All $x$.

<details class="quiz"><summary>Answer</summary>

**b** So it is.

- **a** Too few.
- **c** Too
  many.

</details>"""
QUIZ = "\n\n".join(["## Quiz", "Choose.", *map(QUESTION.format, range(1, 6))])


def test_good_quiz_is_accepted_and_read():
    assert quiz_faults(QUIZ) == []
    options = {"a": "One of\n  them.", "b": "None.", "c": "All $x$."}
    read = ("**5.** Which?", options, "b", "So it is.", {"a": "Too few.", "c": "Too\n  many."})
    assert quiz_questions(QUIZ)[-1] == read


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("**4.** Which?", "**5.** Which?", "question 4 does not begin"),
        ("- **c** All $x$.\n", "", "three or four options"),
        ("- **c** All $x$.", "- **d** All $x$.", "three or four options"),
        ("- **c** All $x$.", "- c All $x$.", "three or four options"),
        ("- **c** All $x$.\n", "- **c** All $x$.\n\nWell?\n", "three or four options"),
        ("- **c** All $x$.", "- **c** None.", "twice"),
        ("**b** So", "**d** So", "names no option"),
        ("**b** So", "So", "names no option"),
        ("- **a** Too few.\n", "", "a line for each other option"),
        ("- **a** Too few.", "- **a** Too few.\n- **b** Well.", "a line for each other option"),
        ("\n\n- **a** Too few.", "\n\nWell.\n\n- **a** Too few.", "a line for each other option"),
        ('<details class="quiz">', "<details>", "questions of 5"),
    ],
)
def test_broken_quiz_is_found(old, new, fault):
    broken = new.join(QUIZ.rsplit(old, 1))
    assert broken != QUIZ
    assert fault in " ".join(quiz_faults(broken))


@pytest.mark.parametrize("count", [2, 7])
def test_quiz_of_too_few_or_many_questions_is_found(count):
    quiz = "\n\n".join(["## Quiz", *map(QUESTION.format, range(1, count + 1))])
    assert quiz_faults(quiz) == [f"{count} questions of {count} with an answer of the form"]


def test_a_quiz_that_tells_its_answers_is_found():
    assert leaning(quiz_questions(QUIZ)) == [
        "a: 0 times, 1.7 by chance",
        "longest: 0 times, 1.7 by chance",
        "b: 5 times, 1.7 by chance",
        "shortest: 5 times, 1.7 by chance",
        "c: 0 times, 1.7 by chance",
    ]


@every_notebook
def test_formulas_are_written_in_tex(path):
    """KaTeX warns of ½ and the like, and a warning stops the build of the book after all the rest."""
    texts = [
        re.sub(r"`[^`]*`", "", notebooks.text_of(cell["source"]))
        for cell in notebooks.load(path)["cells"]
        if cell["cell_type"] == "markdown"
    ]
    formulas = [part for text in texts for part in re.findall(r"\$\$.+?\$\$|\$[^$\n]+\$", text, re.DOTALL)]
    assert [part for part in formulas if not part.replace("°", "").isascii()] == []


def test_no_two_pages_have_the_same_name():
    """Cases of exercises, claims and terms are found by it, and so are pages by who speaks of them."""
    names = Counter(path.stem for path in notebooks.notebooks())
    assert [name for name, pages in names.items() if pages > 1] == []


def test_every_chapter_is_in_the_table_of_contents_and_the_other_way_round():
    """A chapter missing from _toc.yml is not built; an entry without a file stops the build."""
    toc = yaml.safe_load((notebooks.ROOT / "_toc.yml").read_text(encoding="utf-8"))
    listed = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    for part in toc["parts"]:
        for chapter in part["chapters"]:
            listed += [section["file"] for section in chapter.get("sections", [])]
    written = [
        str(path.relative_to(notebooks.ROOT).with_suffix(""))
        for path in (notebooks.ROOT / "chapters").rglob("*")
        if path.suffix in {".ipynb", ".md"} and ".ipynb_checkpoints" not in path.parts
    ]
    assert sorted(listed) == sorted(written)


def test_map_of_the_course_names_its_chapters_in_order_with_their_minutes():
    toc = yaml.safe_load((notebooks.ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [entry["file"] for part in toc["parts"] if part.get("numbered") for entry in part["chapters"]]
    stated = []
    for number, chapter in enumerate(chapters, 1):
        text = (notebooks.ROOT / f"{chapter}.ipynb").read_text(encoding="utf-8")
        first = " ".join("".join(json.loads(text)["cells"][0]["source"]).split())
        reading, exercises = re.search(r"About (\d+) minutes to read, (\d+) for the exercises", first).groups()
        stated.append((str(number), chapter, reading, exercises))
    text = (notebooks.ROOT / "intro.md").read_text(encoding="utf-8")
    entry = r"^(\d+)\. \{doc\}`([^`]*)`: [^*]*\?\s+\*(\d+) \+ (\d+) min\*$"
    assert re.findall(entry, text, re.MULTILINE) == stated


def test_stripping_keeps_source_and_compared_text_only():
    """`make notebooks` must lose nothing an author wrote and keep nothing that changes."""
    image = {"output_type": "display_data", "data": {"image/png": "AAAA"}, "metadata": {}}
    text = {"output_type": "stream", "name": "stdout", "text": ["0.12\n"]}
    noise = {"output_type": "stream", "name": "stderr", "text": ["warned\n"]}
    ran = {
        "cell_type": "code",
        "execution_count": 7,
        "source": "print(0.12)",
        "outputs": [text, image, noise],
    }
    notebook = {
        "cells": [
            {**ran, "id": "kept", "metadata": {"tags": ["nbval-check-output"], "execution": {"t": "12:00"}}},
            {**ran, "id": "dropped", "metadata": {"collapsed": False, "mystnb": {"image": {"alt": "A line"}}}},
            {"cell_type": "markdown", "id": "dropped", "metadata": {}, "source": ["# A\n", "\n", "b"]},
        ],
        "metadata": {"widgets": {"state": {}}, "language_info": {"version": "3.12.1"}},
    }
    kept, dropped, prose = notebooks.stripped(notebook)["cells"]
    assert kept["outputs"] == [text]
    assert kept["execution_count"] == 1
    assert kept["metadata"] == {"tags": ["nbval-check-output"]}
    assert dropped["outputs"] == []
    assert dropped["metadata"] == {"mystnb": {"image": {"alt": "A line"}}}
    assert prose["source"] == ["# A\n", "\n", "b"]
    assert prose["id"] != dropped["id"]
    once = notebooks.stripped(notebook)
    assert notebooks.dump(notebooks.stripped(once)) == notebooks.dump(once)
    assert "12:00" not in notebooks.dump(once)


CLOCKS = {"perf_counter", "process_time", "monotonic", "time_ns", "timeit", "perf_counter_ns", "thread_time"}


def names_in(node):
    """Return the names and attributes that a piece of syntax mentions."""
    return {getattr(part, "id", getattr(part, "attr", None)) for part in ast.walk(node)} - {None}


def names_of_its_own(function):
    """Return the parameters and variables of a function."""
    own = {part.arg for part in ast.walk(function) if isinstance(part, ast.arg)}
    return own | {
        part.id for part in ast.walk(function) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }


def timed_assertions(source):
    """Return the lines of assertions that depend on a clock, through variables and functions."""
    tree, timed = ast.parse(source), set(CLOCKS)
    before = None
    while before != timed:
        before = set(timed)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and (names_in(node) - names_of_its_own(node)) & timed:
                timed.add(node.name)
            elif isinstance(node, ast.Assign | ast.AugAssign) and names_in(node.value) & timed:
                for target in getattr(node, "targets", [getattr(node, "target", None)]):
                    while isinstance(target, ast.Subscript | ast.Attribute):
                        target = target.value
                    parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
                    timed |= {part.id for part in parts if isinstance(part, ast.Name)}
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert) and names_in(node.test) & timed]


def test_a_timed_assertion_is_seen():
    program = "start = time.perf_counter()\nspent = {}\nspent['a'] = time.perf_counter() - start\n"
    assert timed_assertions(program + "assert spent['a'] < 1") == [4]
    assert timed_assertions(program + "assert 1 < 2") == []
    assert timed_assertions("def f():\n    return process_time()\nx = f()\nassert x > 0") == [4]


@every_notebook
def test_no_assertion_rests_on_a_clock(path):
    """A machine that is busy with something else must not fail a chapter."""
    cells = [
        notebooks.text_of(cell["source"])
        for cell in notebooks.load(path)["cells"]
        if cell["cell_type"] == "code" and not notebooks.text_of(cell["source"]).startswith("%")
    ]
    assert timed_assertions("\n".join(cells)) == []


@pytest.mark.parametrize("path", sorted(Path(__file__).parent.glob("test_site_*.py")), ids=lambda path: path.name)
def test_no_test_of_the_pages_rests_on_a_clock(path):
    assert timed_assertions(path.read_text(encoding="utf-8")) == []
