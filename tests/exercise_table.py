"""Right answers in many forms, near misses and nonsense for every kind of answer, and the checks to try them on."""

import ast
import contextlib
import copy
import functools
import io
import os
import pickle
import symtable
import sys
import tempfile
import types
import warnings
from decimal import Decimal
from fractions import Fraction

import IPython.display
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from nnlib.course import explore
from nnlib.course.exercises import checks as ask
from tools import notebooks

# Names in cells ---------------------------------------------------------------------------------------------------


def _scopes(scope):
    yield scope
    for inner in scope.get_children():
        yield from _scopes(inner)


def _base(node):
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return getattr(node, "id", None)


def names_assigned(source):
    """Return the names that a cell assigns, deletes or changes in part: by any statement, outside of functions."""
    top, *inner = _scopes(symtable.symtable(source, "cell", "exec"))
    names = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    names |= {
        symbol.get_name()
        for scope in inner
        for symbol in scope.get_symbols()
        if symbol.is_declared_global() and symbol.is_assigned()
    }
    for node in _outside_functions(ast.parse(source)):
        stored = not isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        if stored and isinstance(node, ast.Name | ast.Subscript | ast.Attribute):
            names |= {_base(node)} - {None}
    return names


def _outside_functions(node):
    yield node
    for part in ast.iter_child_nodes(node):
        if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef | ast.comprehension):
            yield from _outside_functions(part)


def _names_imported(source):
    """Return the names that a cell imports."""
    symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    return {symbol.get_name() for symbol in symbols if symbol.is_imported()}


def _names_called(source):
    """Return the names of which a cell calls a method for what it does, as in model.fit(...)."""
    calls = [node.value.func for node in ast.walk(ast.parse(source)) if _is_call(node)]
    return {_base(call) for call in calls if isinstance(call, ast.Attribute)}


