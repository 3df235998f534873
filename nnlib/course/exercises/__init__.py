"""Self-checks: an exercise says whether an answer is right, or what is off.

A chapter writes the check of an exercise once, under the names of the reader's answers. Where the answer is data, so
is the check: the right value, and the wrong ones that readers plausibly give, each with what is said about it::

    check_limit = question(
        limit=number(
            np.sqrt(6 / 400),
            hints={np.sqrt(2 / 400): "that is the standard deviation; how far does a uniform draw with it reach?"},
            otherwise="which of the two fans counts?",
        )
    )

`check_limit(limit)` judges an answer, and ``check_limit.question()`` tells the same as data, for a page that has no
Python. Where more than one answer is right, or a function is asked for, a function judges::

    @exercise(W=array(3, "units"), v=array("units"), wrong=[...])
    def check_weights(W, v):
        return bool(np.all(W @ v == 1)) or "each row of W should add up to 1 under v"

The kinds (`number`, `numbers`, `choice`, `choices`; `array`, `several`, `function`, `instance`, `either`) take an
answer in any form that means the same, hand a copy of it on, and refuse everything else in a sentence. Recorded
wrong answers are put to the check when it is defined. A check that accepts one of them stops the notebook there, so
no chapter can be built whose exercises take anything for right.

`checks` judges; `page` lets the reader answer on the built page.
"""

from .checks import (
    NOT_ANSWERED,
    RIGHT,
    Check,
    Verdict,
    array,
    choice,
    choices,
    either,
    exercise,
    function,
    instance,
    number,
    numbers,
    question,
    several,
)

__all__ = [
    "NOT_ANSWERED", "RIGHT", "Check", "Verdict", "array", "choice", "choices", "either", "exercise", "function",
    "instance", "number", "numbers", "question", "several",
]  # fmt: skip
