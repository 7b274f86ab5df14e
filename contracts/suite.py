"""All checks, in the order of a run."""

from __future__ import annotations

from itertools import chain

from contracts.behaviour import (
    concurrency,
    derived,
    effects,
    error_responses,
    files,
    http,
    listings,
    memory,
    pages,
    permission_table,
    permissions,
    shapes,
    stores,
    stream_control,
    streams,
    threads,
    turns,
    vendor_documents,
)
from contracts.checks.check import Check, declared
from contracts.checks.cost import fitting
from contracts.checks.errors import Excluded, Usage
from contracts.generated import layers
from contracts.http.run import Run
from contracts.lockstep import attribution
from contracts.lockstep import layer as lockstep

# The questions of `memory` to the model are the most informative.
BEHAVIOUR = [
    memory,
    vendor_documents,
    effects,
    threads,
    turns,
    listings,
    pages,
    derived,
    stores,
    files,
    streams,
    stream_control,
    shapes,
    http,
]
BEHAVIOUR += [error_responses, permissions, permission_table, concurrency]
CHECKS: tuple[Check, ...] = (
    *layers.checks(),
    *chain.from_iterable(map(declared, BEHAVIOUR)),
    *lockstep.checks(attribution.failures),
)


def selected(only: tuple[str, ...], skip: tuple[str, ...] = (), profile: str = "quick") -> list[Check]:
    """Checks selected by id, layer or operation; all that fit the profile if nothing is named.

    Those of `skip`, and those that do not fit, are among them, and untested.
    """
    known = {name for check in CHECKS for name in names(check)}
    for flag, name in (*(("--only", name) for name in only), *(("--skip", name) for name in skip)):
        if name not in known:
            raise Usage(f"{flag} {name}: no such check, operation or layer; see `contracts list`")
    chosen = [check for check in CHECKS if not only or names(check) & set(only)]
    fit = {check.id for check in chosen} if only else fitting(chosen, profile)
    why = f"left out by --profile {profile}: name it with --only, or use a larger profile"
    chosen = [check if check.id in fit else _untested(check, why) for check in chosen]
    flags = {check.id: next((name for name in skip if name in names(check)), "") for check in chosen}
    return [
        _untested(check, f"left out by --skip {flag}") if (flag := flags[check.id]) else check
        for check in chosen
    ]


def names(check: Check) -> set[str]:
    """Id, layer and operations of a check."""
    return {check.id, check.layer, *check.operations}


def _untested(check: Check, reason: str) -> Check:
    """Check that is left out, with the reason."""

    def function(_: Run) -> None:
        raise Excluded(reason)

    return check._replace(function=function, left_out=reason)
