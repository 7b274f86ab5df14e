"""All checks, in the order of a run."""

from __future__ import annotations

from itertools import chain

from contracts.behaviour import (
    concurrency,
    effects,
    error_responses,
    http,
    listings,
    memory,
    pages,
    permission_table,
    permissions,
    shapes,
    stores,
    streams,
    threads,
    vendor_documents,
)
from contracts.checks.check import Check, declared
from contracts.checks.errors import Excluded, Usage
from contracts.generated import layers
from contracts.http.run import Run
from contracts.model import explore

# The questions of `memory` to the model are the most telling.
BEHAVIOUR = [memory, vendor_documents, effects, threads, listings, pages, stores, streams, shapes, http]
BEHAVIOUR += [error_responses, permissions, permission_table, concurrency]
CHECKS: tuple[Check, ...] = (
    *layers.checks(),
    *chain.from_iterable(map(declared, BEHAVIOUR)),
    *explore.checks(),
)


def selected(only: tuple[str, ...], skip: tuple[str, ...] = ()) -> list[Check]:
    """Checks selected by id, layer or operation; all if nothing is named.

    Those of `skip` are among them, and untested.
    """
    known = {name for check in CHECKS for name in names(check)}
    for flag, name in (*(("--only", name) for name in only), *(("--skip", name) for name in skip)):
        if name not in known:
            raise Usage(f"{flag} {name}: no such check, operation or layer; see `contracts list`")
    chosen = [check for check in CHECKS if not only or names(check) & set(only)]
    return [_skipped(check, skip) if names(check) & set(skip) else check for check in chosen]


def names(check: Check) -> set[str]:
    """Id, layer and operations of a check."""
    return {check.id, check.layer, *check.operations}


def _skipped(check: Check, skip: tuple[str, ...]) -> Check:
    """Check that is untested, with the flag as the reason."""
    flag = next(name for name in skip if name in names(check))

    def function(_: Run) -> None:
        raise Excluded(f"left out by --skip {flag}")

    return check._replace(function=function)
