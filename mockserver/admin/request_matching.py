"""Which exchanges are meant: WireMock's shapes of a request, and a few words of our own."""

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
from mockserver.openapi.flaw import Flaw

LONGEST = 200
"""Characters of a value in a difference."""
_LARGEST = 1 << 20
"""Bytes that a compiled pattern may take."""
Found = Sequence[str]
"""The values of one thing: none if it is absent; a query parameter can have several."""


class Difference(NamedTuple):
    """Why an exchange is not the one that is meant."""

    at: str
    wanted: str
    found: str


class Rule(NamedTuple):
    """One thing that must be so."""

    at: str
    wanted: str
    found: Callable[[Entry], Found]
    fits: Callable[[Entry, Found], bool]

    def difference(self, entry: Entry) -> Difference | None:
        """None if it is so."""
        found = self.found(entry)
        if self.fits(entry, found):
            return None
        told = ", ".join(found)[: LONGEST + 1] if found else "nothing"
        return Difference(self.at, self.wanted, told if len(told) <= LONGEST else told[:LONGEST] + "…")


class Criteria:
    """Everything that must be so at once."""

    def __init__(self, given: Mapping[str, Any], at: str = "") -> None:
        """`given` is valid; Invalid for a pattern that is none, with `at` in front of its name."""
        flaws: list[Flaw] = []
        self.rules = list(_rules(given, at, flaws))
        self._of_body = tuple(rule for rule in self.rules if rule.found is _body)
        self._others = tuple(rule for rule in self.rules if rule.found is not _body)
        # What has been found in the beginning of a body is in the whole, too.
        self._beginning_will_do = all(m.keys() == {"contains"} for m in given.get("bodyPatterns", ()))
        if flaws:
            raise Invalid(flaws)

    def fits(self, entry: Entry) -> bool:
        """Whether the exchange is meant."""
        return all(rule.fits(entry, rule.found(entry)) for rule in self.rules)

    def differences(self, entry: Entry) -> list[Difference]:
        """Everything that is otherwise."""
        return [found for rule in self.rules if (found := rule.difference(entry))]

    def unsure(self, entry: Entry) -> bool:
        """Whether nobody can tell, for the body was cut."""
        if not self._of_body or len(entry.body) >= entry.body_bytes:
            return False
        if not all(rule.fits(entry, rule.found(entry)) for rule in self._others):
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


def _rules(given: Mapping[str, Any], at: str, flaws: list[Flaw]) -> Iterator[Rule]:
    method = given.get("method", "ANY")
    if method != "ANY":
        yield _equal(at + "method", method, lambda entry: entry.exchange.method)
    for name, text in _TEXTS.items():
        if name in given:
            yield _equal(at + name, str(given[name]), text)
    for name, text in _PATTERNS.items():
        if name in given:
            pattern = _pattern(given[name], at + name, flaws)
            yield Rule(at + name, f"matches {given[name]}", _one(text), _any(pattern))
    if "urlPathTemplate" in given:
        template = given["urlPathTemplate"]
        steps = [re.escape(step) if n % 2 == 0 else "[^/]+" for n, step in enumerate(_split(template))]
        known = re.compile("".join(steps))
        yield Rule(
            at + "urlPathTemplate",
            template,
            _one(lambda entry: entry.path),
            _any(lambda text: known.fullmatch(text) is not None),
        )
    for name, matcher in given.get("queryParameters", {}).items():
        yield from _matched(matcher, f"{at}queryParameters.{name}", _query(name), flaws)
    for name, matcher in given.get("headers", {}).items():
        yield from _matched(matcher, f"{at}headers.{name}", _header(name.lower()), flaws)
    for number, matcher in enumerate(given.get("bodyPatterns", ())):
        yield from _matched(matcher, f"{at}bodyPatterns.{number}", _body, flaws)


def _split(template: str) -> list[str]:
    return re.split(r"({[^/{}]+})", template)


