"""Exchanges the code of functions that are in memory already for the code of a mutant."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from inspect import CO_NEWLOCALS, CO_OPTIMIZED
from types import CodeType, FunctionType
from typing import Final, NamedTuple, TypeAlias

FUNCTION: Final = CO_OPTIMIZED | CO_NEWLOCALS


class Place(NamedTuple):
    """The place of a function; an exchange does not move it."""

    file: str
    name: str
    line: int


Functions: TypeAlias = Mapping[Place, Sequence[FunctionType]]


def functions(folder: str) -> dict[Place, list[FunctionType]]:
    """Return all functions in memory whose source is in a folder."""
    found: dict[Place, list[FunctionType]] = {}
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and thing.__code__.co_filename.startswith(folder):
            found.setdefault(_place(thing.__code__), []).append(thing)
    return found


def exchange(known: Functions, file: str, source: str, mutated: str) -> bool:
    """Give the functions of a file the code of a mutant.

    Returns:
        False if the change is in code that runs at import, or in a function that nothing holds.
    """
    old, new = (compile(text, file, "exec", dont_inherit=True) for text in (source, mutated))
    changed = list(_changed(old, new))
    if not changed or any(_place(before) not in known for before, _ in changed):
        return False
    for before, after in changed:
        for one, other in _inner(before, after):
            for function in known.get(_place(one), ()):
                if len(one.co_freevars) != len(other.co_freevars):
                    return False
                function.__code__ = other
    return True


def _place(code: CodeType) -> Place:
    return Place(code.co_filename, code.co_qualname, code.co_firstlineno)


def _changed(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Yield the outermost functions that differ; a module or class that differs counts as one."""
    if old.co_flags & FUNCTION == FUNCTION:
        if not _same(old, new):
            yield old, new
    elif _own(old) != _own(new) or len(_parts(old)) != len(_parts(new)):
        yield old, new
    else:
        for one, other in zip(_parts(old), _parts(new), strict=True):
            yield from _changed(one, other)


def _inner(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Yield a function and those in it, as far as they correspond: some exist since import."""
    yield old, new
    if len(_parts(old)) == len(_parts(new)):
        for one, other in zip(_parts(old), _parts(new), strict=True):
            yield from _inner(one, other)


def _same(old: CodeType, new: CodeType) -> bool:
    return (
        _own(old) == _own(new)
        and len(_parts(old)) == len(_parts(new))
        and all(map(_same, _parts(old), _parts(new)))
    )


def _parts(code: CodeType) -> list[CodeType]:
    return [const for const in code.co_consts if isinstance(const, CodeType)]


def _own(code: CodeType) -> tuple[object, ...]:
    """Everything that the code does by itself, without its places in the file."""
    consts = [_shown(const) for const in code.co_consts if not isinstance(const, CodeType)]
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return (code.co_code, consts, names, code.co_flags, code.co_exceptiontable, code.co_name)


def _shown(const: object) -> str:
    # Two compilations may order the elements of the same set differently.
    return repr(sorted(map(repr, const)) if isinstance(const, frozenset) else const)