def _is_call(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def _names_read(source):
    """Return the names that a cell reads from outside, in functions as well."""
    return {
        symbol.get_name()
        for scope in _scopes(symtable.symtable(source, "cell", "exec"))
        for symbol in scope.get_symbols()
        if symbol.is_referenced() and (scope.get_type() == "module" or symbol.is_global())
    }


# The checks of a chapter ------------------------------------------------------------------------------------------


class Chapter:
    """The checks of a chapter, in a namespace that holds what they read, and what its solutions answer.

    With `questions` set, only those checks that are data; no solution runs, so that this takes next to no time.
    """

    def __init__(self, path, questions=False):
        cells = [
            (notebooks.tags(cell), notebooks.text_of(cell["source"]))
            for cell in notebooks.load(path)["cells"]
            if cell["cell_type"] == "code" and not notebooks.text_of(cell["source"]).startswith("%")
        ]
        if questions:
            cells = [(marks, source) for marks, source in cells if _is_about_questions(marks, source)]
        self.space, self.solved, self.folders = {"__name__": "__main__"}, {}, []
        with (
            _in_folder(path.parent),
            _without_figures(),
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            for marks, source in _needed(cells):
                before = dict(self.space)
                if "solution" in marks:
                    for name, check in self.checks().items():
                        self.space[name] = self._recorder(name, check)
                exec(compile(source, f"{path.name}", "exec"), self.space)
                self.folders += [v for v in self.space.values() if isinstance(v, tempfile.TemporaryDirectory)]
                if "solution" in marks:
                    self.space.update({name: before[name] for name in before if isinstance(before[name], ask.Check)})

    def _recorder(self, name, check):
        def record(*answers):
            self.solved.setdefault(name, []).append(answers)
            return check(*answers)

        return record

    def close(self):
        """Remove the folders that its cells have made."""
        for folder in self.folders:
            folder.cleanup()

    def checks(self):
        """Return the checks by name."""
        return {name: value for name, value in self.space.items() if isinstance(value, ask.Check)}


def _is_about_questions(marks, source):
    return "solution" not in marks and ("checker" not in marks or "question(" in source)


def _needed(cells):
    """Leave out the cells on which neither checks nor solutions depend."""
    wanted, kept = set(), []
    modules = set().union(*(_names_imported(source) for _, source in cells))
    for marks, source in reversed(cells):
        if marks & {"exercise", "self-check"}:
            continue
        makes = names_assigned(source) | _names_called(source) - modules
        if marks & {"checker", "solution"} or makes & wanted:
            wanted |= _names_read(source)
            kept.append((marks, source))
    return reversed(kept)


@contextlib.contextmanager
def _without_figures():
    """Leave out what the checks do not need and what takes the most time: drawing every state of the sliders.

    The style in which a chapter draws stays its own.
    """
    before = explore.explore, explore.picture, IPython.display.display
    explore.explore = explore.picture = lambda *args, **kwargs: None
    IPython.display.display = lambda *args, **kwargs: types.SimpleNamespace(update=lambda shown: None)
    try:
        with plt.rc_context():
            yield
    finally:
        explore.explore, explore.picture, IPython.display.display = before
        plt.close("all")


@contextlib.contextmanager
def _in_folder(folder):
    before, modules = os.getcwd(), list(sys.path)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        os.chdir(before)
        sys.path[:] = modules


# Forms of a right answer ------------------------------------------------------------------------------------------


def _readonly(values):
    values = np.array(values)
    values.setflags(write=False)
    return values


def _forms_of_number(kind, value):
    value = float(np.asarray(value, dtype=float).reshape(-1)[0]) if not isinstance(value, str) else float(value)
    yield from (value, np.float64(value), np.array(value), [value], (value,), np.array([value]), np.array([[value]]))
    yield from (repr(value), f"  {value!r} ", np.array([repr(value)]), Decimal(value), Fraction(value))
    yield from (np.longdouble(value), pd.Series([value]), _readonly([value]), np.array([value], dtype=object))
    if value == int(value):
        yield from (int(value), np.int64(value), [int(value)], str(int(value)), f"{int(value):,}", f"{int(value)}.")
    if value in (0, 1):
        yield from (bool(value), np.bool_(value))
    if kind.right is not None:
        digits = ask._rounded_too_far(kind.right, kind.ends(kind.right))[1]
        yield from (float(f"{kind.right:.{digits - 1 + more}e}") for more in range(2))
        yield f"{kind.right:.{digits - 1}e}".replace("-", "−")


def _forms_of_numbers(kind, value):
    for right in (kind.right, *kind.also):
        yield from (tuple(right), list(right), np.array(right), np.array(right, dtype=float), _readonly(right))
        yield from (
            np.array(right, dtype=object),
            pd.Series(list(right)),
            [str(item) for item in right],
            str(np.asarray(right).tolist()),
        )
        yield from (np.reshape(right, (-1, 1)), np.reshape(right, (1, -1)), [[item] for item in right])
        yield from (tuple(map(np.float64, right)), [np.array([item]) for item in right])
        if len(right) == 1:
            yield from (right[0], str(right[0]))


def _forms_of_choice(kind, value):
    right = kind.right
    yield from (right, str(right), f" {right} ", str(right).upper(), str(right).lower(), [right], (right,))
    yield from (np.array(right), np.array([right]), np.array([right], dtype=object), repr(str(right)), [str(right)])
    if isinstance(right, bool):
        yield from (np.bool_(right), int(right), np.int64(right), float(right))


def _forms_of_choices(kind, value):
    right = sorted(kind.right)
    yield from (set(right), frozenset(right), right, right[::-1], tuple(right), np.array(right), dict.fromkeys(right))
    yield from (", ".join(right), " ".join(right), str(set(right)), right + right[:1], [item.upper() for item in right])
    yield from (dict.fromkeys(right).keys(), [f" {item} " for item in right])


def _forms_of_array(kind, value):
    value = np.asarray(value, dtype=float)
    yield from (value, value.tolist(), value.copy(order="F"), _readonly(value), value.astype(object))
    yield from (value.astype(np.longdouble), np.repeat(value[None], 2, axis=0)[0], value.astype(str), value[...])
    yield from (np.flip(np.flip(value).copy()), np.ma.asarray(value), np.broadcast_to(value, value.shape))
    if np.array_equal(value, value.astype(int)):
        yield from (value.astype(int), value.astype(int).tolist(), value.astype(np.int8), value.astype(np.float16))
    if value.ndim in (1, 2):
        yield (pd.Series if value.ndim == 1 else pd.DataFrame)(value)
        yield tuple(map(tuple, value.tolist())) if value.ndim == 2 else tuple(value.tolist())
    if value.size == 1:
        yield value.item()


def _forms_of_several(kind, value):
    parts = [value[name] for name in kind.kinds] if isinstance(value, dict) else list(value)
    yield from (tuple(parts), list(parts), dict(zip(kind.kinds, parts, strict=True)))
    for place, part in enumerate(kind.kinds.values()):
        for form in right_forms(part, parts[place]):
            yield tuple([*parts[:place], form, *parts[place + 1 :]])


class _Callable:
    def __init__(self, function):
        self.function = function

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)

    def method(self, *args):
        return self.function(*args)


def _changed_result(function, change):
    def call(*args):
        return change(function(*args))

    return call


def _spoils(function):
    def call(*args):
        result = ask._copied(function(*args))
        for arg in args:
            if isinstance(arg, np.ndarray) and arg.size:
                arg[...] = arg.flat[0]
        return result

    return call


def _warns(function):
    def call(*args):
        warnings.warn("a reader's function may warn", stacklevel=1)
        np.float64(1) / np.zeros(1)
        return function(*args)

    return call


def _draws(function):
    def call(*args):
        np.random.seed(1)  # noqa: NPY002 - what a reader may do
        np.random.random(3)  # noqa: NPY002
        return function(*args)

    return call


def _with_arrays(change):
    def apply(result):
        if isinstance(result, np.ndarray):
            return change(result)
        if isinstance(result, tuple | list):
            return type(result)(map(apply, result))
        return result

    return apply


def _forms_of_function(kind, value):
    yield from (value, lambda *args: value(*args), functools.partial(value), _Callable(value), _Callable(value).method)
    yield from (lambda *args, more=None: value(*args), _warns(value), functools.lru_cache(lambda: value)())
    for change in (
        lambda array: np.array(array, order="F"),
        _readonly,
        lambda array: array.astype(object) if array.dtype == float else array,
        lambda array: array.tolist(),
        lambda array: array.astype(np.longdouble) if array.dtype == float else array,
    ):
        yield _changed_result(value, _with_arrays(change))
    if isinstance(kind.returns, ask.number):
        for change in (np.array, lambda x: [x], lambda x: np.array([[x]]), lambda x: (float(x),), lambda x: float(x)):
            yield _changed_result(value, change)
    if isinstance(kind.returns, ask.several):
        yield _changed_result(value, list)
        yield _changed_result(value, lambda result: dict(zip(kind.returns.kinds, result, strict=True)))
    if not kind.keeps:
        yield _spoils(value)


def _forms_of_instance(kind, value):
    yield from (value, copy.deepcopy(value), copy.copy(value))
    with contextlib.suppress(Exception):
        yield pickle.loads(pickle.dumps(value))
    if isinstance(value, pd.DataFrame):
        yield from (
            value[::-1],
            value.sample(frac=1, random_state=1),
            value[value.columns[::-1]],
            value.convert_dtypes(),
        )
        yield from (value.astype(object), value.assign(note="mine"), value.loc[:], value.T.T.infer_objects())


def _kind_of(either, value):
    for kind in either.kinds:
        with contextlib.suppress(ask._Refused):
            kind.take(value, "it")
            return kind
    return None


def _forms_of_either(kind, value):
    return right_forms(_kind_of(kind, value), value)


def _misses_of_either(kind, value):
    chosen = _kind_of(kind, value)
    for other in kind.kinds:
        misses = wrong_forms(other, value)
        yield from (miss for miss in misses if other is chosen or _kind_of(kind, miss) is None)


# Near misses and nonsense -----------------------------------------------------------------------------------------

NONSENSE = [None, "abc", "", float("nan"), np.inf, {}, {1: 2}, set(), object(), 1j, [], [[], []], lambda: 0, np, type]


def _misses_of_number(kind, value):
    yield from (*NONSENSE, [1, 2, 3], np.zeros((2, 2)), "1 2", b"1", np.datetime64("2026-01-01"), np.nan, -np.inf)
    if kind.right is not None:
        low, high = kind.ends(kind.right)
        right, width = float(kind.right), high - low
        yield from ([high + width], str(low - width))
        near = (low - width / 9, high + width / 9, right + 7, right * 1.1 + 0.1, right * 10 + 1, right * 100 + 1)
        near += (right / 10 - 1, 1e300, -1e300, -right, right + 1, right - 1, 2 * right)
        yield from (value for value in near if not low <= value <= high)


def _misses_of_numbers(kind, value):
    right = list(kind.right)
    yield from (*NONSENSE, right[:-1], [*right, 1], [*right[:-1], None], [*right[:-1], "x"], [*right[:-1], [1, 2]])
    yield from ([-item or 1 for item in right], [item + 1 for item in right], [item * 1.1 + 0.3 for item in right])
    if sorted(right) != right[::-1] and right[::-1] != right:
        yield right[::-1]


def _misses_of_choice(kind, value):
    yield from (*[item for item in NONSENSE if item is not kind.right], 17, "perhaps", [kind.right, kind.right])
    yield from kind.options


def _misses_of_choices(kind, value):
    right = sorted(kind.right)
    yield from (*NONSENSE, right[:-1], right[1:], [*right, "nobody"], [1, 2], right[0], [[*right]])
    yield from ({*right, option} for option in kind.options)


def _misses_of_array(kind, value):
    value = np.asarray(value, dtype=float)
    yield from (*NONSENSE, value * np.nan, value * 1j, [value, value, value], [value.tolist(), "x"])
    yield from (np.concatenate([value.ravel(), [1.0]]), [*value.astype(str).tolist(), "x"] if value.ndim else "x")
    if value.size > 1:
        yield value[None, None]


def _misses_of_several(kind, value):
    parts = [value[name] for name in kind.kinds] if isinstance(value, dict) else list(value)
    yield from (*NONSENSE, parts[:-1], [*parts, 1], dict(enumerate(parts)), [None] * len(parts))
    for place, part in enumerate(kind.kinds.values()):
        for miss in wrong_forms(part, parts[place]):
            yield tuple([*parts[:place], miss, *parts[place + 1 :]])


def _fails(*args):
    raise RuntimeError("two\nlines")


def _leaves(*args):
    raise SystemExit(1)


def _misses_of_function(kind, value):
    yield from (item for item in NONSENSE if not callable(item))
    yield from (3, "f", [value], _fails, _leaves, lambda: 0, lambda *args: 1 / 0, lambda *args: args[99])
    nothing = (None, "text", {}, object(), float("nan"), [], [[1, 2], [3]], 1j, lambda: 0, np.full((3, 2, 1), np.nan))
    yield from (_changed_result(_Callable(lambda *args: None), lambda _, result=result: result) for result in nothing)
    if kind.keeps:
        yield _spoils(value)
    if isinstance(kind.returns, ask.number | ask.array):
        yield _changed_result(value, lambda result: [result, result, result])
        yield _changed_result(value, lambda result: np.asarray(result, dtype=float) * np.nan)
        yield _changed_result(value, lambda result: np.asarray(result, dtype=float) * 3 + 5)
    if isinstance(kind.returns, ask.several):
        yield _changed_result(value, lambda result: tuple(result)[:-1])
        yield _changed_result(value, lambda result: tuple(np.asarray(part) * 3 + 5 for part in result))


def _misses_of_instance(kind, value):
    yield from (*NONSENSE, type(value), 3, [value], "nn.SGD(0.1)")


KINDS = {
    ask.number: (_forms_of_number, _misses_of_number),
    ask.numbers: (_forms_of_numbers, _misses_of_numbers),
    ask.choice: (_forms_of_choice, _misses_of_choice),
    ask.choices: (_forms_of_choices, _misses_of_choices),
    ask.array: (_forms_of_array, _misses_of_array),
    ask.several: (_forms_of_several, _misses_of_several),
    ask.function: (_forms_of_function, _misses_of_function),
    ask.instance: (_forms_of_instance, _misses_of_instance),
    ask.either: (_forms_of_either, _misses_of_either),
}


def right_forms(kind, value):
    """Yield forms of a right answer of this kind."""
    yield from KINDS[type(kind)][0](kind, value)


def wrong_forms(kind, value):
    """Yield wrong answers that this kind of answer invites."""
    yield from KINDS[type(kind)][1](kind, value)


def table(check, solved, more_right=(), more_wrong=()):
    """Return the right and the wrong answers to try on a check: lists of tuples."""
    bases = [*solved, *more_right]
    right, wrong = list(bases), [*check.wrong, *more_wrong]
    for place, kind in enumerate(check.kinds.values()):
        for base in bases[:1]:
            right += [(*base[:place], form, *base[place + 1 :]) for form in right_forms(kind, base[place])]
            wrong += [(*base[:place], miss, *base[place + 1 :]) for miss in wrong_forms(kind, base[place])]
    if len(check.kinds) > 1 and all(isinstance(kind, ask.choice) for kind in check.kinds.values()):
        words = [kind.right for kind in check.kinds.values()]
        wrong += [tuple(range(1, len(words) + 1))]
        wrong += [turned for turned in (tuple(words[::-1]), (*words[1:], words[0])) if turned != tuple(words)]
    return right, wrong
