"""A fault on order: which requests it is for, when it strikes, and what it does to them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from mockserver.faults.broken_body import KINDS
from mockserver.http.problems import Invalid
from mockserver.openapi.flaw import Flaw

SECOND = 1_000_000
"""Microseconds: what a sandbox's clock counts in."""
LONGEST_DELAY = 60_000
"""Milliseconds. A lognormal delay has no end of its own."""


class Asked(NamedTuple):
    """What a rule can ask of a request."""

    operation: str
    method: str
    path: str
    caller: str
    header: Callable[[str], str | None]


class Fault(NamedTuple):
    """What is done to one request."""

    name: str
    delay: float = 0.0
    """Milliseconds."""
    error: Mapping[str, Any] | None = None
    """The answer in place of the handler's: status, example, body, content_type, retry_after."""
    damage: Mapping[str, Any] | None = None
    """How the answer's bytes are broken: kind, after, seconds."""
    handled: bool = True
    """Whether the request is carried out before its answer is broken."""


class Rule:
    """One order. `order` holds every field that the control API's spec names."""

    __slots__ = ("_expires", "id", "order")

    def __init__(self, rule_id: str, order: Mapping[str, Any], now: int) -> None:
        """`now` is the instant from which `seconds` counts; Invalid for a kind that there is not."""
        for field, name, known in (("damage", "kind", KINDS), ("delay", "type", DELAYS)):
            if isinstance(order[field], Mapping) and order[field][name] not in known:
                text = f"{order[field][name]!r} is none of {', '.join(known)}"
                raise Invalid([Flaw("body", f"{field}.{name}", text)])
        self.id = rule_id
        self.order = order
        self._expires = None if order["seconds"] is None else now + round(order["seconds"] * SECOND)

    @property
    def name(self) -> str:
        """What the answers call it."""
        return str(self.order["name"] or self.id)

    def fits(self, asked: Asked) -> bool:
        """Whether the request is one of those that it is for."""
        order, header = self.order, self.order["header"]
        return (
            order["operation"] in (None, asked.operation)
            and order["method"] in (None, asked.method)
            and order["caller"] in (None, asked.caller)
            and (order["path"] is None or resembles(asked.path, order["path"]))
            and (header is None or _has(asked, header))
        )

    def is_over(self, struck: int, now: int) -> bool:
        """Whether it has struck as often, or stood as long, as it may."""
        times = self.order["times"]
        return (times is not None and struck >= times) or (self._expires is not None and now >= self._expires)

    def strikes(self, number: int) -> bool:
        """Whether it strikes the request of this number among those that fit, from 1."""
        order = self.order
        counted = number - order["skip"]
        if counted <= 0 or counted % order["every"]:
            return False
        return bool(order["probability"] == 1) or self._chance("strike", number) < order["probability"]

    def fault(self, number: int) -> Fault:
        """What it does to the request of this number."""
        order = self.order
        chances = self._chance("delay", number), self._chance("more delay", number)
        delay = 0.0 if order["delay"] is None else delay_of(order["delay"], *chances)
        return Fault(self.name, delay, order["error"], order["damage"], order["handled"])

    def _chance(self, what: str, number: int) -> float:
        return chance(f"{self.order['seed']}/{self.id}/{what}/{number}")


def _has(asked: Asked, header: Mapping[str, Any]) -> bool:
    value = asked.header(header["name"])
    return value is not None and header["value"] in (None, value)


def chance(text: str) -> float:
    """A number from 0 to 1, 1 left out, that depends on the text alone."""
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big") / (1 << 48)


def delay_of(delay: Any, first: float, second: float) -> float:
    """Milliseconds: a number as it is, or drawn from a distribution by two chances."""
    if not isinstance(delay, Mapping):
        return float(delay)
    return DELAYS[delay["type"]](delay, first, second)


def _uniform(delay: Mapping[str, Any], first: float, _second: float) -> float:
    lower, upper = sorted((delay["lower"], delay["upper"]))
    return float(lower + (upper - lower) * first)


def _lognormal(delay: Mapping[str, Any], first: float, second: float) -> float:
    normal = math.sqrt(-2 * math.log(1 - first)) * math.cos(2 * math.pi * second)
    return float(min(delay["median"] * math.exp(delay["sigma"] * normal), LONGEST_DELAY))


DELAYS: Mapping[str, Callable[[Mapping[str, Any], float, float], float]] = {
    "uniform": _uniform,
    "lognormal": _lognormal,
}
"""Distributions of a delay, each drawn from by two chances."""


def resembles(text: str, pattern: str) -> bool:
    """Whether `text` is the pattern, in which `*` stands for any text. Takes no longer than they are long."""
    first, *middle = pattern.split("*")
    if not middle:
        return text == first
    last = middle.pop()
    if not text.startswith(first):
        return False
    at = len(first)
    for part in middle:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - at >= len(last) and text.endswith(last)
