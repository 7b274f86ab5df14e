"""Faults and preferences in a request's own headers: X-Mock-Fault, X-Mock-Delay, Prefer (RFC 7240)."""

from __future__ import annotations

import re
from typing import NamedTuple

from mockserver.faults.broken_body import KINDS
from mockserver.faults.rule import LONGEST_DELAY, Fault, chance, delay_of
from mockserver.http.problems import BadControl
from mockserver.http.request import Request

PASS = "none"  # noqa: S105 - a word of X-Mock-Fault
"""X-Mock-Fault value that exempts a request from all rules."""
_STATUS = re.compile(r"[2-5][0-9]{2}", re.ASCII)
_DELAY = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", re.ASCII)
_PREFERENCE = re.compile(
    r"""([!#$%&'*+.^_`|~\w-]++)                        # its name
        (?:\s*+=\s*+("(?:[^"\\]|\\.)*+"|[^\s,;"]*+))?+   # its value
        (?:"(?:[^"\\]|\\.?)*+"?|[^,"])*+                # its parameters; an open quotation goes to the end
    """,
    re.ASCII | re.VERBOSE,
)
_LONGEST = 2000
"""Characters of a Prefer header that are parsed."""


class RequestOverrides(NamedTuple):
    """Faults and preferences that a request sets for itself."""

    fault: Fault | None = None
    delay: float = 0.0
    """Milliseconds."""
    code: int | None = None
    example: str | None = None
    handling: str | None = None
    """lenient or strict"""
    passes: bool = False
    """Whether the fault rules skip the request."""


NO_OVERRIDES = RequestOverrides()


def overrides_of(request: Request, trace_id: str) -> RequestOverrides:
    """The request's own overrides; BadControl for an invalid header."""
    fault, delay = request.header("X-Mock-Fault"), request.header("X-Mock-Delay")
    preferences = _preferences(request.header("Prefer") or "")
    code, handling = preferences.get("code"), preferences.get("handling")
    if code is not None and not _STATUS.fullmatch(code):
        raise BadControl(f"Prefer: code={code[:20]!r} is not a status from 200 to 599")
    example = preferences.get("example")
    return RequestOverrides(
        fault=None if fault is None else _fault(fault.strip()),
        delay=0.0 if delay is None else _delay(delay.strip(), trace_id),
        code=None if code is None else int(code),
        example=example,
        handling=handling if handling in ("lenient", "strict") else None,
        passes=fault is not None or code is not None or example is not None,
    )


def _fault(text: str) -> Fault | None:
    if text == PASS:
        return None
    if _STATUS.fullmatch(text):
        return Fault(text, error={"status": int(text)})
    if text in KINDS:
        return Fault(text, damage={"kind": text})
    raise BadControl(f"X-Mock-Fault: {text[:40]!r} is not one of {', '.join((PASS, *KINDS))} or a status")


def _delay(text: str, trace_id: str) -> float:
    match = _DELAY.fullmatch(text)
    if match is None or any(int(end) > LONGEST_DELAY for end in match.groups("0")):
        raise BadControl(
            f"X-Mock-Delay: {text[:40]!r} is not a number of milliseconds up to {LONGEST_DELAY}, "
            "nor a range like 200-800"
        )
    ends = {"type": "uniform", "lower": int(match[1]), "upper": int(match[2] or match[1])}
    return delay_of(ends, chance(f"{trace_id}/delay"), 0)


def _preferences(text: str) -> dict[str, str]:
    """Value of each preference by name; the first of repeated ones wins."""
    found: dict[str, str] = {}
    for name, value in _PREFERENCE.findall(text[:_LONGEST]):
        plain = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        found.setdefault(name.lower(), plain)
    return found
