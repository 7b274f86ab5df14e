"""All checks, in the order of a run."""

from __future__ import annotations

from itertools import chain

from contracts.behaviour import (
    concurrency,
    effects,
    errors,
    existing_spaces,
    http,
    listings,
    memory,
    messages,
    metadata,
    pages,
    permission_table,
    permissions,
    pins,
    shapes,
    stores,
    streams,
    vendor_documents,
)
from contracts.checks.check import Check, declared
from contracts.checks.errors import Usage
from contracts.generated import layers
from contracts.model import explore

BEHAVIOUR = (
    memory,
    concurrency,
    vendor_documents,
    errors,
    effects,
    pages,
    shapes,
    existing_spaces,
    http,
    listings,
    permission_table,
    messages,
    metadata,
    permissions,
    stores,
    streams,
    pins,
)
"""Layer 4: checks of behaviour that neither schemas nor the model express."""
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
