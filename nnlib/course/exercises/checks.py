"""How answers are judged: the kinds they come in, and the two ways to write a check."""

import copy
import functools
import inspect
import math
import re
import warnings
from dataclasses import dataclass, field, replace

import numpy as np

from ..explore import is_for_the_book
from . import page


@dataclass(frozen=True)
class Verdict:
    """What a check says about an answer; true only if the answer is right."""

    right: bool
    text: str
    markup: str | None = field(default=None, compare=False)  # on the built page: where to answer

    def __bool__(self):
        return self.right

    def __repr__(self):
        return self.text

    def _repr_html_(self):
        return self.markup


RIGHT = Verdict(True, "✓ Right.")
NOT_ANSWERED = Verdict(False, "… Not answered yet: replace the three dots.")
_UNSTATED = "that is not it"


def _wrong(sentence):
    sentence = " ".join(str(sentence).split())
    end = "" if sentence.endswith((".", "?", "!")) else "."
    return Verdict(False, f"✗ Not yet: {sentence}{end}")


class _NotAnswered(Exception):
    pass


class _Refused(Exception):
    """What is said about an answer that cannot be judged, or need not be."""


def _unanswered(answer):
    """Tell whether the three dots are the answer, or still in it."""
    if isinstance(answer, dict):
        answer = list(answer.values())
    return answer is ... or (isinstance(answer, list | tuple) and any(map(_unanswered, answer)))


def _shown(value):
    """Show in a sentence what came; nothing that a reader can hand in may fail here."""
    try:
        text = " ".join(repr(value).split())
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."


# Numbers ----------------------------------------------------------------------------------------------------------

# what a reader types for a number, on a page as well: 1.5, -2, 6e-3, 6,097,920, 3/16; with the minus sign of print, too
NUMBER = r"[+\-−]?(?:(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+\-−]?[0-9]+)?"
FRACTION = rf"\s*({NUMBER})\s*(?:/\s*({NUMBER}))?\s*"


def _read(text):
    """Return the number that a text says, or None."""
    found = re.fullmatch(FRACTION, text)
    if found is None:
        return None
    upper, lower = (float(part.replace("−", "-").replace(",", "")) for part in (found[1], found[2] or "1"))
    return None if math.isinf(lower) else upper / lower


def _one(value):
    """Return a value as a finite float, or None: from any container that holds nothing else, and from a text."""
    try:
        values = np.asarray(value)
        if values.size != 1 or np.iscomplexobj(values) or values.dtype.kind in "mMV":
            return None
        item = values.reshape(-1)[0]
        found = _read(item) if isinstance(item, str) else None if isinstance(item, bytes) else float(item)
        return found if found is not None and math.isfinite(found) else None
    except Exception:
        return None


def _around(value, tolerance=None):
    """Return the ends of the range in which an answer counts as this value.

    A float may be off by 0.5%, so that three digits are always enough; a whole number (an int) must be met.
    """
    if tolerance is None:
        tolerance = 0 if isinstance(value, int | np.integer) else 0.005 * abs(value)
    tolerance += 1e-9 * max(abs(value), 1e-3)  # what the arithmetic of floats may add
    return float(value - tolerance), float(value + tolerance)


def _within(value, ends):
    return ends is None or ends[0] <= value <= ends[1]


def _rounded(value, digits):
    return float(f"{value:.{digits - 1}e}")


def _rounded_too_far(right, ends):
    """Return the value rounded to too few digits, and the number of digits that would do."""
    digits = next((d for d in range(1, 16) if _within(_rounded(right, d), ends)), 1)
    return [_rounded(right, d) for d in range(1, digits)], digits


def _is_exact(kind, values):
    return kind.tolerance is None and all(isinstance(value, int | np.integer) for value in values)


def _how_exact(kind):
    return ", three digits are enough" if kind.tolerance is None else f", at most {kind.tolerance:g} off"


def _ends_as_data(ends):
    return [None if end is None or math.isinf(end) else end for end in (ends or (None, None))]


