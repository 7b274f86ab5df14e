"""Fault rules with their counts, and the rate limit, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mockserver.faults.rate_limit import Plan, RateLimiter
from mockserver.faults.rule import Moment, Rule
from mockserver.faults.rule_list import NO_RULE, CountedRule, FaultsVersion
from mockserver.http.problems import Invalid

Values = Mapping[str, Any]


def faults_json(version: FaultsVersion) -> dict[str, Any]:
    """Faults as JSON values; instants are microseconds since 1970."""
    return {
        "rules": [_rule_json(each) for each in version.rules.values()],
        "rate_limit": None if version.rate_limiter is None else _limit_json(version.rate_limiter),
    }


def _rule_json(counted: CountedRule) -> dict[str, Any]:
    rule, matched, struck = counted
    ends, real_ends = rule.ends
    values = {"id": rule.id, "fields": dict(rule.fields), "matched": matched, "struck": struck}
    return {**values, "ends": ends, "real_ends": real_ends}


def _limit_json(limiter: RateLimiter) -> dict[str, Any]:
    levels = limiter.levels()
    return {
        **limiter.plan._asdict(),
        "buckets": {
            caller: [{"at": at, "missing": missing} for at, missing in each]
            for caller, each in sorted(levels.items())
        },
    }


def read_faults(values: Values, defaults: Values, refuse: Callable[[str, str], None]) -> FaultsVersion:
    """Faults from their JSON values, of the right shape; `refuse` gets the place and the reason of an error.

    `defaults`: of the fields of a rule.
    """
    rules: dict[str, CountedRule] = {}
    for number, each in enumerate(values["rules"]):
        if each["id"] in rules:
            refuse(f"rules.{number}", f"{each['id']!r} is here twice")
        fields = {**defaults, **each["fields"]}
        try:
            rule = Rule(each["id"], {n: v for n, v in fields.items() if n not in NO_RULE}, Moment(0, 0))
        except Invalid as invalid:
            refuse(f"rules.{number}", str(invalid.details["fields"][0]["message"]))
            continue
        rule.ends = Moment(_whole(each["ends"]), _whole(each["real_ends"]))
        rules[each["id"]] = CountedRule(rule, int(each["matched"]), int(each["struck"]))
    return FaultsVersion(rules, _limiter(values["rate_limit"], refuse))


def _limiter(values: Values | None, refuse: Callable[[str, str], None]) -> RateLimiter | None:
    if values is None:
        return None
    per_minute, burst, per_day = (_whole(values[name]) for name in ("per_minute", "burst", "per_day"))
    assert per_minute is not None
    assert burst is not None
    limiter = RateLimiter(Plan(values["name"], per_minute, burst, per_day))
    levels = {
        caller: [(int(each["at"]), int(each["missing"])) for each in buckets]
        for caller, buckets in values["buckets"].items()
    }
    try:
        limiter.set_levels(levels)
    except ValueError:
        refuse("rate_limit.buckets", "a caller has another number of buckets than the plan has limits")
    return limiter


def _whole(number: float | None) -> int | None:
    """Integer that JSON may have as `4.0`."""
    return None if number is None else int(number)
