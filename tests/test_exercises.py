"""Self-checks must never praise a wrong answer, never end in a traceback, and take right answers in any form."""

import inspect
import random
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from exercise_table import KINDS, names_assigned

from nnlib.course import exercises
from nnlib.course.exercises import (
    array,
    choice,
    choices,
    exercise,
    function,
    instance,
    number,
    numbers,
    question,
    several,
)


@exercise(total=number(), wrong=[5, "four", None])
def check_sum(total):
    if total == 22:
        return "that is 2 and 2 side by side, not their sum."
    return total == 4


@exercise(relu=function(array()), wrong=[lambda z: z, lambda z: np.maximum(z, 1)])
def check_relu(relu):
    return bool(np.all(relu(np.array([-2.0, 3.0])) == [0, 3]))


@exercise(first=number(), second=number(), wrong=[(1, 1), (2, 1)])
def check_pair(first, second):
    return (first, second) == (1, 2)


def test_right_answer_is_right():
    assert check_sum(4)
    assert repr(check_sum(np.float64(4))) == "✓ Right."
    assert check_relu(lambda z: np.maximum(z, 0))
    assert check_pair(1, 2)


def test_wrong_answer_says_what_is_off():
    assert not check_sum(22)
    assert repr(check_sum(22)) == "✗ Not yet: that is 2 and 2 side by side, not their sum."
    assert repr(check_sum(3)) == "✗ Not yet: that is not it."


def test_hint_that_asks_keeps_its_question_mark():
    check = exercise(asked=number(), wrong=[0, 1])(lambda asked: "which index?" if asked else "too\n large.")
    assert repr(check(1)) == "✗ Not yet: which index?"
    assert repr(check(0)) == "✗ Not yet: too large."


def unanswered(z):
    return ...


def half_answered(z):
    return z, ...


@pytest.mark.parametrize(
    ("check", "answers"),
    [
        (check_sum, [...]),
        (check_pair, [1, ...]),
        (check_relu, [unanswered]),
        (check_relu, [half_answered]),
        (check_sum, [[...]]),
        (check_sum, [{"total": ...}]),
    ],
)
def test_three_dots_are_not_answered_yet(check, answers):
    verdict = check(*answers)
    assert not verdict
    assert repr(verdict).startswith("… Not answered yet")


@pytest.mark.parametrize("answer", [None, "relu", 3, [1, 2], lambda: 0, lambda z: 1 / 0, lambda z: sys.exit(1)])
def test_strange_answer_ends_in_a_sentence_not_in_a_traceback(answer):
    verdict = check_relu(answer)
    assert not verdict
    assert repr(verdict).startswith("✗ Not yet")


def test_what_a_readers_function_raises_is_said_and_a_check_that_fails_is_told_apart():
    assert repr(check_relu(lambda z: 1 / 0)) == "✗ Not yet: relu stops with ZeroDivisionError: division by zero."
    check = exercise(asked=number(), wrong=[0, 1])(lambda asked: 1 / 0)
    assert repr(check(2)) == "✗ Not yet: it cannot be checked (ZeroDivisionError: division by zero)."


def test_too_many_or_too_few_answers_are_refused():
    assert repr(check_pair(1)) == "✗ Not yet: 2 answers are asked (first, second); 1 came."
    assert not check_sum(4, 4)


def test_check_that_accepts_a_recorded_wrong_answer_stops_the_notebook():
    with pytest.raises(ValueError, match="check_anything accepts 2, which is recorded as wrong"):

        @exercise(answer=number(), wrong=[1, 2])
        def check_anything(answer):
            return answer > 1

    with pytest.raises(ValueError, match=r"check_both accepts \(2, 1\)"):

        @exercise(one=number(), other=number(), wrong=[(1, 1), (2, 1)])
        def check_both(one, other):
            return one > 1


def test_recorded_wrong_answers_have_as_many_parts_as_are_asked():
    with pytest.raises(ValueError, match="takes 2 answers; recorded as wrong is"):
        exercise(one=number(), other=number(), wrong=[(1, 1, 1), (2, 1)])(lambda one, other: False)
    with pytest.raises(ValueError, match="takes 2 answers; recorded as wrong is 3"):
        question(one=number(1), other=number(2), wrong=[3])


