"""Tells when a mutant has changed."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Iterator
from functools import partial
from types import CodeType, FunctionType
from typing import Any

from mockserver.app import MockServer
from tests.contracts.mutants.bench import Mutant, damaged

_WHERE = re.compile(r" at 0x[0-9a-f]+| from '[^']+'")
"""Where an object lies in memory, and a module on the disk."""


def fingerprint(mutant: Mutant) -> str:
    """A hash of what the mutant is made of: its name, its sentence, and the code and values that it holds."""
    return hashlib.sha256("\n".join(parts(mutant)).encode()).hexdigest()[:16]


def broken_code(app: MockServer, mutant: Mutant) -> str:
    """A hash of the code of the mock in whose place the mutant puts its own."""
    with damaged(app, mutant) as bench:
        sources = [_WHERE.sub("", text) for each in bench.patch.replaced for text in _source(each)]
    return hashlib.sha256("\n".join(sources).encode()).hexdigest()[:16]


def _source(value: Any) -> Iterator[str]:
    try:
        yield inspect.getsource(value)
    except (TypeError, OSError):
        yield type(value).__name__  # a value has no source


def parts(mutant: Mutant) -> list[str]:
    """What a fingerprint is made of, as text."""
    return [mutant.name, mutant.sentence, str(mutant.assumed), *_parts(mutant.damage, set())]


def _parts(value: Any, seen: set[int]) -> Iterator[str]:
    """The code of a function, of what it encloses, and of the functions of the same file that it names."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, partial):
        yield repr(sorted(value.keywords.items()))
        yield from _parts(value.func, seen)
        return
    if not isinstance(value, FunctionType):
        told = (
            repr(value) if isinstance(value, (str, int, float, tuple, list, dict)) else type(value).__name__
        )
        yield _WHERE.sub("", told)
        return
    yield inspect.getsource(value)
    for cell in value.__closure__ or ():
        yield from _parts(cell.cell_contents, seen)
    for name in sorted(_names(value.__code__)):
        named = value.__globals__.get(name)
        if isinstance(named, FunctionType) and named.__module__.startswith("tests.contracts.mutants"):
            yield from _parts(named, seen)


def _names(code: CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names(constant)
    return names
