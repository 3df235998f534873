"""What `tools.mutants` changes: operators, numbers, conditions, arguments, calls and statements, one at a time."""

import ast
from dataclasses import dataclass

COMPARED = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
COMPUTED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
NAMES = {"min": "max", "any": "all", "minimum": "maximum", "argmin": "argmax", "zeros": "ones", "sum": "mean"}
NAMES |= {new: old for old, new in NAMES.items()}


@dataclass(frozen=True)
class Mutant:
    """One change: `text` instead of the bytes from `start` to `stop`, and the lines by which tests are chosen."""

    file: str
    function: str
    before: str
    after: str
    start: int
    stop: int
    text: str
    scopes: tuple[tuple[int, int], ...]  # (first, last) line of the change and of what is around it

    @property
    def name(self):
        """What identifies it also when lines above it have changed."""
        return f"{self.file}\n{self.function}\n{self.before}\n{self.after}"


def _unnoticed(node):
    """Return those parts of a node that are left alone, because nobody could tell what is in their place."""
    match node:
        case ast.Call(func=ast.Attribute(attr="reshape")):  # the 1 of -1: NumPy takes -2, too, for "the rest"
            return [given.operand for given in node.args if isinstance(given, ast.UnaryOp)]
        case ast.FunctionDef(args=args):  # the default of a parameter that the body never reads
            read = {part.id for line in node.body for part in ast.walk(line) if isinstance(part, ast.Name)}
            names = [arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
            defaults = [*args.defaults, *args.kw_defaults]  # of the last of them
            return [default for name, default in zip(names[::-1], defaults[::-1], strict=False) if name not in read]
    return []


def _with(node, **fields):
    """Return the source of a node of the same kind with other fields."""
    return ast.unparse(type(node)(**{**dict(ast.iter_fields(node)), **fields}))


def _changes(node):
    """Yield (node, source to put in its place) for every change of this node alone."""
    match node:
        case ast.Compare():
            for i, op in enumerate(node.ops):
                for new in COMPARED[type(op)]:
                    yield node, f"({_with(node, ops=[*node.ops[:i], new(), *node.ops[i + 1 :]])})"
        case ast.BinOp() | ast.AugAssign() if type(node.op) in COMPUTED:
            new = _with(node, op=COMPUTED[type(node.op)]())
            yield node, f"({new})" if isinstance(node, ast.BinOp) else new
        case ast.UnaryOp():
            yield node, f"({ast.unparse(node.operand)})"
        case ast.BoolOp():
            for i in range(len(node.values)):
                rest = [*node.values[:i], *node.values[i + 1 :]]
                yield node, f"({_with(node, values=rest) if len(rest) > 1 else ast.unparse(rest[0])})"
        case ast.Constant(value=bool()):
            yield node, str(not node.value)
        case ast.Constant(value=int()):
            yield node, str(node.value + 1)
            if node.value > 0:
                yield node, str(node.value - 1)
        case ast.Constant(value=float()):
            yield node, repr(2 * node.value or 1.0)
        case ast.Name() | ast.Attribute() if isinstance(node.ctx, ast.Load):
            field = "id" if isinstance(node, ast.Name) else "attr"
            if (new := NAMES.get(getattr(node, field))) is not None:
                yield node, _with(node, **{field: new})
        case ast.Subscript(slice=ast.Name(), ctx=ast.Load()):
            yield node, ast.unparse(node.value)
        case ast.Call():
            for i in range(len(node.keywords)):
                if (
                    node.keywords[i].arg == "strict"
                ):  # says that lengths are equal, which changes nothing where they are
                    continue
                yield node, _with(node, keywords=[*node.keywords[:i], *node.keywords[i + 1 :]])
            if isinstance(node.func, ast.Attribute) and not node.args and not node.keywords:
                yield node, ast.unparse(node.func.value)  # x.copy() becomes x
            if (
                len(node.args) == 1
                and not node.keywords
                and not isinstance(node.args[0], (ast.Starred, ast.GeneratorExp))
            ):
                yield node, f"({ast.unparse(node.args[0])})"  # float(x) becomes x
        case ast.Return(value=ast.AST()):
            yield node, "return None"
    has_test = isinstance(node, (ast.If, ast.While, ast.IfExp))
    for test in [node.test] if has_test else getattr(node, "ifs", []):  # the latter of a comprehension
        if not isinstance(test, ast.UnaryOp) and not (isinstance(test, ast.Compare) and len(test.ops) == 1):
            yield test, f"(not ({ast.unparse(test)}))"
    stored = getattr(node, "targets", [getattr(node, "target", None)])
    kept = isinstance(node, (ast.Assign, ast.AnnAssign)) and not isinstance(stored[0], (ast.Attribute, ast.Subscript))
    call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    removed = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Raise, ast.Break, ast.Continue, ast.Delete)
    if call or (isinstance(node, removed) and not kept):
        yield node, "pass"


def mutants(file, source):
    """Return every mutant of a module. What is written in messages, annotations and docstrings is left alone."""
    data, found, seen, alone = source.encode(), [], set(), set()
    starts = [0]
    for line in data.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def visit(node, scopes, names):
        if id(node) in alone:
            return
        alone.update(map(id, _unnoticed(node)))
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            scopes, names = ((node.body[0].lineno, node.end_lineno), *scopes), [*names, node.name]
        for target, text in _changes(node):
            start = starts[target.lineno - 1] + target.col_offset
            stop = starts[target.end_lineno - 1] + target.end_col_offset
            first, last = target.lineno, target.end_lineno
            head, tail = data[starts[first - 1] : start], data[stop : starts[last]]
            before = " ".join(data[starts[first - 1] : starts[last]].decode().split())
            after = " ".join((head + text.encode() + tail).decode().split())
            if before != after and (start, stop, after) not in seen:
                seen.add((start, stop, after))
                lines = ((first, last), *scopes)
                found.append(Mutant(file, ".".join(names), before, after, start, stop, text, lines))
        if not isinstance(node, (ast.Raise, ast.JoinedStr)) and getattr(node, "arg", None) != "strict":
            for field, value in ast.iter_fields(node):
                if field not in ("annotation", "returns", "decorator_list"):
                    for child in value if isinstance(value, list) else [value]:
                        if isinstance(child, ast.AST):
                            visit(child, scopes, names)

    tree = ast.parse(source)  # kept, or an id might be that of another node
    visit(tree, (), [])
    return found