@dataclass(frozen=True)
class number:
    """One number: the right value, what is said about wrong ones, and how exact an answer must be.

    Parameters
    ----------
    right : float or int, optional
        The value; needed in a `question`. An int must be met, a float to 0.5%: three digits are enough.
    hints : dict
        What is said about a wrong value (met as closely as the right one) or about a range ``(low, high)`` of them;
        the first that fits counts. The value rounded to too few digits gets a hint of its own.
    otherwise : str, optional
        What is said about all other values.
    tolerance : float, optional
        How far off an answer may be, in place of the rule above; for the hints, too.
    """

    right: float | None = None
    hints: dict = field(default_factory=dict)
    otherwise: str | None = None
    tolerance: float | None = None

    def take(self, value, name):
        """Return the answer as a float."""
        taken = _one(value)
        if taken is None:
            raise _Refused(self.unreadable(name, _shown(value)))
        return taken

    def unreadable(self, name, came=None):
        """Say what form the answer should have."""
        return f"{name} should be one number" + (f"; {came} is none" if came else "")

    def asked(self):
        """Say on the page what to give, and how exact."""
        return "a whole number" if _is_exact(self, [self.right]) else f"a number{_how_exact(self)}"

    def ends(self, pattern):
        """Return the range that a value, a range or None (anything) stands for."""
        if pattern is None or isinstance(pattern, tuple):
            return pattern
        return _around(pattern, self.tolerance)

    def fits(self, value, pattern):
        """Tell whether an answer is this value."""
        return _within(value, self.ends(pattern))

    def cases(self, off):
        """Yield (pattern, sentence) in the order in which they are tried, without the right value."""
        yield from self.hints.items()
        coarse, digits = _rounded_too_far(self.right, self.ends(self.right))
        for value in coarse:
            yield (_around(value, 0)), f"that is rounded too far; give at least {digits} digits"
        yield None, self.otherwise or off

    def example(self, pattern):
        """Return a value that fits a pattern."""
        if not isinstance(pattern, tuple):
            return pattern
        low, high = pattern
        return low + 1 if math.isinf(high) else high - 1 if math.isinf(low) else (low + high) / 2

    def data(self, name, off):
        """Return the part of a question on a page."""
        answers = [{"type": "range", "range": _ends_as_data(self.ends(self.right)), "correct": True}]
        for pattern, sentence in self.cases(off):
            case = {"type": "default"} if pattern is None else {
                "type": "range", "range": _ends_as_data(self.ends(pattern)),
            }  # fmt: skip
            answers.append({**case, "correct": False, "feedback": _wrong(sentence).text})
        return {"type": "numeric", "pattern": FRACTION, "answers": answers}


@dataclass(frozen=True)
class numbers:
    """Several numbers in an order, such as a vector or a shape.

    Parameters
    ----------
    right : sequence of numbers
        As in `number`: ints must be met, floats to 0.5%.
    hints : dict
        What is said about wrong ones; a key is a tuple in which None stands for any number. A key of another length is
        met by answers of that length.
    otherwise : str, optional
        What is said about all others, those with too few or too many numbers included.
    tolerance : float, optional
        How far off each may be.
    also : sequence of sequences
        Other right answers.
    """

    right: tuple
    hints: dict = field(default_factory=dict)
    otherwise: str | None = None
    tolerance: float | None = None
    also: tuple = ()

    def take(self, value, name):
        """Return the answer as a list of floats."""
        if isinstance(value, str):
            value = [part for part in re.split(r"[\s,;()\[\]]+", value) if part]
        try:
            values = np.asarray(value, dtype=object)
            if isinstance(value, np.ndarray) or values.size == 1:
                values = np.asarray(value)
            taken = [_one(item) for item in values.reshape(-1)]
        except Exception:
            taken = [None]
        if None in taken or not taken:
            raise _Refused(self.unreadable(name, _shown(value)))
        return taken

    def unreadable(self, name, came=None):
        """Say what form the answer should have."""
        return f"{name} should be {len(self.right)} numbers" + (f"; yours is {came}" if came else "")

    def asked(self):
        """Say on the page what to give, and how exact."""
        exact = _is_exact(self, self.right)
        return f"{len(self.right)} {'whole ' * exact}numbers with commas between{'' if exact else _how_exact(self)}"

    def ends(self, pattern):
        """Return the range for each number."""
        return None if pattern is None else [None if p is None else _around(p, self.tolerance) for p in pattern]

    def fits(self, value, pattern):
        """Tell whether an answer is this one."""
        if pattern is None or (pattern is self.right and any(self.fits(value, other) for other in self.also)):
            return True
        return len(value) == len(pattern) and all(map(_within, value, self.ends(pattern)))

    def cases(self, off):
        """Yield (pattern, sentence) in the order in which they are tried, without the right value."""
        yield from self.hints.items()
        yield None, self.otherwise or off

    def example(self, pattern):
        """Return numbers that fit a pattern; where any will do, unlikely ones."""
        return pattern and tuple(-12345 if p is None else p for p in pattern)

    def data(self, name, off):
        """Return the part of a question on a page."""

        def case(pattern):
            return {"type": "ranges", "ranges": [_ends_as_data(ends) for ends in self.ends(pattern)]}

        answers = [{**case(right), "correct": True} for right in (self.right, *self.also)]
        for pattern, sentence in self.cases(off):
            said = {"correct": False, "feedback": _wrong(sentence).text}
            answers.append({**({"type": "default"} if pattern is None else case(pattern)), **said})
        return {"type": "numbers", "pattern": FRACTION, "answers": answers}


