"""Request criteria: WireMock's request patterns, and a few fields of our own."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import jsonschema_rs
import orjson

from mockserver.admin.equal_json import DEEPEST, depth, same
from mockserver.admin.journal_entries import header_name, url_of
from mockserver.http.problems import Invalid
from mockserver.http.redaction import MASK, SECRET
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
    fits: Callable[[Entry, FieldValues], bool]

    def difference(self, entry: Entry) -> Difference | None:
        """The difference; None if the criterion is met."""
        found = self.found(entry)
        if self.fits(entry, found):
            return None
        text = ", ".join(found)[: LONGEST + 1] if found else "nothing"
        return Difference(self.at, self.wanted, text if len(text) <= LONGEST else text[:LONGEST] + "…")


class Criteria:
    """Criteria that must all be met."""

    def __init__(self, request: Mapping[str, Any], at: str = "") -> None:
        """`request` fits the document; Invalid for a bad pattern, with `at` before its name."""
        errors: list[FieldError] = []
        self.criteria = list(_criteria(request, at, errors))
        self._of_body = tuple(criterion for criterion in self.criteria if criterion.found is _body)
        self._others = tuple(criterion for criterion in self.criteria if criterion.found is not _body)
        # A text found in the beginning of a body is in the whole body.
        self._beginning_will_do = all(m.keys() == {"contains"} for m in request.get("bodyPatterns", ()))
        if errors:
            raise Invalid(errors)

    def fits(self, entry: Entry) -> bool:
        """Whether the exchange meets all criteria."""
        return all(criterion.fits(entry, criterion.found(entry)) for criterion in self.criteria)

    def differences(self, entry: Entry) -> list[Difference]:
        """All criteria that are not met."""
        return [found for criterion in self.criteria if (found := criterion.difference(entry))]

    def unsure(self, entry: Entry) -> bool:
        """Whether the result is uncertain because the body was truncated."""
        if not self._of_body or len(entry.body) >= entry.body_bytes:
            return False
        if not all(criterion.fits(entry, criterion.found(entry)) for criterion in self._others):
            return False
        return not (self._beginning_will_do and self.fits(entry))


_TEXTS: Mapping[str, Callable[[Entry], str]] = {
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
    method = request.get("method", "ANY")
    if method != "ANY":
        yield _equal(at + "method", method, lambda entry: entry.exchange.method)
    for name, text in _TEXTS.items():
        if name in request:
            yield _equal(at + name, str(request[name]), text)
    for name, text in _PATTERNS.items():
        if name in request:
            pattern = _pattern(request[name], at + name, errors)
            yield Criterion(at + name, f"matches {request[name]}", _one(text), _any(pattern))
    if "urlPathTemplate" in request:
        template = request["urlPathTemplate"]
        steps = [re.escape(step) if n % 2 == 0 else "[^/]+" for n, step in enumerate(_split(template))]
        known = re.compile("".join(steps))
        yield Criterion(
            at + "urlPathTemplate",
            template,
            _one(lambda entry: entry.path),
            _any(lambda text: known.fullmatch(text) is not None),
        )
    for name, matcher in request.get("queryParameters", {}).items():
        yield from _matched(matcher, f"{at}queryParameters.{name}", _query(name), errors)
    for name, matcher in request.get("headers", {}).items():
        yield from _matched(matcher, f"{at}headers.{name}", _header(name.lower()), errors)
    for number, matcher in enumerate(request.get("bodyPatterns", ())):
        yield from _matched(matcher, f"{at}bodyPatterns.{number}", _body, errors)


def _split(template: str) -> list[str]:
    return re.split(r"({[^/{}]+})", template)


def _equal(at: str, wanted: str, text: Callable[[Entry], str]) -> Criterion:
    return Criterion(at, wanted, _one(text), lambda _, found: found[0] == wanted)


def _one(text: Callable[[Entry], str]) -> Callable[[Entry], FieldValues]:
    return lambda entry: (text(entry),)


def _any(fits: Callable[[str], bool]) -> Callable[[Entry, FieldValues], bool]:
    return lambda _, found: any(map(fits, found))


def _none(fits: Callable[[str], bool]) -> Callable[[Entry, FieldValues], bool]:
    return lambda _, found: not any(map(fits, found))


def _query(name: str) -> Callable[[Entry], FieldValues]:
    return lambda entry: parse_qs(entry.query, keep_blank_values=True).get(name, ())


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
                yield Criterion(at, f"contains {value}", found, _any(partial(_is_in, value)))
            case "doesNotContain":
                yield Criterion(at, f"does not contain {value}", found, _none(partial(_is_in, value)))
            case "matches":
                pattern = _pattern(value, f"{at}.matches", errors)
                yield Criterion(at, f"matches {value}", found, _any(pattern))
            case "doesNotMatch":
                pattern = _pattern(value, f"{at}.doesNotMatch", errors)
                yield Criterion(at, f"does not match {value}", found, _none(pattern))
            case "absent":
                yield Criterion(at, "nothing", found, lambda _, f: not f)
            case "equalToJson":
                yield _json_rule(matcher, value, at, found, errors)


def _equal_folded(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _is_in(part: str, text: str) -> bool:
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
    wanted = _parsed(value) if isinstance(value, str) else value
    if depth(wanted) > DEEPEST:
        errors.append(FieldError("body", f"{at}.equalToJson", f"has more than {DEEPEST} levels"))
    any_order = matcher.get("ignoreArrayOrder", False)
    extra = matcher.get("ignoreExtraElements", False)

    def fits(text: str) -> bool:
        try:
            got = orjson.loads(text)
        except orjson.JSONDecodeError:
            return False
        return same(wanted, got, any_order=any_order, extra=extra)

    return Criterion(at, orjson.dumps(wanted).decode()[:LONGEST], found, _any(fits))


def _parsed(text: str) -> Any:
    """Parsed JSON; the text itself if it is not JSON."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
