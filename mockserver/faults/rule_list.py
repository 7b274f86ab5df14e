"""Faults of one sandbox: fault rules with their counts, and the rate limit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from mockserver.faults.profiles import PROFILES
from mockserver.faults.rate_limit import Plan, RateLimiter
from mockserver.faults.rule import Fault, MatchedRequest, Moment, Rule
from mockserver.http.problems import Invalid, nearest
from mockserver.openapi.field_error import FieldError

MOST_RULES = 1000
"""Most rules in a sandbox; each is checked for each request."""


class CountedRule(NamedTuple):
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

    rules: Mapping[str, CountedRule]
    rate_limiter: RateLimiter | None


class Faults:
    """Fault rules and rate limit of a sandbox; safe to use from several threads."""

    def __init__(self, defaults: FaultDefaults) -> None:
        self._defaults = defaults
        self._lock = threading.Lock()
        self._rules: Mapping[str, CountedRule] = {}
        """By id, in order; replaced, never edited."""
        self.real: Callable[[], int] = int
        """Real time in microseconds; set by the sandbox."""
        self.counted: Callable[[str, int, int], None] | None = None
        """Called with a rule's id and its counts, `matched` and `struck`, when they change."""
        self.taken: Callable[[str, int], None] | None = None
        """Called with a caller and the instant, when it has taken a token of the rate limit."""
        self.reset(0)

    def reset(self, now: int) -> None:
        """Restore the initial faults, at this instant of the sandbox's clock."""
        with self._lock:
            self._replace({})
            self.rate_limiter = None if self._defaults.plan is None else RateLimiter(self._defaults.plan)
            if self._defaults.profile is not None:
                self._rules = self._of_profile(self._defaults.profile, {}, now)

    def begin_with(self, rules: Sequence[Mapping[str, Any]], now: int) -> None:
        """Add the rules of a scenario."""
        whole = {name: value for name, value in self._defaults.rule.items() if name not in NO_RULE}
        if not whole:
            return  # of a sandbox that answers nobody
        with self._lock:
            more = [
                Rule(f"fault_{n:032x}", {**whole, **each}, self._moment(now)) for n, each in enumerate(rules)
            ]
            self._rules = {**self._rules, **{rule.id: CountedRule(rule) for rule in more}}

    @property
    def armed(self) -> bool:
        """Whether there is a rule or a rate limit."""
        return bool(self._rules) or self.rate_limiter is not None

    def checkpoint(self) -> FaultsVersion:
        """Rules, counts and rate limit as they are now."""
        with self._lock:
            return FaultsVersion(self._rules, None if self.rate_limiter is None else self.rate_limiter.copy())

    def restore(self, version: FaultsVersion) -> None:
        """Restore rules, counts and rate limit."""
        with self._lock:
            self._replace({id_: e._replace(rule=e.rule.copied()) for id_, e in version.rules.items()})
            self.rate_limiter = None if version.rate_limiter is None else version.rate_limiter.copy()

    def limit(self, plan: Plan | None) -> None:
        """Set a rate limit with full buckets; None for no limit."""
        self.rate_limiter = None if plan is None else RateLimiter(plan)

    def apply(self, request: MatchedRequest, now: int) -> Fault | None:
        """Count the request, and return the fault of the first rule that applies to it; None if none does."""
        with self._lock:
            moment = Moment(now, self.real())
            for rule_id, (rule, matched, struck) in self._rules.items():
                if rule.expired(struck, moment) or not rule.matches(request):
                    continue
                matched += 1
                applies = rule.applies_to(matched)
                self._rules = {**self._rules, rule_id: CountedRule(rule, matched, struck + applies)}
                if self.counted is not None:
                    self.counted(rule_id, matched, struck + applies)
                if applies:
                    return rule.fault(matched)
        return None

    def listed(self, now: int) -> list[dict[str, Any]]:
        """All rules in order, as the control API returns them."""
        return [_rule_body(entry, self._moment(now)) for entry in self._rules.values()]

    def get(self, rule_id: str, now: int) -> dict[str, Any] | None:
        """One rule, as the control API returns it."""
        entry = self._rules.get(rule_id)
        return None if entry is None else _rule_body(entry, self._moment(now))

    def add(self, fields: Mapping[str, Any], new_id: Callable[[str], str], now: int) -> list[dict[str, Any]]:
        """Add a rule, or a profile's rules in place of another profile's; Invalid for a bad rule."""
        fields = dict(fields)
        profile, first = fields.pop("profile"), fields.pop("first")
        self._refuse_unknown(fields)
        with self._lock:
            kept = {i: e for i, e in self._rules.items() if profile is None or i not in _PROFILED}
            if profile is None:
                fresh = next(id_ for id_ in iter(lambda: new_id("fault"), "") if id_ not in kept)
                added: Mapping[str, CountedRule] = {
                    fresh: CountedRule(Rule(fresh, fields, self._moment(now)))
                }
            else:
                added = self._of_profile(profile, fields, now)
            if len(kept) + len(added) > MOST_RULES:
                raise Invalid([FieldError("body", "", f"the limit of {MOST_RULES} rules is reached")])
            self._replace({**added, **kept} if first else {**kept, **added})
        return [_rule_body(entry, self._moment(now)) for entry in added.values()]

    def change(self, rule_id: str, changes: Mapping[str, Any], now: int) -> dict[str, Any] | None:
        """Change these fields of a rule and reset its counts; None if there is no such rule."""
        changes = dict(changes)
        first = changes.pop("first", False)
        self._refuse_unknown(changes)
        with self._lock:
            before = self._rules.get(rule_id)
            if before is None:
                return None
            entry = CountedRule(Rule(rule_id, {**before.rule.fields, **changes}, self._moment(now)))
            ahead = {rule_id: entry} if first else {}
            self._replace({**ahead, **self._rules, rule_id: entry})
        return _rule_body(entry, self._moment(now))

    def remove(self, rule_id: str) -> bool:
        """Remove a rule; whether it existed."""
        with self._lock:
            existed = rule_id in self._rules
            self._replace({id_: entry for id_, entry in self._rules.items() if id_ != rule_id})
        return existed

    def clear(self) -> None:
        """Remove all rules. The rate limit stays."""
        with self._lock:
            self._replace({})

    def release(self, rule_id: str, now: int) -> dict[str, Any] | None:
        """Let pass what a rule holds; None if there is no such rule."""
        entry = self._rules.get(rule_id)
        if entry is None:
            return None
        entry.rule.release()
        return _rule_body(entry, self._moment(now))

    def count(self, rule_id: str, matched: int, struck: int) -> None:
        """Set the counts of a rule, if it is there."""
        with self._lock:
            if rule_id in self._rules:
                counted = self._rules[rule_id]._replace(matched=matched, struck=struck)
                self._rules = {**self._rules, rule_id: counted}

    def _moment(self, now: int) -> Moment:
        return Moment(now, self.real())

    def _replace(self, rules: Mapping[str, CountedRule]) -> None:
        """Replace the rules; those that are no longer there hold nothing."""
        kept = {id(entry.rule) for entry in rules.values()}
        for entry in self._rules.values():
            if id(entry.rule) not in kept:
                entry.rule.release()
        self._rules = rules

    def _of_profile(self, profile: str, fields: Mapping[str, Any], now: int) -> dict[str, CountedRule]:
        whole = {name: value for name, value in self._defaults.rule.items() if name not in NO_RULE}
        rules: Sequence[Mapping[str, Any]] = [{**whole, **fields, **rule} for rule in PROFILES[profile]]
        return {rule["name"]: CountedRule(Rule(rule["name"], rule, self._moment(now))) for rule in rules}

    def _refuse_unknown(self, fields: Mapping[str, Any]) -> None:
        operation = fields.get("operation")
        if operation is not None and operation not in self._defaults.operations:
            text = f"{operation[:80]!r} is not an operation{nearest(operation, self._defaults.operations)}"
            raise Invalid([FieldError("body", "operation", text)])


NO_RULE = ("profile", "first")
"""Fields of the request that are not part of the rule."""
_PROFILED = frozenset(rule["name"] for rules in PROFILES.values() for rule in rules)


def _rule_body(entry: CountedRule, now: Moment) -> dict[str, Any]:
    rule, matched, struck = entry
    over = rule.expired(struck, now)
    waiting = 0 if rule.hold is None else rule.hold.waiting
    counts = {"matched": matched, "struck": struck, "waiting": waiting, "over": over}
    return {"id": rule.id, **rule.fields, **counts}