# Choices ----------------------------------------------------------------------------------------------------------


def _word(value):
    """Return what is compared of a choice: its text, with upper and lower case, spaces and ways to say yes made one."""
    if not isinstance(value, str):
        try:
            values = np.asarray(value)
            value = values.reshape(-1)[0] if values.size == 1 and values.dtype.kind in "biufUO" else value
        except Exception:
            return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    if value is None or isinstance(value, str | bool | np.bool_ | int | np.integer):
        return " ".join(str(value).split()).strip("'\"").casefold()
    return None


@dataclass(frozen=True)
class choice:
    """One of several options, such as True or False, or a name.

    Parameters
    ----------
    right : str, bool or None
        The right option. 1 and 0 count as True and False.
    options : dict, optional
        The wrong options, and what is said about each. Without options, any text may come.
    otherwise : str, optional
        What is said about anything else.
    """

    right: object
    options: dict = field(default_factory=dict)
    otherwise: str | None = None

    @property
    def hints(self):
        """What is said about the wrong options."""
        return self.options

    def words(self):
        """Return the options as texts, True and False in this order, others sorted."""
        shown = {str(option) for option in (self.right, *self.options)}
        return sorted(shown, reverse=shown <= {"True", "False"})

    def take(self, value, name):
        """Return the answer as one of the options."""
        word = _word(value)
        if isinstance(self.right, bool) and word in ("0", "1"):
            word = "true" if word == "1" else "false"
        for option in (self.right, *self.options):
            if word == _word(option):
                return str(option)
        if self.options and self.otherwise is None:
            raise _Refused(self.unreadable(name, _shown(value)))
        return word

    def unreadable(self, name, came=None):
        """Say what form the answer should have."""
        return f"{name} should be one of {', '.join(self.words())}" + (f"; {came} is none of them" if came else "")

    def asked(self):
        """Say on the page what to give."""
        return "choose one" if self.options else "a number, or None" if self.right is None else "a word"

    def fits(self, value, pattern):
        """Tell whether an answer is this option."""
        return pattern is _ANYTHING or value == str(pattern)

    def cases(self, off):
        """Yield (pattern, sentence) in the order in which they are tried, without the right value."""
        yield from self.options.items()
        yield _ANYTHING, self.otherwise or off

    def example(self, pattern):
        """Return an answer that fits a pattern."""
        return pattern

    def data(self, name, off):
        """Return the part of a question on a page."""
        said = {str(option): sentence for option, sentence in self.options.items()}
        answers = [
            {"answer": word, "correct": word == str(self.right)}
            | ({} if word == str(self.right) else {"feedback": _wrong(said[word]).text})
            for word in self.words()
        ]
        if self.options:
            return {"type": "multiple_choice", "answers": answers}
        otherwise = {"type": "default", "correct": False, "feedback": _wrong(self.otherwise or off).text}
        return {"type": "string", "answers": [*answers, otherwise]}


_ANYTHING = object()


