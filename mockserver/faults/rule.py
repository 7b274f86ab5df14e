"""Fault rules: which requests they match, when they apply, and the fault they inject."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from copy import copy
from hashlib import blake2b
from typing import Any, NamedTuple

from mockserver.faults.broken_body import KINDS
from mockserver.faults.hold import Hold
from mockserver.http.problems import Invalid
from mockserver.openapi.field_error import FieldError

SECOND = 1_000_000
"""Microseconds, the unit of a sandbox's clock."""
LONGEST_DELAY = 60_000
"""Milliseconds; caps the lognormal distribution."""


class MatchedRequest(NamedTuple):
    """Properties of a request that a rule can match."""

    operation: str
    method: str
    path: str
    caller: str
    header: Callable[[str], str | None]


class Fault(NamedTuple):
    """Fault to inject into one request."""

    name: str
    delay: float = 0.0
    """Milliseconds."""
    error: Mapping[str, Any] | None = None
    """Answer that replaces the handler's: status, example, body, content_type, retry_after."""
    damage: Mapping[str, Any] | None = None
    """Damage to the answer's bytes: kind, after, seconds."""
    handled: bool = True
    """Whether the handler runs before the answer is damaged."""
    hold: Hold | None = None
    """Where the answer waits for its release."""
    hold_after: int | None = None
    """Events of a stream that are sent before it waits; None to wait before the request is carried out."""


class Moment(NamedTuple):
    """An instant by the sandbox's clock and in real time, in microseconds; None for never."""

    clock: Any
    real: Any


def _end(begin: int, seconds: float | None) -> int | None:
    return None if seconds is None else begin + round(seconds * SECOND)


class Rule:
    """Fault rule. `fields` holds every field that the control API defines for it."""

    __slots__ = ("ends", "fields", "hold", "id")

    def __init__(self, rule_id: str, fields: Mapping[str, Any], begins: Moment) -> None:
        """`begins`: the start of the rule's lifetimes; Invalid for an unknown kind."""
        for name, key, known in (("damage", "kind", KINDS), ("delay", "type", DELAYS)):
            if isinstance(fields[name], Mapping) and fields[name][key] not in known:
                text = f"{fields[name][key]!r} is not one of {', '.join(known)}"
                raise Invalid([FieldError("body", f"{name}.{key}", text)])
        self.id = rule_id
        self.fields = fields
        self.hold = None if fields["hold"] is None else Hold()
        self.ends = Moment(*map(_end, begins, (fields["seconds"], fields["for_seconds"])))

    @property
    def name(self) -> str:
        """Name of the rule in X-Mock-Fault and in the journal."""
        return str(self.fields["name"] or self.id)

    def matches(self, request: MatchedRequest) -> bool:
        """Whether the request meets the rule's criteria."""
        fields, header = self.fields, self.fields["header"]
        sent = None if header is None else request.header(header["name"])
        return (
            fields["operation"] in (None, request.operation)
            and fields["method"] in (None, request.method)
            and fields["caller"] in (None, request.caller)
            and (fields["path"] is None or matches_pattern(request.path, fields["path"]))
            and (header is None or (sent is not None and header["value"] in (None, sent)))
        )

    def expired(self, struck: int, now: Moment) -> bool:
        """Whether the rule has reached its `times`, its `seconds` or its `for_seconds`."""
        times, (end, real_end) = self.fields["times"], self.ends
        if times is not None and struck >= times:
            return True
        return (end is not None and now.clock >= end) or (real_end is not None and now.real >= real_end)

    def applies_to(self, number: int) -> bool:
        """Whether the rule applies to the matching request of this number, from 1."""
        fields = self.fields
        counted = number - fields["skip"]
        if counted <= 0 or counted % fields["every"]:
            return False
        return bool(fields["probability"] == 1) or self._chance("strike", number) < fields["probability"]

    def fault(self, number: int) -> Fault:
        """Fault for the matching request of this number."""
        fields = self.fields
        chances = self._chance("delay", number), self._chance("more delay", number)
        delay = 0.0 if fields["delay"] is None else delay_of(fields["delay"], *chances)
        after = None if fields["hold"] is None else fields["hold"].get("after_events")
        return Fault(self.name, delay, fields["error"], fields["damage"], fields["handled"], self.hold, after)

    def release(self) -> None:
        """Let pass what this rule holds."""
        if self.hold is not None:
            self.hold.release()

    def copied(self) -> Rule:
        """The same rule for another sandbox: what is held here is not held there."""
        other = copy(self)
        other.hold = None if self.hold is None else Hold()
        return other

    def _chance(self, what: str, number: int) -> float:
        return chance(f"{self.fields['seed']}/{self.id}/{what}/{number}")


def chance(text: str) -> float:
    """Pseudo-random number in [0, 1) that depends on the text alone."""
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big") / (1 << 48)


def delay_of(delay: Any, first: float, second: float) -> float:
    """Milliseconds of a fixed delay, or drawn from a distribution with two random numbers."""
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
"""Delay distributions by type."""


def matches_pattern(text: str, pattern: str) -> bool:
    """Whether `text` matches a pattern in which `*` is any text; in linear time."""
    first, *middle = map(re.escape, pattern.split("*"))
    # Atomic groups: a part that was found is never looked for again.
    parts = [f"(?>.*?{part})" for part in middle[:-1]] + [f".*{part}" for part in middle[-1:]]
    return re.fullmatch(first + "".join(parts), text, re.DOTALL) is not None
