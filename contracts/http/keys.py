"""Keys that a run can't use: refused by the target, or not allowed to write."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.errors import Broken, TargetUnreachable, Unanswered, Untested
from contracts.http.exchange import ClientResponse
from contracts.http.run import Run

REFUSALS = (401, 403)


def require_usable_keys(run: Run) -> None:
    """TargetUnreachable if a key is refused, or may not write although the run writes."""
    faults = [fault for role in run.roles for fault in _faults(run, role)]
    if faults:
        raise TargetUnreachable("; ".join(faults))


def _faults(run: Run, role: str) -> Iterator[str]:
    try:
        listed = run.client(role).get("/v1/threads", limit=1)
        if listed.status in REFUSALS:
            yield _refused(listed, role)
        elif not run.read_only:
            yield from _write_faults(run, role, listed)
    except (Broken, Unanswered, Untested):  # the checks will show it
        return


def _write_faults(run: Run, role: str, listed: ClientResponse) -> Iterator[str]:
    """Create a thread; a foreign user creates it in an organization of its own, if one is known."""
    home = run.organization_id
    if role == "foreign":
        home = next((str(thread.get("organization_id", "")) for thread in listed.items), "")
    if not home or (home == run.organization_id and role == "foreign"):
        return
    try:
        run.client(role).new_thread(organization_id=home)
    except Untested:
        answer = run.chain[-1]
        if answer.status in REFUSALS:
            says = f"POST /v1/threads answers {answer.status} {answer.error.get('code', '')}".rstrip()
            yield f"the {role}'s key may not write: {says}; {_remedy(role)}, or pass --read-only"


def refused_key(run: Run, role: str) -> str:
    """Sentence that the target refuses the key; empty if it accepts it."""
    answer = run.client(role).get("/v1/threads", limit=1)
    return _refused(answer, role) if answer.status in REFUSALS else ""


def _refused(answer: ClientResponse, role: str) -> str:
    code = f"{answer.status} {answer.error.get('code', '')}".rstrip()
    return f"the {role}'s key is refused: {code}; {_remedy(role)}"


def _remedy(role: str) -> str:
    variable = f"CONTRACTS_{role.upper()}_KEY"
    without = "" if role == "owner" else ", or unset it to run without this role"
    return f"set {variable} to another key{without}"