def _equal(at: str, wanted: str, text: Callable[[Entry], str]) -> Rule:
    return Rule(at, wanted, _one(text), lambda _, found: found[0] == wanted)


def _one(text: Callable[[Entry], str]) -> Callable[[Entry], Found]:
    return lambda entry: (text(entry),)


def _any(fits: Callable[[str], bool]) -> Callable[[Entry, Found], bool]:
    return lambda _, found: any(map(fits, found))


def _none(fits: Callable[[str], bool]) -> Callable[[Entry, Found], bool]:
    return lambda _, found: not any(map(fits, found))


def _query(name: str) -> Callable[[Entry], Found]:
    return lambda entry: parse_qs(entry.query, keep_blank_values=True).get(name, ())


def _header(name: str) -> Callable[[Entry], Found]:
    def values(entry: Entry) -> Found:
        found = [value for key, value in entry.headers if header_name(key) == name]
        return [MASK for _ in found] if name in SECRET else found  # as they are shown

    return values


def _body(entry: Entry) -> Found:
    return (entry.body.decode("utf-8", "replace"),) if entry.body_bytes else ()


def _matched(
    matcher: Mapping[str, Any], at: str, found: Callable[[Entry], Found], flaws: list[Flaw]
) -> Iterator[Rule]:
    """The rules of one StringValuePattern; the spec has seen to it that there is one."""
    equal = _equal_folded if matcher.get("caseInsensitive") else operator.eq
    for name, value in matcher.items():
        match name:
            case "equalTo":
                yield Rule(at, str(value), found, _any(partial(equal, value)))
            case "contains":
                yield Rule(at, f"contains {value}", found, _any(partial(_is_in, value)))
            case "doesNotContain":
                yield Rule(at, f"does not contain {value}", found, _none(partial(_is_in, value)))
            case "matches":
                pattern = _pattern(value, f"{at}.matches", flaws)
                yield Rule(at, f"matches {value}", found, _any(pattern))
            case "doesNotMatch":
                pattern = _pattern(value, f"{at}.doesNotMatch", flaws)
                yield Rule(at, f"does not match {value}", found, _none(pattern))
            case "absent":
                yield Rule(at, "nothing", found, lambda _, f: not f)
            case "equalToJson":
                yield _json_rule(matcher, value, at, found, flaws)


def _equal_folded(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _is_in(part: str, text: str) -> bool:
    return part in text


def _pattern(text: str, at: str, flaws: list[Flaw]) -> Callable[[str], bool]:
    """Whether a whole text matches; in time that grows with the text alone, whatever the pattern."""
    schema = {"type": "string", "pattern": f"^(?:{text})$"}
    options = jsonschema_rs.RegexOptions(size_limit=_LARGEST)
    try:
        # Without the frame first: "a)(b" would be none of its own.
        jsonschema_rs.Draft202012Validator({"pattern": text}, pattern_options=options)
        return jsonschema_rs.Draft202012Validator(schema, pattern_options=options).is_valid
    except (ValueError, jsonschema_rs.ValidationError):
        flaws.append(Flaw("body", at, "is not a regular expression without look-around and back-references"))
        return lambda _: False


def _json_rule(
    matcher: Mapping[str, Any], value: Any, at: str, found: Callable[[Entry], Found], flaws: list[Flaw]
) -> Rule:
    wanted = _loaded(value) if isinstance(value, str) else value
    if depth(wanted) > DEEPEST:
        flaws.append(Flaw("body", f"{at}.equalToJson", f"has more than {DEEPEST} levels"))
    any_order = matcher.get("ignoreArrayOrder", False)
    extra = matcher.get("ignoreExtraElements", False)

    def fits(text: str) -> bool:
        try:
            got = orjson.loads(text)
        except orjson.JSONDecodeError:
            return False
        return same(wanted, got, any_order=any_order, extra=extra)

    return Rule(at, orjson.dumps(wanted).decode()[:LONGEST], found, _any(fits))


def _loaded(text: str) -> Any:
    """The JSON that a text is; the text itself if it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