@dataclass(frozen=True)
class choices:
    """Any number of names out of a list.

    Parameters
    ----------
    right : set of str
        The names that belong to the answer.
    options : dict
        The other names, and what is said where one of them is chosen.
    missing : str
        What is said where all that were named are right, and some are missing; ``{missing}`` is their number.
    """

    right: frozenset
    options: dict
    missing: str

    def __post_init__(self):
        object.__setattr__(self, "right", frozenset(self.right))

    @property
    def hints(self):
        """What is said about each name that does not belong to the answer, beside the right ones."""
        return {self.right | {option}: sentence for option, sentence in self.options.items()}

    def take(self, value, name):
        """Return the answer as a set of names."""
        if isinstance(value, str):
            value = [part for part in re.split(r"[\s,;{}()\[\]'\"]+", value) if part]
        try:
            given = list(np.asarray(value).reshape(-1) if isinstance(value, np.ndarray) else value)
        except Exception:
            raise _Refused(self.unreadable(name, _shown(value))) from None
        known = {_word(option): option for option in (*self.right, *self.options)}
        for item in given:
            if not isinstance(item, str) or _word(item) not in known:
                raise _Refused(f"{_shown(item)} is not one of {', '.join(sorted(known.values()))}")
        return frozenset(known[_word(item)] for item in given)

    def unreadable(self, name, came=None):
        """Say what form the answer should have."""
        return f"{name} should be a set of names" + (f"; yours is {came}" if came else "")

    def asked(self):
        """Say on the page what to give."""
        return "choose all that apply"

    def judge(self, value):
        """Say what is off about a set of names, or return None."""
        for option, sentence in self.options.items():
            if option in value:
                return sentence
        missing = len(self.right - value)
        return self.missing.format(missing=missing) if missing else None

    def example(self, pattern):
        """Return an answer that fits a pattern."""
        return sorted(pattern)

    def data(self, name, off):
        """Return the part of a question on a page."""
        answers = [{"answer": option, "correct": True} for option in self.right]
        answers += [
            {"answer": option, "correct": False, "feedback": _wrong(sentence).text}
            for option, sentence in self.options.items()
        ]
        order = list(self.options)  # the first wrong one in the author's order is what is talked about
        return {
            "type": "many_choice",
            "answers": sorted(answers, key=lambda answer: answer["answer"]),
            "order": order,
            "missing": _wrong(self.missing).text,
        }


# What only Python can judge ---------------------------------------------------------------------------------------


@dataclass(frozen=True, init=False)
class array:
    """An array of finite numbers; the judge gets a copy of it in floats.

    Parameters
    ----------
    *shape : int or str
        The axes: a number, or a name for a length that is the same wherever the name comes up again in the exercise.
        Without axes, any shape may come.
    """

    shape: tuple

    def __init__(self, *shape):
        object.__setattr__(self, "shape", shape)

    def take(self, value, name, lengths=None):
        """Return the answer as an array of floats."""
        lengths = {} if lengths is None else lengths
        try:
            plain = np.asarray(value)
            if np.iscomplexobj(plain) or plain.dtype.kind in "mMV" or isinstance(value, set | dict):
                raise TypeError
            taken = np.array(plain, dtype=float)
        except Exception:
            raise _Refused(self.unreadable(name, _shown(value))) from None
        if self.shape and all(axis == 1 for axis in self.shape) and taken.size == 1:
            taken = taken.reshape(self.shape)
        wanted = tuple(lengths.get(axis, axis) for axis in self.shape)
        if self.shape and (
            taken.ndim != len(wanted)
            or any(isinstance(axis, int) and axis != came for axis, came in zip(wanted, taken.shape, strict=True))
        ):
            shown = f"({', '.join(map(str, wanted))}{',' * (len(wanted) == 1)})"
            raise _Refused(f"{name} should have the shape {shown}; yours has {taken.shape}")
        if not np.isfinite(taken).all():
            raise _Refused(f"{name} should hold finite numbers; yours holds {taken[~np.isfinite(taken)].flat[0]}")
        lengths |= dict(zip(self.shape, taken.shape, strict=False))
        return taken

    def unreadable(self, name, came=None):
        """Say what form the answer should have."""
        return f"{name} should be an array of numbers" + (f"; yours is {came}" if came else "")


class several:
    """A fixed number of answers in one: a tuple, a list, or a dict by name.

    Parameters
    ----------
    **kinds
        The kind of each, under its name, in the order in which they come.
    """

    def __init__(self, **kinds):
        self.kinds = kinds

    def take(self, value, name):
        """Return the answers as a tuple."""
        if isinstance(value, dict) and set(value) == set(self.kinds):
            value = [value[part] for part in self.kinds]
        array_of_them = isinstance(value, np.ndarray) and value.ndim > 0
        if not (isinstance(value, list | tuple) or array_of_them) or len(value) != len(self.kinds):
            raise _Refused(f"{name} should be {len(self.kinds)} things: {', '.join(self.kinds)}")
        return tuple(_taken(self.kinds, value))


