"""Faults of one sandbox: fault rules with their counts, and the rate limit."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mockserver.faults.profiles import PROFILES
from mockserver.faults.rate_limit import Plan, RateLimiter
from mockserver.faults.rule import Fault, MatchedRequest, Rule
from mockserver.http.problems import Invalid
from mockserver.openapi.field_error import FieldError

MOST_RULES = 1000
"""Most rules in a sandbox; each is checked for each request."""


class _CountedRule(NamedTuple):
    """A rule and its counts; replaced, never edited, so that a version is one reference."""

    rule: Rule
    matched: int = 0
    """Requests that matched and that no earlier rule applied to."""
    struck: int = 0


class FaultDefaults(NamedTuple):
    """Settings common to the faults of all sandboxes."""

    rule: Mapping[str, Any] = {}
    """Default values of a rule's fields."""
    operations: Collection[str] = ()
    """Operations that a rule can name."""
    profile: str | None = None
    plan: Plan | None = None


class FaultsVersion(NamedTuple):
    """Rules, counts and rate limit at one instant, to restore or to copy into another sandbox."""

    entries: tuple[_CountedRule, ...]
    rate_limiter: RateLimiter | None


class Faults:
    """Fault rules and rate limit of a sandbox; safe to use from several threads."""

    def __init__(self, defaults: FaultDefaults) -> None:
        self._defaults = defaults
        self._lock = threading.Lock()
        self.reset(0)

    def reset(self, now: int) -> None:
        """Restore the initial faults, at this instant of the sandbox's clock."""
        with self._lock:
            self._entries: tuple[_CountedRule, ...] = ()
            self.rate_limiter = None if self._defaults.plan is None else RateLimiter(self._defaults.plan)
            if self._defaults.profile is not None:
                self._entries = self._of_profile(self._defaults.profile, {}, now)
            self._rearm()

    def checkpoint(self) -> FaultsVersion:
        """Rules, counts and rate limit as they are now."""
        with self._lock:
            return FaultsVersion(
                self._entries, None if self.rate_limiter is None else self.rate_limiter.copy()
            )

    def restore(self, version: FaultsVersion) -> None:
        """Restore rules, counts and rate limit."""
        with self._lock:
            self._entries = version.entries
            self.rate_limiter = None if version.rate_limiter is None else version.rate_limiter.copy()
            self._rearm()

    def limit(self, plan: Plan | None) -> None:
        """Set a rate limit with full buckets; None for no limit."""
        with self._lock:
            self.rate_limiter = None if plan is None else RateLimiter(plan)
            self._rearm()

    def apply(self, request: MatchedRequest, now: int) -> Fault | None:
        """Count the request, and return the fault of the first rule that applies to it; None if none does."""
        with self._lock:
            for at, entry in enumerate(self._entries):
                rule, matched, struck = entry
                if rule.expired(struck, now) or not rule.matches(request):
                    continue
                matched += 1
                applies = rule.applies_to(matched)
                self._put(at, _CountedRule(rule, matched, struck + applies))
                if applies:
                    return rule.fault(matched)
        return None

    def listed(self, now: int) -> list[dict[str, Any]]:
        """All rules in order, as the control API returns them."""
        return [_rule_body(entry, now) for entry in self._entries]

    def get(self, rule_id: str, now: int) -> dict[str, Any] | None:
        """One rule, as the control API returns it."""
        return next((_rule_body(entry, now) for entry in self._entries if entry.rule.id == rule_id), None)

    def add(self, fields: Mapping[str, Any], new_id: Callable[[str], str], now: int) -> list[dict[str, Any]]:
        """Add a rule, or a profile's rules in place of another profile's; Invalid for a bad rule."""
        fields = dict(fields)
        profile, first = fields.pop("profile"), fields.pop("first")
        self._refuse_unknown(fields)
        with self._lock:
            added: tuple[_CountedRule, ...]
            kept = [e for e in self._entries if profile is None or e.rule.id not in _PROFILED]
            if profile is None:
                known = {entry.rule.id for entry in kept}
                fresh = iter(lambda: new_id("fault"), "")
                added = (_CountedRule(Rule(next(i for i in fresh if i not in known), fields, now)),)
            else:
                added = self._of_profile(profile, fields, now)
            if len(kept) + len(added) > MOST_RULES:
                raise Invalid([FieldError("body", "", f"the limit of {MOST_RULES} rules is reached")])
            self._entries = (*added, *kept) if first else (*kept, *added)
            self._rearm()
        return [_rule_body(entry, now) for entry in added]

    def change(self, rule_id: str, changes: Mapping[str, Any], now: int) -> dict[str, Any] | None:
        """Change these fields of a rule and reset its counts; None if there is no such rule."""
        changes = dict(changes)
        first = changes.pop("first", False)
        self._refuse_unknown(changes)
        with self._lock:
            at = self._position(rule_id)
            if at is None:
                return None
            entry = _CountedRule(Rule(rule_id, {**self._entries[at].rule.fields, **changes}, now))
            self._put(at, entry)
            if first:
                others = (e for e in self._entries if e is not entry)
                self._entries = (entry, *others)
        return _rule_body(entry, now)

    def remove(self, rule_id: str) -> bool:
        """Remove a rule; whether it existed."""
        with self._lock:
            at = self._position(rule_id)
            if at is not None:
                self._entries = (*self._entries[:at], *self._entries[at + 1 :])
                self._rearm()
        return at is not None

    def clear(self) -> None:
        """Remove all rules. The rate limit stays."""
        with self._lock:
            self._entries = ()
            self._rearm()

    def _rearm(self) -> None:
        self.armed = bool(self._entries) or self.rate_limiter is not None

    def _put(self, at: int, entry: _CountedRule) -> None:
        self._entries = (*self._entries[:at], entry, *self._entries[at + 1 :])

    def _position(self, rule_id: str) -> int | None:
        return next((at for at, entry in enumerate(self._entries) if entry.rule.id == rule_id), None)

    def _of_profile(self, profile: str, fields: Mapping[str, Any], now: int) -> tuple[_CountedRule, ...]:
        whole = {name: value for name, value in self._defaults.rule.items() if name not in _NO_RULE}
        rules: Sequence[Mapping[str, Any]] = [{**whole, **fields, **rule} for rule in PROFILES[profile]]
        return tuple(_CountedRule(Rule(rule["name"], rule, now)) for rule in rules)

    def _refuse_unknown(self, fields: Mapping[str, Any]) -> None:
        operation = fields.get("operation")
        if operation is not None and operation not in self._defaults.operations:
            near = difflib.get_close_matches(operation, self._defaults.operations, n=3, cutoff=0.4)
            hint = f"; nearest: {', '.join(near)}" if near else ""
            raise Invalid([FieldError("body", "operation", f"{operation[:80]!r} is not an operation{hint}")])


_NO_RULE = ("profile", "first")
"""Fields of the request that are not part of the rule."""


def _profiled() -> Iterator[str]:
    for rules in PROFILES.values():
        yield from (rule["name"] for rule in rules)


_PROFILED = frozenset(_profiled())


def _rule_body(entry: _CountedRule, now: int) -> dict[str, Any]:
    counts = {"matched": entry.matched, "struck": entry.struck}
    return {
        "id": entry.rule.id,
        **entry.rule.fields,
        **counts,
        "over": entry.rule.expired(entry.struck, now),
    }
