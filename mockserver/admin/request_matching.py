"""Request criteria: WireMock's request patterns, and a few fields of our own."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import jsonschema_rs
import orjson

from mockserver.admin.equal_json import MOST_COMPARED, Budget, OutOfBudget, same
from mockserver.admin.journal_entries import header_name, url_of
from mockserver.http.json_depth import DEEPEST, depth
from mockserver.http.problems import Invalid
from mockserver.http.redaction import MASK, SECRET, is_secret
from mockserver.journal.entry import Entry
from mockserver.openapi.field_error import FieldError

LONGEST = 200
"""Characters of a value in a difference."""
_LARGEST = 1 << 20
"""Most bytes of a compiled pattern."""
FieldValues = Sequence[str]
"""Values of one field: none if it is absent; a query parameter can have several."""


class Difference(NamedTuple):
    """Difference between an exchange and a criterion."""

    at: str
    wanted: str
    found: str


class Criterion(NamedTuple):
    """One condition on an exchange."""

    at: str
    wanted: str
    found: Callable[[Entry], FieldValues]
    fits: Callable[[FieldValues], bool]

    def met(self, entry: Entry) -> bool:
        """Whether the exchange meets it."""
        return self.fits(self.found(entry))

    def difference(self, entry: Entry) -> Difference:
        """What is wanted, and what the exchange has instead."""
        found = self.found(entry)
        text = ", ".join(found)[: LONGEST + 1] if found else "nothing"
        return Difference(self.at, self.wanted, text if len(text) <= LONGEST else text[:LONGEST] + "…")


class Criteria:
    """Criteria that must all be met."""

    def __init__(self, request: Mapping[str, Any], at: str = "") -> None:
        """`request` fits the document; Invalid for a bad pattern, with `at` before its name."""
        errors: list[FieldError] = []
        self.criteria = list(_criteria(request, at, errors))
        # A text found in the beginning of a body is in the whole body.
        self._beginning_will_do = all(m.keys() == {"contains"} for m in request.get("bodyPatterns", ()))
        if errors:
            raise Invalid(errors)

    def fits(self, entry: Entry) -> bool:
        """Whether the exchange meets all criteria."""
        return all(criterion.met(entry) for criterion in self.criteria)

    def differences(self, entry: Entry) -> list[Difference]:
        """All criteria that are not met."""
        return [each.difference(entry) for each in self.criteria if not each.met(entry)]

    def unsure(self, entry: Entry) -> bool:
        """Whether the result is uncertain because the body was truncated."""
        others = [criterion for criterion in self.criteria if criterion.found is not _body]
        if len(others) == len(self.criteria) or len(entry.body) >= entry.body_bytes:
            return False
        if not all(criterion.met(entry) for criterion in others):
            return False
        return not (self._beginning_will_do and self.fits(entry))


_TEXTS: Mapping[str, Callable[[Entry], str]] = {
    "method": lambda entry: entry.exchange.method,
    "operation": lambda entry: entry.exchange.operation,
    "caller": lambda entry: entry.exchange.caller,
    "status": lambda entry: str(entry.exchange.status),
    "source": lambda entry: entry.exchange.source,
    "url": url_of,
    "urlPath": lambda entry: entry.path,
}
_PATTERNS: Mapping[str, Callable[[Entry], str]] = {
    "urlPattern": url_of,
    "urlPathPattern": lambda entry: entry.path,
}


def _criteria(request: Mapping[str, Any], at: str, errors: list[FieldError]) -> Iterator[Criterion]:
    for name, text in _TEXTS.items():
        if name in request and (name, request[name]) != ("method", "ANY"):
            wanted = str(request[name])
            yield Criterion(at + name, wanted, _one(text), _any(partial(operator.eq, wanted)))
    for name, text in _PATTERNS.items():
        if name in request:
            pattern = _pattern(request[name], at + name, errors)
            yield Criterion(at + name, f"matches {request[name]}", _one(text), _any(pattern))
    if "urlPathTemplate" in request:
        template = request["urlPathTemplate"]
        steps = re.split(r"{[^/{}]+}", template)
        known = _pattern("[^/]+".join(map(re.escape, steps)), at + "urlPathTemplate", errors)
        yield Criterion(at + "urlPathTemplate", template, _one(lambda entry: entry.path), _any(known))
    for name, matcher in request.get("queryParameters", {}).items():
        yield from _matched(matcher, f"{at}queryParameters.{name}", _query(name), errors)
    for name, matcher in request.get("headers", {}).items():
        yield from _matched(matcher, f"{at}headers.{name}", _header(name.lower()), errors)
    for number, matcher in enumerate(request.get("bodyPatterns", ())):
        yield from _matched(matcher, f"{at}bodyPatterns.{number}", _body, errors)


def _one(text: Callable[[Entry], str]) -> Callable[[Entry], FieldValues]:
    return lambda entry: (text(entry),)


def _any(fits: Callable[[str], bool]) -> Callable[[FieldValues], bool]:
    return lambda found: any(map(fits, found))


def _none(fits: Callable[[str], bool]) -> Callable[[FieldValues], bool]:
    return lambda found: not any(map(fits, found))


def _query(name: str) -> Callable[[Entry], FieldValues]:
    def values(entry: Entry) -> FieldValues:
        found = parse_qs(entry.query, keep_blank_values=True).get(name, ())
        return [MASK for _ in found] if is_secret(name) else found  # as the journal shows it

    return values


def _header(name: str) -> Callable[[Entry], FieldValues]:
    def values(entry: Entry) -> FieldValues:
        found = [value for key, value in entry.headers if header_name(key) == name]
        return [MASK for _ in found] if name in SECRET else found  # as the journal shows it

    return values


def _body(entry: Entry) -> FieldValues:
    return (entry.body.decode("utf-8", "replace"),) if entry.body_bytes else ()


def _matched(
    matcher: Mapping[str, Any], at: str, found: Callable[[Entry], FieldValues], errors: list[FieldError]
) -> Iterator[Criterion]:
    """Criteria of one StringValuePattern, which the document has checked."""
    equal = _equal_folded if matcher.get("caseInsensitive") else operator.eq
    for name, value in matcher.items():
        match name:
            case "equalTo":
                yield Criterion(at, str(value), found, _any(partial(equal, value)))
            case "contains":
                yield Criterion(at, f"contains {value}", found, _any(partial(_holds, value)))
            case "doesNotContain":
                yield Criterion(at, f"does not contain {value}", found, _none(partial(_holds, value)))
            case "matches":
                pattern = _pattern(value, f"{at}.matches", errors)
                yield Criterion(at, f"matches {value}", found, _any(pattern))
            case "doesNotMatch":
                pattern = _pattern(value, f"{at}.doesNotMatch", errors)
                yield Criterion(at, f"does not match {value}", found, _none(pattern))
            case "absent":
                yield Criterion(at, "nothing", found, operator.not_)
            case "equalToJson":
                yield _json_rule(matcher, value, at, found, errors)


def _equal_folded(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _holds(part: str, text: str) -> bool:
    return part in text


def _pattern(text: str, at: str, errors: list[FieldError]) -> Callable[[str], bool]:
    """Regular expression that matches a whole text, in linear time."""
    schema = {"type": "string", "pattern": f"^(?:{text})$"}
    options = jsonschema_rs.RegexOptions(size_limit=_LARGEST)
    try:
        # Without ^(?:…)$ first: "a)(b" is invalid on its own.
        jsonschema_rs.Draft202012Validator({"pattern": text}, pattern_options=options)
        return jsonschema_rs.Draft202012Validator(schema, pattern_options=options).is_valid
    except (ValueError, jsonschema_rs.ValidationError):
        errors.append(
            FieldError("body", at, "is not a regular expression without look-around and back-references")
        )
        return lambda _: False


def _json_rule(
    matcher: Mapping[str, Any],
    value: Any,
    at: str,
    found: Callable[[Entry], FieldValues],
    errors: list[FieldError],
) -> Criterion:
    wanted = value
    if isinstance(value, str):
        with suppress(orjson.JSONDecodeError):  # a text that is not JSON stands for itself
            wanted = orjson.loads(value)
    if depth(wanted) > DEEPEST:
        errors.append(FieldError("body", f"{at}.equalToJson", f"has more than {DEEPEST} levels"))
    any_order = matcher.get("ignoreArrayOrder", False)
    extra = matcher.get("ignoreExtraElements", False)
    budget = Budget()  # for all exchanges together

    def fits(text: str) -> bool:
        try:
            got = orjson.loads(text.removeprefix("\ufeff"))  # the byte order mark
            return same(wanted, got, any_order=any_order, extra=extra, budget=budget)
        except orjson.JSONDecodeError:
            return False
        except RecursionError:
            return False  # deeper than what is wanted
        except OutOfBudget:
            reason = (
                f"takes more than {MOST_COMPARED} comparisons: leave out ignoreArrayOrder or "
                "ignoreExtraElements, or name fewer exchanges by urlPath"
            )
            raise Invalid([FieldError("body", f"{at}.equalToJson", reason)]) from None

    return Criterion(at, orjson.dumps(wanted).decode()[:LONGEST], found, _any(fits))