@dataclass(frozen=True)
class function:
    """A function that the judge calls with copies of what it hands over.

    Parameters
    ----------
    returns : kind, optional
        What the function should return; without one, the judge gets what it returns as it is.
    keeps : bool
        Whether the exercise asks that the function leaves what it is given as it was.

    Notes
    -----
    A function that is handed a generator may draw from it alone: not from ``np.random``.
    """

    returns: object = None
    keeps: bool = False

    def take(self, value, name):
        """Return the function, watched."""
        if not callable(value):
            raise _Refused(f"{name} should be a function; yours is {_shown(value)}")

        def call(*args, **kwargs):
            given = _copied((args, kwargs))
            state = np.random.get_state()  # noqa: NPY002 - a reader may draw from it; the chapter must not notice
            try:
                result = value(*given[0], **given[1])
            except (Exception, SystemExit) as error:
                raise _Refused(f"{name} stops with {_described(error)}") from None
            finally:
                moved = not _same(np.random.get_state(), state)  # noqa: NPY002
                np.random.set_state(state)  # noqa: NPY002
            if _unanswered(result):
                raise _NotAnswered
            if moved and any(isinstance(arg, np.random.Generator) for arg in (*args, *kwargs.values())):
                raise _Refused(f"{name} draws from np.random; draw from the generator that comes in")
            if self.keeps and not _same(given, (args, kwargs)):
                raise _Refused(f"{name} must leave what it is given as it was; copy first")
            return result if self.returns is None else self.returns.take(result, f"what {name} returns")

        return functools.wraps(value, updated=())(call)


@dataclass(frozen=True)
class instance:
    """An object of a class, such as a table or an optimizer; the judge gets a deep copy.

    Parameters
    ----------
    of : type or tuple of types
        Its class.
    words : str
        What is asked for, in words that fit after "should be".
    """

    of: object
    words: str

    def take(self, value, name):
        """Return a copy of the answer."""
        if isinstance(value, type) or not isinstance(value, self.of):
            raise _Refused(f"{name} should be {self.words}; yours is {_shown(value)}")
        return copy.deepcopy(value)


class either:
    """One of several kinds; the first that can take the answer does.

    Parameters
    ----------
    *kinds
        The kinds, the narrowest first.
    words : str
        What is asked for, in words that fit after "should be".
    """

    def __init__(self, *kinds, words):
        self.kinds, self.words = kinds, words

    def take(self, value, name):
        """Return what the first kind makes of the answer."""
        for kind in self.kinds:
            try:
                return kind.take(value, name)
            except _Refused:
                continue
        raise _Refused(f"{name} should be {self.words}; yours is {_shown(value)}")


def _copied(value):
    """Copy arrays and tables, and what holds them; generators, functions and models stay the same objects."""
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value)(map(_copied, value))
    if type(value) is dict:
        return {key: _copied(part) for key, part in value.items()}
    if isinstance(value, np.ndarray) or type(value).__name__ in ("DataFrame", "Series"):
        return value.copy()
    return value


