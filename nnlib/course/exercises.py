"""Self-checks: an exercise says whether an answer is right, or what is off.

A chapter writes the check of an exercise once, as a function that receives the reader's answer::

    @exercise(wrong=[1 / 64, 64.0])
    def check_limit(limit):
        if np.isclose(limit, np.sqrt(1 / 64)):
            return "that is the standard deviation; how far does a uniform draw with it reach?"
        return np.isclose(limit, np.sqrt(3 / 64))

The recorded wrong answers are put to the check when it is defined. A check that accepts one of them stops the
notebook there, so no chapter can be built whose exercises take anything for right.
"""

import functools
from dataclasses import dataclass

__all__ = ["Verdict", "exercise"]


@dataclass(frozen=True)
class Verdict:
    """What a check says about an answer; true only if the answer is right."""

    right: bool
    text: str

    def __bool__(self):
        return self.right

    def __repr__(self):
        return self.text


RIGHT = Verdict(True, "✓ Right.")
NOT_ANSWERED = Verdict(False, "… Not answered yet: replace the three dots.")
_UNSTATED = "that is not it"


class _NotAnswered(Exception):
    pass


def _watched(answer):
    """Let a function that still returns the three dots count as not answered."""
    if not callable(answer):
        return answer

    @functools.wraps(answer)
    def call(*args, **kwargs):
        result = answer(*args, **kwargs)
        if result is ...:
            raise _NotAnswered
        return result

    return call


def exercise(*, wrong):
    """Turn a function that judges an answer into the self-check of an exercise.

    Parameters
    ----------
    wrong : sequence
        Answers that readers plausibly give and that are wrong; at least two. Where the check takes several
        answers, each entry is a tuple of them.

    Returns
    -------
    decorator
        The decorated function takes the reader's answers and returns a `Verdict`. The function itself returns
        True (right), False (wrong) or a sentence that says what is off. An answer of ``...``, or a function
        that returns it, is not answered yet; an answer that makes the check raise is wrong.

    Raises
    ------
    ValueError
        If fewer than two wrong answers are recorded, or if the check accepts one of them.
    TypeError
        If the function returns anything else.

    Examples
    --------
    >>> @exercise(wrong=[5, "four"])
    ... def check_sum(total):
    ...     return total == 4
    >>> check_sum(...)
    … Not answered yet: replace the three dots.
    >>> check_sum(5)
    ✗ Not yet: that is not it.
    >>> check_sum(4)
    ✓ Right.
    """
    if not isinstance(wrong, list | tuple) or len(wrong) < 2:
        raise ValueError(f"wrong must be a list of at least two wrong answers; got {wrong!r}")

    def decorate(judge):
        if not callable(judge):
            raise TypeError(f"exercise must decorate a function; got {judge!r}")

        @functools.wraps(judge)
        def check(*answers):
            if any(answer is ... for answer in answers):
                return NOT_ANSWERED
            try:
                finding = judge(*map(_watched, answers))
            except _NotAnswered:
                return NOT_ANSWERED
            except Exception as error:  # any answer may come, and none may end in a traceback
                finding = f"it cannot be checked ({type(error).__name__}: {error})"
            if isinstance(finding, str):
                finding = finding.strip()
                end = "" if finding.endswith((".", "?", "!")) else "."
                return Verdict(False, f"✗ Not yet: {finding}{end}")
            if finding is None or getattr(finding, "ndim", 0):
                raise TypeError(f"{judge.__name__} must return True, False or a sentence; got {finding!r}")
            return RIGHT if finding else Verdict(False, f"✗ Not yet: {_UNSTATED}.")

        for answer in wrong:
            if check(*answer) if isinstance(answer, tuple) else check(answer):
                raise ValueError(f"{judge.__name__} accepts {answer!r}, which is recorded as wrong")
        return check

    return decorate
