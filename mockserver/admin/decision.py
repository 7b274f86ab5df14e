"""Decision behind an answer, in words: the steps of the request, and what they rest on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mockserver.http.log import Exchange
from mockserver.openapi.references import resolved
from mockserver.sandbox.sandbox import Record

_STEPS = {"auth": "caller"}
"""Rule of a refusal -> name of its step, where they differ."""
_BEFORE_VALIDATION = ("route", "auth", "fault", "control", "validation", "limits")
"""Rules of refusals before the request is known to be valid."""
_LEVELS = {"NONE": 0, "VIEW": 1, "MEMBER": 1, "EDIT": 2, "OWNER": 3}
SOURCES = {
    "state": "computed from what is stored",
    "fault": "injected fault",
    "example": "an example of the spec",
    "generated": "generated to match the spec",
    "extension": "by a view of an extension",
    "target": "by the server behind the proxy",
    "proxy": "by the proxy itself",
}


def decision(exchange: Exchange, document: Mapping[str, Any], hide: Callable[[str], str]) -> Record:
    """Decision as the control API returns it; `document`: that of the vendor's API."""
    last = exchange.grants[-1] if exchange.grants else None
    return {
        "steps": [
            {"step": step, "outcome": outcome, "text": hide(text)} for step, outcome, text in _steps(exchange)
        ],
        "rule": (last[1] or None) if last else None,
        "record": hide(exchange.record or (last[0] if last else "")) or None,
        "claim": _claim(exchange, document),
    }


def _steps(exchange: Exchange) -> list[tuple[str, str, str]]:
    """(step, outcome, text) in the order in which they were taken; the last one decided."""
    caller, operation = exchange.caller, exchange.operation
    is_computed = exchange.rule == "fault" and exchange.source == "state"  # only delayed or damaged
    rule = exchange.rule if exchange.reason and not is_computed else ""
    steps = []
    if operation != "-":
        steps.append(("route", "passed", f"{exchange.method} {exchange.path} is {operation}"))
    if caller != "-":
        steps.append(("caller", "passed", f"the credential is one of {caller}"))
    if exchange.fault and rule != "fault":
        steps.append(("fault", "passed", exchange.fault))
    if operation != "-" and exchange.source == "state" and rule not in _BEFORE_VALIDATION:
        steps.append(("validation", "passed", "the document allows the request"))
    steps += [
        ("access", "passed", _access(caller, *grant))
        for grant in exchange.grants
        if _LEVELS[grant[2]] >= _LEVELS[grant[3]]
    ]
    if rule:
        return [*steps, (_STEPS.get(rule, rule), "refused", exchange.reason)]
    text = SOURCES.get(exchange.source, "as requested")
    return [*steps, (exchange.source, "answered", text)]


def _access(caller: str, record: str, rule: str, level: str, needed: str) -> str:
    by = f" by {rule}" if rule else ""
    return f"{caller} has {level} of {record}{by}, {needed} needed"


def _claim(exchange: Exchange, document: Mapping[str, Any]) -> Record | None:
    """What the document says of an answer with this status, and how well that is founded."""
    for template, item in document["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict) and operation.get("operationId") == exchange.operation:
                node = operation["responses"].get(str(exchange.status))
                if node is None:
                    return None
                place = template.replace("~", "~0").replace("/", "~1")
                whole = resolved(document, node)
                marked = whole if isinstance(whole.get("x-evidence"), str) else operation
                return {
                    "pointer": f"/paths/{place}/{method}/responses/{exchange.status}",
                    "text": whole.get("description", ""),
                    "evidence": marked.get("x-evidence", "assumed"),
                    "assumptions": marked.get("x-assumption", []),
                }
    return None
