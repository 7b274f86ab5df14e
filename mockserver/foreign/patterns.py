"""Texts for a regular expression, chosen by a hash."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

import jsonschema_rs

Choose = Callable[[int], int]
"""A number below the given one."""
_MORE = 3
"""Repetitions beyond the fewest."""
_PLAIN = "abcdefghijklmnopqrstuvwxyz0123456789"
_CLASSES = {"DIGIT": "0123456789", "SPACE": " ", "WORD": _PLAIN + "_"}
_TO_PYTHON = ((re.compile(r"\(\?<(?=[A-Za-z])"), "(?P<"), (re.compile(r"\\[pP]\{[^}]*\}"), "[A-Za-z]"))
_UNICODE = re.compile(r"\\u([0-9A-Fa-f]{4})")


@lru_cache(4096)
def is_pattern(pattern: str) -> bool:
    """Whether it is a regular expression that can be checked."""
    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except (ValueError, jsonschema_rs.ValidationError):
        return False
    return True


@lru_cache(1024)
def _parsed(pattern: str) -> Any:
    for found, instead in _TO_PYTHON:
        pattern = found.sub(instead, pattern)
    return import_module("re._parser").parse(_UNICODE.sub(r"\\u\1", pattern))  # the library's own parser


def text_of(pattern: str, choose: Choose) -> str | None:
    """Text that the pattern should match; None if it can't be read. Assertions are left to the check."""
    try:
        return "".join(_piece(str(kind), value, choose) for kind, value in _parsed(pattern))
    except (re.error, ValueError, RecursionError, OverflowError):
        return None


def _piece(kind: str, value: Any, choose: Choose) -> str:
    match kind:
        case "LITERAL":
            return chr(value)
        case "NOT_LITERAL":
            return next(letter for letter in _PLAIN if ord(letter) != value)
        case "ANY":
            return _PLAIN[choose(26)]
        case "IN":
            return _one_of(value, choose)
        case "BRANCH":
            branches = value[1]
            return _all(branches[choose(len(branches))], choose)
        case "SUBPATTERN":
            return _all(value[3], choose)
        case "ATOMIC_GROUP":
            return _all(value, choose)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inside = value
            count = least + choose(min(int(most) - least, _MORE) + 1)
            if least == 0 and count == 0 and int(most) > 1:
                count = 1
            return "".join(_all(inside, choose) for _ in range(count))
        case _:  # places, look-around, references
            return ""


def _all(parsed: Any, choose: Choose) -> str:
    return "".join(_piece(str(kind), value, choose) for kind, value in parsed)


def _one_of(members: Any, choose: Choose) -> str:
    kinds = [(str(kind), value) for kind, value in members]
    if kinds and kinds[0][0] == "NEGATE":
        forbidden = {letter for kind, value in kinds[1:] for letter in _letters(kind, value)}
        letters = [letter for letter in _PLAIN + "ABC-_ .,~" if letter not in forbidden] or ["é"]
        return letters[choose(len(letters))]
    kind, value = kinds[choose(len(kinds))]
    letters = _letters(kind, value) or ["a"]
    return letters[choose(len(letters))]


def _letters(kind: str, value: Any) -> list[str]:
    if kind == "LITERAL":
        return [chr(value)]
    if kind == "RANGE":
        return [chr(code) for code in range(value[0], min(value[1], value[0] + 200) + 1)]
    name = str(value).removeprefix("CATEGORY_")
    if name.startswith("NOT_"):
        return [letter for letter in _PLAIN + "-" if letter not in _CLASSES[name[4:]]]
    return list(_CLASSES.get(name, "a"))


@lru_cache(4096)
def _compiled(pattern: str) -> Any:
    return jsonschema_rs.Draft202012Validator({"pattern": pattern})


def matches(pattern: str, text: str) -> bool:
    """Whether a text matches, as a schema means it."""
    return is_pattern(pattern) and bool(_compiled(pattern).is_valid(text))