def _same(one, other):
    """Tell whether two nests of arrays and tables hold the same."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, np.ndarray):
        return one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()
    return one.equals(other) if hasattr(one, "equals") else one is other or bool(one == other)


def _described(error):
    text = " ".join(str(error).split())
    return f"{type(error).__name__}" + (f": {text[:200]}" if text else "")


# The two ways to write a check ------------------------------------------------------------------------------------


def _taken(kinds, answers):
    """Take each answer by its kind; lengths that share a name must agree."""
    lengths = {}
    return [
        kind.take(answer, name, lengths) if isinstance(kind, array) else kind.take(answer, name)
        for (name, kind), answer in zip(kinds.items(), answers, strict=True)
    ]


class Check:
    """The self-check of an exercise: call it with the reader's answers and get a `Verdict`.

    Attributes
    ----------
    kinds : dict
        The kind of each answer, under its name.
    wrong : list of tuples
        The recorded wrong answers.
    """

    def __init__(self, name, kinds, judge, wrong, doc=None):
        self.__name__, self.__doc__ = name, doc
        self.kinds, self._judge = kinds, judge
        self.wrong = [self._as_tuple(answer) for answer in wrong]

    def __repr__(self):
        return f"<the check {self.__name__}({', '.join(self.kinds)})>"

    def _as_tuple(self, answer):
        answers = answer if isinstance(answer, tuple) and len(self.kinds) > 1 else (answer,)
        if len(answers) != len(self.kinds):
            raise ValueError(f"{self.__name__} takes {len(self.kinds)} answers; recorded as wrong is {answer!r}")
        return answers

    def __call__(self, *answers):
        """Judge the answers, in the order of their names."""
        if len(answers) != len(self.kinds):
            return _wrong(f"{len(self.kinds)} answers are asked ({', '.join(self.kinds)}); {len(answers)} came")
        if any(map(_unanswered, answers)):
            return self._not_answered()
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                finding = self._judge(*_taken(self.kinds, answers))
        except _NotAnswered:
            return self._not_answered()
        except _Refused as refusal:
            finding = str(refusal)
        except Exception as error:  # any answer may come, and none may end in a traceback
            finding = f"it cannot be checked ({_described(error)})"
        if isinstance(finding, str):
            return _wrong(finding)
        if finding is None or getattr(finding, "ndim", 0):
            raise TypeError(f"{self.__name__} must return True, False or a sentence; got {finding!r}")
        return RIGHT if finding else _wrong(_UNSTATED)

    def _not_answered(self):
        """Return the verdict, on the built page with the place to answer."""
        return replace(NOT_ANSWERED, markup=page.place_to_answer(self)) if is_for_the_book() else NOT_ANSWERED

    def question(self):
        """Return the exercise as data for a page without Python, or None where only Python can judge."""
        return None


class Question(Check):
    """A check that is data; see `question`."""

    def __init__(self, kinds, hints, wrong):
        self.hints = hints
        super().__init__("question", kinds, self._compare, [])
        for pattern, sentence in hints.items():
            pairs = zip(kinds.values(), pattern, strict=True)
            self._must_say(tuple(kind.right if p is None else kind.example(p) for kind, p in pairs), sentence)
        for name, kind in kinds.items():
            for pattern, sentence in kind.hints.items():
                example = {**self._right(), name: kind.example(pattern)}
                self._must_say(tuple(example.values()), sentence)
        for answer in wrong:
            self._must_say(self._as_tuple(answer), None)
        if len(self.wrong) < 2:
            raise ValueError(f"a question must know at least two wrong answers, as hints or as wrong; got {self.wrong}")

    def _right(self):
        return {name: kind.right for name, kind in self.kinds.items()}

    def _must_say(self, answers, sentence):
        """Record a wrong answer, and refuse to be defined where something else is said about it."""
        said = self(*answers)
        if said:
            raise ValueError(f"the question accepts {answers!r}, which is recorded as wrong")
        if sentence is not None and said != _wrong(sentence):
            raise ValueError(f"about {answers!r} the question says {said.text!r}, never {sentence!r}")
        self.wrong.append(answers)

    def _off(self, name):
        return _UNSTATED if len(self.kinds) == 1 else f"{name} is not right yet"

    def _readable(self, answers):
        try:
            _taken(self.kinds, answers)
        except _Refused:
            return False
        return True

    def _compare(self, *answers):
        kinds = self.kinds.items()
        for pattern, sentence in self.hints.items():
            if all(kind.fits(a, p) for (_, kind), a, p in zip(kinds, answers, pattern, strict=True)):
                return sentence
        for (name, kind), answer in zip(kinds, answers, strict=True):
            if isinstance(kind, choices):
                finding = kind.judge(answer)
            elif kind.fits(answer, kind.right):
                finding = None
            else:
                finding = next(said for pattern, said in kind.cases(self._off(name)) if kind.fits(answer, pattern))
            if finding is not None:
                return finding
        return True

    def question(self):
        """Return the exercise as data for a page without Python.

        The parts follow the model of jupyterquiz: the answers of a part are tried in order, and the first that fits
        counts. Ranges include their ends; an end of None is open. ``together`` comes before the parts; then the first
        part that is wrong is talked about. ``unreadable`` is said about what cannot be read; ``{came}`` stands for it
        as Python would show it. ``wrong`` lists the known wrong answers with Python's verdict on each.
        """
        return {
            "parts": [
                {
                    "name": name,
                    "asked": kind.asked(),
                    "unreadable": _wrong(kind.unreadable(name, "{came}")).text,
                    **kind.data(name, self._off(name)),
                }
                for name, kind in self.kinds.items()
            ],
            "together": [
                {
                    "ranges": [
                        _ends_as_data(kind.ends(p)) for kind, p in zip(self.kinds.values(), pattern, strict=True)
                    ],
                    "feedback": _wrong(sentence).text,
                }
                for pattern, sentence in self.hints.items()
            ],
            "right": [_plain(kind.right) for kind in self.kinds.values()],
            "wrong": [
                {"answers": [_plain(a) for a in answers], "says": self(*answers).text}
                for answers in self.wrong
                if self._readable(answers)
            ],
            "says": {"right": RIGHT.text, "unanswered": NOT_ANSWERED.text},
        }


def _plain(value):
    """Return an answer in the types of JSON."""
    if isinstance(value, list | tuple | frozenset | set | np.ndarray):
        return [_plain(item) for item in (sorted(value) if isinstance(value, frozenset | set) else value)]
    return value.item() if isinstance(value, np.generic) else value


def question(*, hints=None, wrong=(), **parts):
    """Make the check of an exercise whose answers are data.

    Parameters
    ----------
    hints : dict, optional
        What is said about several wrong answers together, before each is looked at: the key is a tuple with a value,
        or None for anything, for each part. For numbers only.
    wrong : sequence
        Further wrong answers (tuples where there are several parts) that must be refused.
    **parts
        The kind of each answer under its name: `number`, `numbers`, `choice` or `choices`. They are judged in order.

    Returns
    -------
    Check

    Raises
    ------
    ValueError
        If a recorded wrong answer is accepted, if a hint can never be said, or if fewer than two are recorded.

    Examples
    --------
    >>> check_edge = question(edge=number(0.2, hints={0.1: "the edge is farther out"}), wrong=[10])
    >>> check_edge(0.1)
    ✗ Not yet: the edge is farther out.
    >>> check_edge("1/5")
    ✓ Right.
    """
    for name, kind in parts.items():
        if not hasattr(kind, "data") or (isinstance(kind, number) and kind.right is None):
            raise TypeError(f"{name} must be a number, numbers, choice or choices with its right value; got {kind!r}")
    return Question(parts, hints or {}, wrong)


def exercise(*, wrong, **kinds):
    """Turn a function that judges answers into the self-check of an exercise.

    Parameters
    ----------
    wrong : sequence
        Answers that readers plausibly give and that are wrong; at least two. Where the check takes several
        answers, each entry is a tuple of them.
    **kinds
        The kind of each answer, under the name of the function's parameter.

    Returns
    -------
    decorator
        The decorated function becomes a `Check`, which takes the reader's answers and returns a `Verdict`. The
        function itself gets them as their kinds hand them on, and returns True (right), False (wrong) or a sentence
        that says what is off. An answer of ``...``, or a function that returns it, is not answered yet; an answer
        that makes the check raise is wrong.

    Raises
    ------
    ValueError
        If fewer than two wrong answers are recorded, or if the check accepts one of them.
    TypeError
        If the function returns anything else, or an answer has no kind.

    Examples
    --------
    >>> @exercise(total=number(), wrong=[5, "four"])
    ... def check_sum(total):
    ...     return total == 4
    >>> check_sum(...)
    … Not answered yet: replace the three dots.
    >>> check_sum(5)
    ✗ Not yet: that is not it.
    >>> check_sum([4])
    ✓ Right.
    """
    if not isinstance(wrong, list | tuple) or len(wrong) < 2:
        raise ValueError(f"wrong must be a list of at least two wrong answers; got {wrong!r}")

    def decorate(judge):
        if not callable(judge):
            raise TypeError(f"exercise must decorate a function; got {judge!r}")
        names = list(inspect.signature(judge).parameters)
        if sorted(names) != sorted(kinds) or not all(hasattr(kind, "take") for kind in kinds.values()):
            raise TypeError(f"exercise must name a kind for each of {', '.join(names)}; got {kinds}")
        check = Check(judge.__name__, {name: kinds[name] for name in names}, judge, wrong, judge.__doc__)
        for answers in check.wrong:
            if check(*answers):
                shown = answers if len(answers) > 1 else answers[0]
                raise ValueError(f"{judge.__name__} accepts {shown!r}, which is recorded as wrong")
        return check

    return decorate
