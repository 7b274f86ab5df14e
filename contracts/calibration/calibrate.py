"""Calibration of a target: each probe is taken by the target and by a mock, which shows what is assumed."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from contracts.calibration.probes import PROBES, Probe
from contracts.calibration.site import MockSite, Site, parts_of
from contracts.checks.errors import Broken, Unanswered, Untested
from contracts.checks.evidence import assumptions
from contracts.http.credentials import DEMO, DEMO_ORGANIZATION
from contracts.http.documents import switches
from contracts.http.exchange import ClientResponse
from contracts.http.run import Run
from contracts.http.target import InProcess
from contracts.safety.ledger import Ledger

AS_ASSUMED = "as assumed"
PROBE_ERRORS = (Untested, Broken, Unanswered, KeyError, TypeError, IndexError, AttributeError, ValueError)
MODEL_QUESTIONS = 100


class Finding(NamedTuple):
    """What a target does about one assumption."""

    assumption: str
    entry: Any
    """As a profile has it: `as assumed`, a name, parts of an answer, or why it is not known."""
    outcome: str
    """as assumed, alternative, something else, unsteady or not probed."""
    calls: int = 0
    seconds: float = 0.0


def model_of(run: Run) -> Run:
    """Run on a fresh mock of the revision that the target speaks."""
    model = Run(
        InProcess(revision=run.revision),
        DEMO,
        DEMO_ORGANIZATION,
        ledger=Ledger(),
        run_id=run.run_id,
        model_calls=MODEL_QUESTIONS,
    )
    model.requires_organization = run.requires_organization
    return model


def calibrate(
    run: Run,
    only: Collection[str] = (),
    on_finding: Callable[[Finding], object] = lambda _: None,
    *,
    is_mock: bool = False,
) -> list[Finding]:
    """Findings of all assumptions, in order; with `only` the others are left out."""
    site, model = (MockSite if is_mock else Site)(run), MockSite(model_of(run))
    findings = []
    for id_ in sorted(assumptions(), key=lambda each: int(each[1:])):
        found = Finding(id_, {"not probed": "left out"}, "not probed")
        if not only or id_ in only:
            found = _finding(id_, site, model)
        findings.append(found)
        on_finding(found)
    return findings


def _finding(id_: str, site: Site, model: Site) -> Finding:
    probe, before = PROBES.get(id_), time.monotonic()
    if probe is None:
        return Finding(id_, {"not probed": "no probe"}, "not probed")
    count = 0

    def counted(_: ClientResponse) -> None:
        nonlocal count
        count += 1

    site.run.on_exchange = counted
    try:
        entry, outcome = _compared(id_, probe, site, model)
    except PROBE_ERRORS as error:
        why = str(error) if isinstance(error, Untested | Unanswered) else "the answer has another form"
        entry, outcome = {"not probed": " ".join(why.split())[:120]}, "not probed"
    return Finding(id_, entry, outcome, count, round(time.monotonic() - before, 2))


def _compared(id_: str, probe: Probe, site: Site, model: Site) -> tuple[Any, str]:
    seen = _seen(id_, probe, site)
    assumed = _seen(id_, probe, model)
    if seen == assumed:
        return AS_ASSUMED, AS_ASSUMED
    second = None
    with suppress(*PROBE_ERRORS):
        second = _seen(id_, probe, site)
    if second != seen:
        return {"unsteady": f"{_text(seen)}, then {_text(second)}"}, "unsteady"
    return _entry(id_, seen, assumed)


def _seen(id_: str, probe: Probe, site: Site) -> Any:
    """Name of a behaviour, or the parts of an answer that the assumption is about."""
    seen = probe.see(site)
    if isinstance(seen, ClientResponse):
        seen = parts_of(seen)
    if isinstance(seen, str):
        return seen
    parts = switches()[id_].parts if id_ in switches() else ["status"]
    return {part: seen[part] for part in parts if part in seen}


def _entry(id_: str, seen: Any, assumed: Any) -> tuple[Any, str]:
    if isinstance(seen, str):
        if id_ in switches() and switches()[id_].key(seen) in switches()[id_].names:
            return seen, "alternative"
        return {"something else": seen}, "something else"
    before: Mapping[str, Any] = {} if isinstance(assumed, str) else assumed
    differing = {part: value for part, value in seen.items() if before.get(part) != value}
    if not differing:
        return {"something else": f"no {', '.join(sorted(before.keys() - seen.keys()))}"}, "something else"
    return differing, "alternative" if _is_listed(id_, differing) else "something else"


def _is_listed(id_: str, parts: Mapping[str, Any]) -> bool:
    """Whether contracts/assumptions.yaml has these parts among the alternatives."""
    alternatives = assumptions()[id_].alternatives
    if "behaviour" in alternatives:
        return True
    listed = {"status": "status" in parts and parts["status"] in alternatives.get("status", ())}
    listed |= {"code": "codes" in alternatives or "status" in parts, "message": "texts" in alternatives}
    listed["system_message"] = listed["message"]
    return all(listed[part] for part in parts)


def _text(seen: Any) -> str:
    if isinstance(seen, dict):
        return ", ".join(f"{part} {value}" for part, value in seen.items())
    return str(seen or "no answer")
