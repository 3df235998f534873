"""Bad and odd calls of everything public: each works right, or is refused in words and leaves everything as it was.

Refused means: `ValueError` or `TypeError` (an `OSError` where a file is the trouble) whose message names the argument
and says what it must be; and model, optimizer, generators, files and the caller's own objects are bit for bit what they
were, so that a twin which never saw the wrong call goes the same way afterwards. Works right means: exactly what
happens in a twin that is given the plain form of the argument (the float64 copy of an array, the number itself).
Here is the judge; the cases are in `refusals_of_models` and `refusals_of_parts`, made of what is in `refusals`.
"""

import re
import traceback

import numpy as np
import pytest
import refusals
import refusals_of_models
import refusals_of_parts
from refusals import state

import nnlib as nn

SAYS_WHAT_IS_ALLOWED = re.compile(r"\b(must|needs?|may|already|cannot|use|call|takes|is not a model)\b")
FROM_INSIDE = re.compile(
    r"broadcast|is not iterable|unsupported operand|unhashable|subscriptable|has no len|must be real number|ambiguous|"
    r"could not convert|not supported between|null (byte|character)|ufunc '\w+' (did|output|cannot|not)|with a seq|"
    r"expected str, bytes|inhomogeneous|has no attribute|cannot be interpreted|only 0-dimensional|can only be converted"
)
OF_PYTHON = re.compile("unexpected keyword argument|missing .* required|positional argument")


def things(world) -> list:
    """Return the objects that a refused call may not exchange for others, equal or not."""
    models = [value for value in vars(world).values() if isinstance(value, nn.Sequential)]
    return [part for m in models for part in (m.optimizer, m.loss, m.params, m.rng, *m.metrics, *m.layers)]


def complaint(error: Exception, names) -> str | None:
    """Return what is wrong with the way in which a call was refused."""
    text = str(error)
    named = any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in names)
    if isinstance(error, OSError) and {"path", "directory"} & set(names):
        return None
    if isinstance(error, MemoryError) and "allocate" in names:
        return None
    if type(error) not in (ValueError, TypeError):
        return f"it is a {type(error).__name__}"
    if OF_PYTHON.search(text) and (named or traceback.extract_tb(error.__traceback__)[-1].filename in OWN_FILES):
        return None
    if FROM_INSIDE.search(text):
        return "it is a message from the inside"
    if not named:
        return f"it names none of {', '.join(names)}"
    if not SAYS_WHAT_IS_ALLOWED.search(text):
        return "it does not say what is allowed"
    return f"it has {len(text)} characters" if len(text) > 600 else None


OWN_FILES = {module.__file__ for module in (refusals, refusals_of_models, refusals_of_parts)}


def first_difference(before, after, path="") -> str:
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        pairs = [(key, before[key], after[key]) for key in before]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = list(zip(range(len(before)), before, after, strict=True))
    else:
        return f"{path} {str(before)[:40]} became {str(after)[:40]}"
    return next(first_difference(one, other, f"{path}.{key}") for key, one, other in pairs if one != other)


def surroundings():
    return np.geterr(), np.random.get_state()[1].tobytes()  # noqa: NPY002  the global generator is not ours to touch


def judge(case, folder) -> None:
    """Make the odd call in one world, and the plain one (or none) in its twin; then the same good call in both."""
    around = surroundings()
    world, twin = (case.world(folder / name) for name in ("world", "twin"))
    odd, kept, owned = None, state(world), things(world)
    given = state(odd)
    try:
        odd = refusals.make(case.odd, world)  # an optimizer or a callback may be refused while it is made
        given = state(odd)
        result = case.call(world, odd)
    except Exception as error:
        said = f"{type(error).__name__}: {str(error)[:300]}"
        assert case.must != "work", f"must work; got {said}"
        wrong = complaint(error, case.names)
        assert wrong is None, f"{wrong}; got {said}"
        assert state(world) == kept, f"refused, but changed {first_difference(kept, state(world))} ({said})"
        assert state(odd) == given, f"refused, but changed its argument {first_difference(given, state(odd))} ({said})"
        same = [a is b for a, b in zip(owned, things(world), strict=True)]
        assert all(same), f"refused, but an object was exchanged ({said})"
    else:
        assert case.must != "refuse", f"must be refused; returned {str(result)[:100]}"
        its_own = isinstance(odd, nn.optimizers.Optimizer | np.random.Generator)  # it may use these
        assert its_own or state(odd) == given, "changed its argument"
        if case.must == "work" or case.plain is not None:
            expected = case.call(twin, refusals.make(case.plain, twin))
            assert case.same(result, expected), f"gives {str(result)[:150]}; the plain argument {str(expected)[:150]}"
    assert surroundings() == around, "changed NumPy's global generator or error state"
    assert state(case.good(world)) == state(case.good(twin)), "the good call afterwards goes another way"
    assert state(world) == state(twin), f"afterwards: {first_difference(state(twin), state(world))}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("refusals")


@pytest.mark.parametrize("case", refusals.CASES, ids=str)
def test_a_call_works_right_or_is_refused_and_changes_nothing(case, folder):
    judge(case, folder / str(id(case)))


def test_there_are_enough_calls():
    assert len(refusals.CASES) >= 800
