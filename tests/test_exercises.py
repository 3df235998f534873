"""Self-checks must never praise a wrong answer and never end in a traceback."""

import numpy as np
import pytest

from nnlib.course.exercises import exercise


@exercise(wrong=[5, "four", None])
def check_sum(total):
    if total == 22:
        return "that is 2 and 2 side by side, not their sum."
    return total == 4


@exercise(wrong=[lambda z: z, lambda z: np.maximum(z, 1)])
def check_relu(relu):
    return bool(np.all(relu(np.array([-2.0, 3.0])) == [0, 3]))


@exercise(wrong=[(1, 1), (2, 1)])
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
    check = exercise(wrong=["a hint", "another"])(lambda answer: answer)
    assert repr(check("which index is summed over?")) == "✗ Not yet: which index is summed over?"
    assert repr(check("too large.")) == "✗ Not yet: too large."


def unanswered(z):
    return ...


@pytest.mark.parametrize(("check", "answers"), [(check_sum, [...]), (check_pair, [1, ...]), (check_relu, [unanswered])])
def test_three_dots_are_not_answered_yet(check, answers):
    verdict = check(*answers)
    assert not verdict
    assert repr(verdict).startswith("… Not answered yet")


@pytest.mark.parametrize("answer", [None, "relu", 3, [1, 2], lambda: 0, lambda z: 1 / 0])
def test_strange_answer_ends_in_a_sentence_not_in_a_traceback(answer):
    verdict = check_relu(answer)
    assert not verdict
    assert repr(verdict).startswith("✗ Not yet")


def test_check_that_accepts_a_recorded_wrong_answer_stops_the_notebook():
    with pytest.raises(ValueError, match="check_anything accepts 2, which is recorded as wrong"):

        @exercise(wrong=[1, 2])
        def check_anything(answer):
            return answer > 1


def test_an_exercise_records_at_least_two_wrong_answers():
    for wrong in ([1], 3):
        with pytest.raises(ValueError, match="wrong must be a list of at least two wrong answers; got"):
            exercise(wrong=wrong)
    with pytest.raises(TypeError, match="exercise must decorate a function; got 3"):
        exercise(wrong=[1, 2])(3)


@pytest.mark.parametrize("finding", [None, np.array([True, True])])
def test_check_that_forgets_to_say_true_or_false_is_refused(finding):
    with pytest.raises(TypeError, match="must return True, False or a sentence"):

        @exercise(wrong=[1, 2])
        def check_nothing(answer):
            return finding
