"""Small changes to a Python file, each of which a test should notice."""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Final, NamedTuple, TypeAlias

COMPARISONS: Final[dict[type[ast.cmpop], tuple[str, ...]]] = {
    ast.Lt: ("<", "<=", ">="),
    ast.LtE: ("<=", "<", ">"),
    ast.Gt: (">", ">=", "<="),
    ast.GtE: (">=", ">", "<"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
"""How each comparison is written, and what to write in its place."""

OPERATORS: Final[dict[type[ast.operator], tuple[str, str]]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
}
NAMES: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
TEXTS_FOR_PEOPLE: Final = ("error", "warning", "mismatch", "refuse", "debug", "info", "log", "warn")
"""Ends of the names of functions whose texts are messages."""
SENTENCE: Final = 3
"""Words of a text from which on it is a message."""


@dataclass(frozen=True)
class Mutant:
    """A file with one change."""

    path: str
    line: int
    before: str
    after: str
    mutated: str
    """The whole file."""

    def diff(self, source: str) -> str:
        lines = unified_diff(source.splitlines(), self.mutated.splitlines(), lineterm="", n=1)
        return "\n".join(list(lines)[2:])


class Change(NamedTuple):
    """Text that replaces the text of a node, or a part of it."""

    start: int
    end: int
    text: str


Changes: TypeAlias = Iterator[Change]


def mutants(path: str, source: str) -> list[Mutant]:
    """All mutants of a file, in the order of their places; each can be compiled."""
    encoded = source.encode()
    found = []
    for change in sorted(set(_Finder(encoded).changes())):
        mutated = (encoded[: change.start] + change.text.encode() + encoded[change.end :]).decode()
        if mutated == source:  # two equal arguments that changed places
            continue
        try:
            compile(mutated, path, "exec")
        except SyntaxError:
            continue
        before = encoded[change.start : change.end].decode()
        line = encoded.count(b"\n", 0, change.start) + 1
        found.append(Mutant(path, line, before, change.text, mutated))
    return found


class _Finder:
    def __init__(self, source: bytes) -> None:
        self._source = source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._rules: Sequence[tuple[type[ast.AST], Callable[..., Changes]]] = (
            (ast.Compare, self._compare),
            (ast.BoolOp, self._bool_op),
            (ast.BinOp, self._bin_op),
            (ast.UnaryOp, self._not),
            (ast.Constant, self._constant),
            (ast.Name, self._name),
            (ast.Call, self._call),
            (ast.Return, self._return),
            (ast.AugAssign, self._aug_assign),
            (ast.If, self._condition),
            (ast.While, self._condition),
            (ast.IfExp, self._condition),
            (ast.stmt, self._removed),
        )

    def changes(self) -> Changes:
        yield from self._walk(ast.parse(self._source), messages=False)

    def _walk(self, node: ast.AST, messages: bool) -> Changes:
        """Yield the changes in a node, without those in texts that are only read by people."""
        if _is_skipped(node):
            return
        messages = messages or _speaks(node)
        if not (messages and isinstance(node, ast.Constant) and isinstance(node.value, str)):
            for kind, rule in self._rules:
                if isinstance(node, kind):
                    yield from rule(node)
        for child in _parts(node):
            yield from self._walk(child, messages)

    def _at(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        end_line, end_column = node.end_lineno, node.end_col_offset
        assert end_line is not None
        assert end_column is not None
        return self._at(node.lineno, node.col_offset), self._at(end_line, end_column)

    def _text(self, node: ast.expr | ast.stmt) -> str:
        start, end = self._span(node)
        return self._source[start:end].decode()

    def _between(self, left: ast.expr, right: ast.expr, now: str, then: str) -> Changes:
        start, end = self._span(left)[1], self._span(right)[0]
        at = self._source.find(now.encode(), start, end)
        if at >= 0:
            yield Change(at, at + len(now), then)

    def _compare(self, node: ast.Compare) -> Changes:
        sides = [node.left, *node.comparators]
        for left, operation, right in zip(sides, node.ops, sides[1:], strict=False):
            now, *others = COMPARISONS[type(operation)]
            for then in others:
                yield from self._between(left, right, now, then)

    def _bool_op(self, node: ast.BoolOp) -> Changes:
        now, then = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            yield from self._between(left, right, now, then)

    def _bin_op(self, node: ast.BinOp) -> Changes:
        if type(node.op) in OPERATORS:
            yield from self._between(node.left, node.right, *OPERATORS[type(node.op)])

    def _not(self, node: ast.UnaryOp) -> Changes:
        if isinstance(node.op, ast.Not):
            yield Change(*self._span(node), f"({self._text(node.operand)})")

    def _constant(self, node: ast.Constant) -> Changes:
        match node.value:
            case bool(value):
                yield Change(*self._span(node), str(not value))
            case int(value):
                yield Change(*self._span(node), str(value + 1))
            case float(value):
                yield Change(*self._span(node), str(value * 2 or 1.0))
            case str(value) if len(value.split()) < SENTENCE:
                yield Change(*self._span(node), repr(value[:-1] if value else "x"))
            case bytes(value):
                yield Change(*self._span(node), repr(value[:-1] if value else b"x"))
            case _:
                pass

    def _name(self, node: ast.Name) -> Changes:
        if node.id in NAMES and isinstance(node.ctx, ast.Load):
            yield Change(*self._span(node), NAMES[node.id])

    def _call(self, node: ast.Call) -> Changes:
        given = [arg for arg in node.args if not isinstance(arg, ast.Starred)]
        if len(given) >= 2 and given == node.args and _named(node.func) not in NAMES:
            (start, middle), (begin, end) = self._span(given[0]), self._span(given[1])
            between = self._source[middle:begin].decode()
            swapped = self._text(given[1]) + between + self._text(given[0])
            yield Change(start, end, swapped)
        for keyword in node.keywords:
            start, end = self._at(keyword.lineno, keyword.col_offset), self._span(keyword.value)[1]
            if keyword.arg is not None:
                comma = self._source[end : end + 1] == b","
                yield Change(start, end + comma, "")

    def _return(self, node: ast.Return) -> Changes:
        if node.value is not None and not _is_falsy(node.value):
            yield Change(*self._span(node), "return None")

    def _aug_assign(self, node: ast.AugAssign) -> Changes:
        if type(node.op) in OPERATORS:
            now, then = (f"{text}=" for text in OPERATORS[type(node.op)])
            yield from self._between(node.target, node.value, now, then)

    def _condition(self, node: ast.If | ast.While | ast.IfExp) -> Changes:
        yield Change(*self._span(node.test), f"(not ({self._text(node.test)}))")

    def _removed(self, node: ast.stmt) -> Changes:
        removable = isinstance(
            node, (ast.Raise, ast.AugAssign, ast.Delete, ast.Continue, ast.Break)
        ) or (isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Await)))
        kept = isinstance(node, ast.Assign) and all(
            isinstance(target, (ast.Attribute, ast.Subscript)) for target in node.targets
        )
        if removable or kept:
            yield Change(*self._span(node), "pass")


def _is_falsy(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def _named(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _speaks(node: ast.AST) -> bool:
    """Whether the texts in a node are messages."""
    if isinstance(node, ast.Call):
        return _named(node.func).lower().endswith(TEXTS_FOR_PEOPLE)
    return isinstance(node, ast.Raise)


def _is_skipped(node: ast.AST) -> bool:
    match node:
        case ast.JoinedStr():  # mostly a message, and Python 3.11 does not know where its parts are
            return True
        case ast.Expr(value=ast.Constant()):  # a docstring
            return True
        case ast.If(test=test):
            return _named(test) == "TYPE_CHECKING"
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name in {"__all__", "__slots__"}
        case ast.AnnAssign(annotation=annotation):
            return _named(annotation) == "TypeAlias"
        case ast.Call(func=function):
            return _named(function) in {"assert_never", "cast", "TypeVar", "ParamSpec"}
        case ast.FunctionDef(decorator_list=decorators) | ast.ClassDef(decorator_list=decorators):
            return any(_named(decorator) == "overload" for decorator in decorators)
        case _:
            return False


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes in a node that do something: no annotations, decorators and type arguments."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_comment", "bases"}:
            continue
        if isinstance(node, ast.Subscript) and name == "slice" and _is_type(node):
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST):
                yield part


def _is_type(node: ast.Subscript) -> bool:
    name = _named(node.value)
    return name[:1].isupper() and not name.isupper()