def test_an_exercise_records_at_least_two_wrong_answers():
    for wrong in ([1], 3):
        with pytest.raises(ValueError, match="wrong must be a list of at least two wrong answers; got"):
            exercise(wrong=wrong)
    with pytest.raises(ValueError, match="at least two wrong answers"):
        question(total=number(4, hints={5: "too large"}))
    with pytest.raises(TypeError, match="exercise must decorate a function; got 3"):
        exercise(wrong=[1, 2])(3)


@pytest.mark.parametrize("kinds", [{}, {"other": number()}, {"answer": 3}])
def test_every_answer_has_a_kind(kinds):
    with pytest.raises(TypeError, match="must name a kind for each of answer; got"):
        exercise(wrong=[1, 2], **kinds)(lambda answer: False)


@pytest.mark.parametrize("kind", [number(), array(3), function(), 3])
def test_a_question_knows_its_right_answers(kind):
    with pytest.raises(TypeError, match="answer must be a number, numbers, choice or choices with its right value"):
        question(answer=kind, wrong=[1, 2])


@pytest.mark.parametrize("finding", [None, np.array([True, True])])
def test_check_that_forgets_to_say_true_or_false_is_refused(finding):
    with pytest.raises(TypeError, match="must return True, False or a sentence"):

        @exercise(answer=number(), wrong=[1, 2])
        def check_nothing(answer):
            return finding


def test_the_table_has_forms_for_every_kind():
    kinds = {kind for _, kind in inspect.getmembers(exercises, inspect.isclass) if hasattr(kind, "take")}
    assert kinds == set(KINDS)


# Questions --------------------------------------------------------------------------------------------------------

RANK = number(36, hints={35: "one too few", 35.1: "round up", (40, np.inf): "too many"}, otherwise="start again")


def said(check, *answers):
    return repr(check(*answers)).removeprefix("✗ Not yet: ")


def test_whole_numbers_must_be_met_and_others_to_three_digits():
    whole, share = question(k=RANK), question(share=number(1 / 6, {0.2: "one in five"}, "no"), wrong=[1])
    assert whole(36.0)
    assert [said(whole, k) for k in (35, 35.1, 40, 36.001, 37)] == [
        "one too few.",
        "round up.",
        "too many.",
        "start again.",
        "start again.",
    ]
    assert all(share(value) for value in (0.167, 0.1667, 0.16666666, "1/6"))
    assert said(share, 0.17) == "that is rounded too far; give at least 3 digits."
    assert said(share, 0.2) == "one in five."  # the author's hint comes before the one on rounding
    assert said(share, 0.168) == "no."


def test_a_tolerance_replaces_the_three_digits():
    check = question(w=number(0.88416, hints={0.88204: "no correction"}, tolerance=1e-4), wrong=[0.9])
    assert check(0.8842)
    assert said(check, 0.88204) == "no correction."
    assert said(check, 0.884) == "that is rounded too far; give at least 4 digits."


def test_parts_are_judged_in_order_and_hints_on_all_come_first():
    check = question(
        hints={(3, 10): "the wrong way round"},
        mean=number(10, hints={11: "too large"}),
        median=number(3, otherwise="the median is off"),
        wrong=[(1, 1)],
    )
    assert said(check, 3, 10) == "the wrong way round."
    assert said(check, 11, 0) == "too large."
    assert said(check, 12, 0) == "mean is not right yet."
    assert said(check, 10, 0) == "the median is off."
    assert check(10, 3)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"k": number(4, hints={4: "never said", 5: "a"})}, "accepts"),
        ({"k": number(4, hints={(0, 3): "small", 2: "never said"})}, "says '✗ Not yet: small.', never 'never said'"),
        ({"k": number(4), "wrong": [5, 4]}, "accepts"),
        ({"k": choice(True, {"true": "never said"}), "wrong": [False, 0]}, "accepts"),
        ({"k": numbers((1, 2), {(1, None): "never said"}), "wrong": [(2, 2), (2, 1)]}, None),
    ],
)
def test_a_hint_that_can_never_be_said_stops_the_notebook(parts, message):
    if message is None:
        assert said(question(**parts), (1, 3)) == "never said."
        return
    with pytest.raises(ValueError, match=message):
        question(**parts)


