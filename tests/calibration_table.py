"""Table of the assumptions for docs/calibration-table.md: switches, and probes with what they cost."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.calibration.probes import PROBES
from contracts.calibration.site import PAUSE, MockSite
from contracts.calibration.table import followed, without_switch
from contracts.checks.evidence import assumptions
from contracts.http.credentials import DEMO, DEMO_ORGANIZATION
from contracts.http.documents import switches
from contracts.http.exchange import ClientResponse
from contracts.http.run import Run
from contracts.http.target import InProcess
from contracts.safety.ledger import Ledger

Row = tuple[str, ...]
HEAD = ("id", "the mock follows", "kind", "without a switch", "probe", "calls", "waits")


def switch_rows() -> Iterator[Row]:
    """A row for each assumption."""
    for id_ in assumptions():
        probe, switch = PROBES.get(id_), switches().get(id_)
        calls, waits = cost(id_) if probe is not None else ("", "")
        yield (
            id_,
            ", ".join(map(_words, followed(id_))) or "-",
            ", ".join(switch.kinds) if switch is not None else "-",
            ", ".join(map(_code, without_switch(id_))) or "-",
            probe.calls if probe is not None else "none",
            calls,
            waits,
        )


def cost(assumption: str) -> tuple[str, str]:
    """Calls of a probe alone, with those that create what it needs, and the seconds that it waits."""
    revision = "2026-05" if assumption == "A120" else "2026-02"
    mock, calls = InProcess(revision=revision), 0
    run = Run(mock, DEMO, DEMO_ORGANIZATION, ledger=Ledger(), run_id="table", model_calls=10)
    run.requires_organization = lambda _, path: revision == "2026-05" and path.startswith("/v1/spaces/")

    def count(_: ClientResponse) -> None:
        nonlocal calls
        calls += 1

    run.on_exchange, site = count, MockSite(run)
    PROBES[assumption].see(site)
    return str(calls), f"{PAUSE} s" if site.has_waited else ""


def _words(alternative: object) -> str:
    if isinstance(alternative, dict):
        ((part, value),) = alternative.items()
        return f"`{part} {value}`" if part == "status" else f"any {part}"
    return _code(str(alternative).replace("20 by", "N by"))


def _code(text: str) -> str:
    return f"`{text}`"
