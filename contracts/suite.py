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
from contracts.checks.errors import Usage
from contracts.generated import layers
from contracts.model import explore

# The questions of `memory` to the model are the most telling.
BEHAVIOUR = [memory, vendor_documents, effects, threads, listings, pages, stores, streams, shapes, http]
BEHAVIOUR += [error_responses, permissions, permission_table, concurrency]
CHECKS: tuple[Check, ...] = (
    *layers.checks(),
    *chain.from_iterable(map(declared, BEHAVIOUR)),
    *explore.checks(),
)


def selected(only: tuple[str, ...]) -> list[Check]:
    """Checks selected by id, layer or operation; all if nothing is named."""
    known = {name for check in CHECKS for name in (check.id, check.layer, *check.operations)}
    for name in only:
        if name not in known:
            raise Usage(f"--only {name}: no such check, operation or layer; see `contracts list`")
    return [check for check in CHECKS if not only or {check.id, check.layer, *check.operations} & set(only)]
