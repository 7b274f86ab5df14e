"""The faults of one sandbox: its rules in order, how often each struck, and its rate limit."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mockserver.faults.profiles import PROFILES
from mockserver.faults.rate_limit import Limits, Plan
from mockserver.faults.rule import Asked, Fault, Rule
from mockserver.http.problems import Invalid
from mockserver.openapi.flaw import Flaw

MOST_RULES = 1000
"""In a sandbox; each is asked about each request."""


class _Entry(NamedTuple):
    """A rule and its counts. Entries are replaced, never changed, so that a mark is one reference."""

    rule: Rule
    matched: int = 0
    """Requests that fit and that no rule before it struck."""
    struck: int = 0


class Terms(NamedTuple):
    """What every sandbox's faults have in common: what a rule can say, and what there is at the start."""

    defaults: Mapping[str, Any] = {}
    """What an order leaves out, by field."""
    operations: Collection[str] = ()
    """Those that a rule can name."""
    profile: str | None = None
    plan: Plan | None = None


class Mark(NamedTuple):
    """All of it, to go back to or to hand to another sandbox."""

    entries: tuple[_Entry, ...]
    limits: Limits | None


class Faults:
    """Asked by requests, changed by the control API, both from many threads."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._lock = threading.Lock()
        self.reset(0)

    def reset(self, now: int) -> None:
        """As at the start, at this instant of the sandbox's clock."""
        with self._lock:
            self._entries: tuple[_Entry, ...] = ()
            self.limits = None if self._terms.plan is None else Limits(self._terms.plan)
            if self._terms.profile is not None:
                self._entries = self._of_profile(self._terms.profile, {}, now)
            self._rearm()

    def mark(self) -> Mark:
        """Rules, counts and rate limit as they are."""
        with self._lock:
            return Mark(self._entries, None if self.limits is None else self.limits.copy())

    def back_to(self, mark: Mark) -> None:
        """Rules, counts and rate limit as they were."""
        with self._lock:
            self._entries = mark.entries
            self.limits = None if mark.limits is None else mark.limits.copy()
            self._rearm()

    def limit(self, plan: Plan | None) -> None:
        """Begin anew with full buckets; None is no limit."""
        with self._lock:
            self.limits = None if plan is None else Limits(plan)
            self._rearm()

    def strike(self, asked: Asked, now: int) -> Fault | None:
        """The fault of the first rule that strikes this request, counted; None if none does."""
        with self._lock:
            for at, entry in enumerate(self._entries):
                rule, matched, struck = entry
                if rule.is_over(struck, now) or not rule.fits(asked):
                    continue
                matched += 1
                strikes = rule.strikes(matched)
                self._put(at, _Entry(rule, matched, struck + strikes))
                if strikes:
                    return rule.fault(matched)
        return None

    def listed(self, now: int) -> list[dict[str, Any]]:
        """Every rule in order, as the control API shows it."""
        return [_shown(entry, now) for entry in self._entries]

    def get(self, rule_id: str, now: int) -> dict[str, Any] | None:
        """One rule, as the control API shows it."""
        return next((_shown(entry, now) for entry in self._entries if entry.rule.id == rule_id), None)

    def add(self, order: Mapping[str, Any], new_id: Callable[[str], str], now: int) -> list[dict[str, Any]]:
        """One more rule, or those of a profile in place of another profile's; Invalid for a bad order."""
        order = dict(order)
        profile, first = order.pop("profile"), order.pop("first")
        self._refuse_unknown(order)
        with self._lock:
            made: tuple[_Entry, ...]
            kept = [e for e in self._entries if profile is None or e.rule.id not in _PROFILED]
            if profile is None:
                known = {entry.rule.id for entry in kept}
                fresh = iter(lambda: new_id("fault"), "")
                made = (_Entry(Rule(next(i for i in fresh if i not in known), order, now)),)
            else:
                made = self._of_profile(profile, order, now)
            if len(kept) + len(made) > MOST_RULES:
                raise Invalid([Flaw("body", "", f"there are {MOST_RULES} rules, the most there may be")])
            self._entries = (*made, *kept) if first else (*kept, *made)
            self._rearm()
        return [_shown(entry, now) for entry in made]

    def change(self, rule_id: str, changes: Mapping[str, Any], now: int) -> dict[str, Any] | None:
        """The rule with these fields changed; it counts from 0 again. None if there is none."""
        changes = dict(changes)
        first = changes.pop("first", False)
        self._refuse_unknown(changes)
        with self._lock:
            at = self._position(rule_id)
            if at is None:
                return None
            entry = _Entry(Rule(rule_id, {**self._entries[at].rule.order, **changes}, now))
            self._put(at, entry)
            if first:
                others = (e for e in self._entries if e is not entry)
                self._entries = (entry, *others)
        return _shown(entry, now)

    def remove(self, rule_id: str) -> bool:
        """Whether there was such a rule."""
        with self._lock:
            at = self._position(rule_id)
            if at is not None:
                self._entries = (*self._entries[:at], *self._entries[at + 1 :])
                self._rearm()
        return at is not None

    def clear(self) -> None:
        """No rule is left. The rate limit stays."""
        with self._lock:
            self._entries = ()
            self._rearm()

    def _rearm(self) -> None:
        self.armed = bool(self._entries) or self.limits is not None

    def _put(self, at: int, entry: _Entry) -> None:
        self._entries = (*self._entries[:at], entry, *self._entries[at + 1 :])

    def _position(self, rule_id: str) -> int | None:
        return next((at for at, entry in enumerate(self._entries) if entry.rule.id == rule_id), None)

    def _of_profile(self, profile: str, order: Mapping[str, Any], now: int) -> tuple[_Entry, ...]:
        whole = {name: value for name, value in self._terms.defaults.items() if name not in _NO_RULE}
        orders: Sequence[Mapping[str, Any]] = [{**whole, **order, **rule} for rule in PROFILES[profile]]
        return tuple(_Entry(Rule(order["name"], order, now)) for order in orders)

    def _refuse_unknown(self, order: Mapping[str, Any]) -> None:
        operation = order.get("operation")
        if operation is not None and operation not in self._terms.operations:
            near = difflib.get_close_matches(operation, self._terms.operations, n=3, cutoff=0.4)
            hint = f"; nearest: {', '.join(near)}" if near else ""
            raise Invalid([Flaw("body", "operation", f"{operation[:80]!r} is no operation{hint}")])


_NO_RULE = ("profile", "first")
"""Fields of an order that say what becomes of it, and are no part of the rule."""


def _profiled() -> Iterator[str]:
    for rules in PROFILES.values():
        yield from (rule["name"] for rule in rules)


_PROFILED = frozenset(_profiled())


def _shown(entry: _Entry, now: int) -> dict[str, Any]:
    counts = {"matched": entry.matched, "struck": entry.struck}
    return {
        "id": entry.rule.id,
        **entry.rule.order,
        **counts,
        "over": entry.rule.is_over(entry.struck, now),
    }