def test_choices_name_the_first_wrong_one_and_count_what_is_missing():
    check = question(names=choices({"a", "b"}, {"c": "c is off", "d": "d is off"}, "{missing} more"))
    assert check(["b", "A"])
    assert said(check, {"a", "d", "c"}) == "c is off."
    assert said(check, []) == "2 more."
    assert said(check, ["e"]) == "'e' is not one of a, b, c, d."


def test_numbers_know_other_right_answers_and_other_lengths():
    check = question(
        shape=numbers((50,), {(100,): "one per unit", (32, 50): "one per unit, not per row"}, also=[(1, 50)])
    )
    assert all(check(shape) for shape in (50, (50,), [1, 50], "(1, 50)", np.array([[50]])))
    assert said(check, (32, 50)) == "one per unit, not per row."
    assert said(check, (50, 50)) == "that is not it."


# Kinds ------------------------------------------------------------------------------------------------------------


def taken(kind, answer):
    """Return what the judge of an exercise gets."""
    got = []
    exercise(it=kind, wrong=[..., ...])(lambda it: bool(got.append(it)))(answer)
    return got[0] if got else None


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.5", 1.5), (" −2 ", -2), ("6,097,920", 6_097_920), ("3/16", 3 / 16), (".5", 0.5), ("1e-3", 1e-3), ("4.", 4)],
)
def test_texts_that_say_a_number_are_numbers(text, value):
    assert taken(number(), text) == value


@pytest.mark.parametrize("text", ["", ".", "-", "1,5", "1/0", "1 2", "one", "nan", "inf", "1_000", "0x10", "²"])
def test_other_texts_are_none(text):
    assert taken(number(), text) is None


def test_lengths_that_share_a_name_must_agree():
    check = exercise(W=array(3, "units"), b=array("units"), wrong=[([], []), (1, 1)])(lambda W, b: True)
    assert check(np.ones((3, 2)), [1, 2])
    assert said(check, np.ones((3, 2)), [1, 2, 3]) == "b should have the shape (2,); yours has (3,)."
    assert said(check, np.ones((2, 2)), [1, 2]) == "W should have the shape (3, units); yours has (2, 2)."
    assert said(check, np.full((3, 1), np.nan), [1]) == "W should hold finite numbers; yours holds nan."


def test_several_come_as_tuple_or_by_name():
    kind = several(one=number(), two=array(2))
    for answer in ((1, [2, 3]), [1, (2, 3)], {"two": [2, 3], "one": "1"}):
        one, two = taken(kind, answer)
        assert (one, two.tolist()) == (1, [2, 3])
    check = exercise(it=kind, wrong=[..., ...])(lambda it: True)
    for answer in ((1,), {"one": 1}, 5, "ab", {1, 2}):
        assert said(check, answer) == "it should be 2 things: one, two."


def test_the_judge_gets_copies():
    for kind, answer in (
        (array(2), np.zeros(2)),
        (instance(pd.DataFrame, "a table"), pd.DataFrame({"a": [0.0, 0.0]})),
        (instance(list, "a list"), [[0.0], [0.0]]),
    ):

        def spoil(it):
            it[0 if isinstance(it, list) else slice(None)] = [9.0]
            return True

        before = repr(answer)
        exercise(it=kind, wrong=[..., ...])(spoil)(answer)
        assert repr(answer) == before


def test_a_function_gets_copies_and_may_spoil_them_unless_the_exercise_forbids_it():
    data = {"x": np.zeros(3), "nested": [(np.zeros(2), "text")], "table": pd.DataFrame({"a": [0.0]})}

    def spoils(x, nested, table=None):
        x[...] = 9
        nested[0][0][...] = 9
        table["a"] = 9
        return 1

    def judge(it):
        return it(data["x"], data["nested"], table=data["table"]) == 1

    assert exercise(it=function(), wrong=[..., ...])(judge)(spoils)
    assert data["x"].sum() == data["nested"][0][0].sum() == data["table"].a.sum() == 0
    strict = exercise(it=function(keeps=True), wrong=[..., ...])(judge)
    assert said(strict, spoils) == "it must leave what it is given as it was; copy first."
    assert strict(lambda x, nested, table: 1)


