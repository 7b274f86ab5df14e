"""Fingerprint: identity of a failure across runs, and the cause that it shares with others."""

from __future__ import annotations

import re
from collections.abc import Collection

from contracts.checks.check import Check
from contracts.checks.errors import Broken, Fingerprint
from contracts.http.exchange import ClientResponse
from contracts.verdict.diff import MISSING, at, differences, same

_VALUES = (
    re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?"),
    re.compile(r"\bcontracts [0-9a-f]{6,}[\w ]*"),
    re.compile(r"(?<![\w.-])(?=[\w.-]*_)(?=[\w.-]*\d)[A-Za-z0-9_.-]{6,}"),
    re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"),
)
"""Values that differ between runs: times, names, ids."""
_OF_VALUES = ("const", "enum", "pattern", "format", "minLength", "maxLength", "minimum", "maximum")
"""Keywords of JSON Schema that a wrong value violates."""


def cause(print_: Fingerprint) -> tuple[object, ...]:
    """Operation, part, claim and difference: equal for failures that have one cause."""
    if print_.keyword == "eventual" or print_.property == "slash":
        return (print_.keyword, print_.property)  # whatever operation shows it first
    keyword = "value" if print_.keyword in _OF_VALUES else print_.keyword
    return (print_.operation, print_.status, print_.pointer, keyword, print_.property)


def fingerprint_of(
    check: Check,
    broken: Broken,
    last: ClientResponse | None,
    operation: str,
    ids: Collection[str],
    *,
    decisive: bool,
) -> Fingerprint:
    """Fingerprint of a failure whose last exchange is of this operation; `ids` are those of its exchanges.

    `decisive`: whether that exchange alone shows the failure.
    """
    assumption = broken.assumption or check.assumption or ""
    if last is None:
        return Fingerprint(operation, None, "", check.id, normalized(broken.what or broken.message, ()))
    if decisive and is_status(broken):
        role = last.request.role or "no key"
        return Fingerprint(operation, last.status, "", "status", f"{broken.expected} as {role}")
    if broken.pointer and broken.expected is None is broken.got and at(last.body, broken.pointer) is MISSING:
        parent, _, name = broken.pointer.rpartition("/")
        return Fingerprint(operation, last.status, template(parent), "required", name)
    places = [*dict.fromkeys(map(template, _places(broken)))]
    if _shows(last, broken):
        first, *more = places or [""]
        return Fingerprint(
            operation, last.status, first, "value", " and ".join(filter(None, (assumption, *more)))
        )
    what = normalized(broken.what or broken.message, ids)
    first, *more = places or [""]
    return Fingerprint(operation, last.status, first, check.id, " and ".join((what, *more)))


def _places(broken: Broken) -> list[str]:
    """JSON pointers to the difference."""
    if isinstance(broken.expected, dict | list | tuple) and isinstance(broken.got, dict | list | tuple):
        return [each["pointer"] for each in differences(broken.expected, broken.got, broken.pointer)]
    return [broken.pointer]


def _shows(last: ClientResponse, broken: Broken) -> bool:
    """Whether a body has the actual value at each place of the difference."""
    if broken.got is None:
        return False
    found = differences(broken.expected, broken.got, broken.pointer)
    places = [each for each in found if each["pointer"]]
    return bool(places) and all(
        same(at(last.body, each["pointer"]), each.get("got", MISSING)) for each in places
    )


def is_status(broken: Broken) -> bool:
    """Whether the failure is an unexpected status."""
    pair = (broken.expected, broken.got)
    return not broken.pointer and all(type(value) is int and 100 <= value < 600 for value in pair)


def template(pointer: str) -> str:
    """JSON pointer with list indexes replaced by stars."""
    return "/".join("*" if part.isdecimal() else part for part in pointer.split("/"))


def normalized(text: str, ids: Collection[str]) -> str:
    """Message with run-specific values replaced by stars."""
    for id_ in sorted(ids, key=len, reverse=True):
        text = text.replace(id_, "*") if len(id_) > 5 else text
    for pattern in _VALUES:
        text = pattern.sub("*", text)
    return " ".join(text.split())[:120]
