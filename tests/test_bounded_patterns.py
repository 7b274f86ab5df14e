"""Every pattern of both packages takes work in proportion to its input, however hostile."""

from __future__ import annotations

import ast
import pkgutil
import re
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

import contracts
import mockserver
from mockserver.app import bundled_spec
from mockserver.faults.rule import matches_pattern
from tests.growth import grows_too_fast

PACKAGES = (mockserver, contracts)
DOCUMENTS = (bundled_spec(), Path(str(mockserver.__path__[0])) / "admin/admin.yaml")
ATOMS = [
    *["a", "0", "-", "_", ".", "/", ",", ";", "=", '"', "'", "\\", "`", "#", "*", "{", "}", "<", ">", "a."],
    *["a-", "a_", "a_0", "-eyJ", "eyJaaaaaaaa-", "eyJaaaaaaaa.", "sk_", "a=a,", 'a="a', 'a="\\"', "{a"],
    *["/v1/spaces/", "api_key=", "token", "1.", "1-", ":1", "+1", "2026-01-01T", "1:", "P1W", "at_a.py"],
    *["line", "at$a.a:", "contracts_0", "space_a", "ab-cdef-", "=%", "&%a"],
]
ATOMS += [" ", "\t", "\n", ", ", "é", "contracts abcdef ", "\n at ", " at 0x0", "=x&", "0a_"]
ENDS = ("", "!", "\n", '"')
FIRST, LAST = 2_000, 16_000
"""Characters."""


def compiled() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Patterns in the modules' variables, also inside of tuples and mappings."""
    for package in PACKAGES:
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not found.name.endswith("__main__"):
                for name, value in vars(import_module(found.name)).items():
                    yield from ((f"{found.name}.{name}", each) for each in _patterns(value))


def _patterns(value: Any) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple | list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _patterns(each)


def written() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Patterns that are written where they are used: the literal first argument of a function of `re`."""
    for package in PACKAGES:
        for file in sorted(Path(package.__path__[0]).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id == "re"
                    and node.args
                    and isinstance(node.args[0], ast.Constant)
                    and node.func.attr != "escape"
                ):
                    yield f"{file.name}:{node.lineno}", re.compile(str(node.args[0].value), _flags(node))


def _flags(call: ast.Call) -> int:
    """The flags of `re` that the call names."""
    named = [
        each.attr for part in call.args[1:] for each in ast.walk(part) if isinstance(each, ast.Attribute)
    ]
    return sum({int(getattr(re, name)) for name in named if name.isupper()})


PATTERNS = {pattern: name for name, pattern in (*written(), *compiled())}


def hostile(atom: str, end: str, size: int) -> str:
    """So many characters of repetitions, and an end that fits nowhere."""
    return atom * (size // len(atom)) + end


def use(pattern: re.Pattern[Any], text: str) -> None:
    """Every way to match."""
    sought = text.encode() if isinstance(pattern.pattern, bytes) else text
    pattern.fullmatch(sought)
    pattern.search(sought)
    pattern.sub(sought[:0], sought)


def test_all_patterns_are_found() -> None:
    names = " ".join(PATTERNS.values())
    for part in ("redaction", "clock", "failure", "id_rewriting", "stream_events.py", "lint.py"):
        assert part in names


def test_quadratic_work_would_be_found() -> None:
    pattern = re.compile(r"eyJ[\w-]{8,}\.[\w.-]+")
    assert grows_too_fast(partial(use, pattern), partial(hostile, "-eyJ", ""), FIRST, LAST)


@pytest.mark.slow
@pytest.mark.parametrize("pattern", PATTERNS, ids=PATTERNS.values())
def test_a_pattern_takes_work_in_proportion_to_the_text(pattern: re.Pattern[str]) -> None:
    for atom, end in product(ATOMS, ENDS):
        found = grows_too_fast(partial(use, pattern), partial(hostile, atom, end), FIRST, LAST)
        assert found is None, f"{atom!r} … {end!r}: {found}"


def in_documents() -> Iterator[str]:
    """Patterns of both OpenAPI documents."""
    ahead: list[Any] = [yaml.load(file.read_bytes(), yaml.CSafeLoader) for file in DOCUMENTS]
    while ahead:
        node = ahead.pop()
        if isinstance(node, dict):
            if isinstance(node.get("pattern"), str):
                yield node["pattern"]
            ahead += node.values()
        elif isinstance(node, list):
            ahead += node


@pytest.mark.parametrize("pattern", sorted(set(in_documents())))
def test_a_pattern_of_a_document_takes_work_in_proportion_to_the_text(pattern: str) -> None:
    is_valid = jsonschema_rs.Draft202012Validator({"pattern": pattern}).is_valid
    for atom, end in product(ATOMS, ENDS):
        found = grows_too_fast(is_valid, partial(hostile, atom, end), FIRST, LAST)
        assert found is None, f"{atom!r} … {end!r}: {found}"


def test_a_pattern_of_a_fault_rule_takes_work_in_proportion_to_the_text() -> None:
    for pattern, atom in product(("*a" * 50, "*aaaa*ab" * 20, "*" * 60 + "b"), ("a", "ab", "aaaa")):
        found = grows_too_fast(
            partial(matches_pattern, pattern=pattern), partial(hostile, atom, "!"), FIRST, LAST
        )
        assert found is None, f"{pattern!r}: {found}"