def test_the_global_generator_stays_as_it_was_and_is_no_substitute_for_the_one_that_comes_in():
    def draws(*given):
        return np.random.random()  # noqa: NPY002 - what a reader may do

    np.random.seed(7)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    with_rng = exercise(it=function(), wrong=[..., ...])(lambda it: it(np.random.default_rng(1)) < 2)
    without = exercise(it=function(), wrong=[..., ...])(lambda it: it(1) < 2)
    assert said(with_rng, draws) == "it draws from np.random; draw from the generator that comes in."
    assert without(draws)
    assert with_rng(lambda rng: rng.random())
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_what_a_function_returns_is_taken_by_its_kind():
    check = exercise(f=function(number()), wrong=[..., ...])(lambda f: f() == 1.5)
    assert check(lambda: np.array([[1.5]]))
    assert said(check, lambda: [1, 2]) == "what f returns should be one number; [1, 2] is none."
    assert said(check, "1.5") == "f should be a function; yours is '1.5'."


def test_no_warning_leaves_a_check():
    def warns(z):
        warnings.warn("look out", stacklevel=1)
        return np.maximum(z, 0) + 0 * (np.ones(1) / np.zeros(1)).clip(0, 1)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_relu(warns)


def test_answers_that_fight_back_are_refused_in_a_sentence():
    class Odd:
        def __repr__(self):
            raise RuntimeError

        def __array__(self, *args, **kwargs):
            raise MemoryError

        __float__ = __iter__ = __len__ = __repr__

    kinds = [number(), array(), array(2), function(), several(a=number()), instance(list, "a list")]
    checks = [exercise(it=kind, wrong=[..., ...])(lambda it: True) for kind in kinds]
    checks += [question(it=kind, wrong=[1, 2]) for kind in (number(7), numbers((7, 8)), choice("a", {"b": "c"}))]
    checks.append(question(it=choices({"a"}, {"b": "no"}, "{missing} more"), wrong=["c"]))
    for check in checks:
        assert repr(check(Odd())).startswith("✗ Not yet: it should be ")


# Names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("a, (b, *c) = 1, (2, 3)", "abc"),
        ("for a, b in []:\n    c = 1", "abc"),
        ("with open('x') as a:\n    pass", "a"),
        ("def a(b):\n    c = 1\n    c[0] = 1\n    return c", "a"),
        ("def a():\n    global b\n    b = 1", "ab"),
        ("class a:\n    b = 1", "a"),
        ("a += 1", "a"),
        ("a[0] = b.c = 1", "ab"),
        ("a[0].b[1] += 1", "a"),
        ("del a, b[0]", "ab"),
        ("import a.x, x as b\nfrom x import y as c", "abc"),
        ("print(a := 1)", "a"),
        ("x = [(a := y) for y in z]", "ax"),
        ("try:\n    pass\nexcept E as a:\n    pass", "a"),
        ("match x:\n    case [a, *b] | {'k': a, **b}:\n        pass", "ab"),
        ("print(a[0].b, [c for c in d], lambda e: e)", ""),
        ("a: int = 1", "a"),
    ],
)
def test_names_that_a_cell_assigns_are_found(source, names):
    assert names_assigned(source) == set(names)


def test_any_answer_whatever_ends_in_a_verdict():
    chooser = random.Random(1)
    pieces = [0, 1.5, "a", None, np.nan, [], {}, (), set(), np.zeros((0, 3)), object(), lambda: 0, 1j, b"x", range(3)]
    checks = [check_sum, check_relu, question(it=numbers((1, 2)), wrong=[1, 2]), question(it=RANK)]
    checks.append(question(it=choice("a", {"b": "no"}), wrong=["c"]))
    for _ in range(300):
        answer = chooser.choice(pieces)
        for _ in range(chooser.randrange(3)):
            answer = chooser.choice([[answer], (answer, chooser.choice(pieces)), {"k": answer}])
        for check in checks:
            assert isinstance(check(answer), exercises.Verdict)
