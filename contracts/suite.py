"""Every check, in the order in which a run tries them."""

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
)
"""Layer 4: promises that neither generated data nor a model can say, one sentence each."""
CHECKS: tuple[Check, ...] = (
    *layers.checks(),
    *chain.from_iterable(map(declared, BEHAVIOUR)),
    *explore.checks(),
)


def selected(only: tuple[str, ...]) -> list[Check]:
    """The checks that have one of these for their id, layer or operation; all without any."""
    known = {name for check in CHECKS for name in (check.id, check.layer, *check.operations)}
    for name in only:
        if name not in known:
            raise Usage(f"--only {name}: no such check, operation or layer; see `contracts list`")
    return [check for check in CHECKS if not only or {check.id, check.layer, *check.operations} & set(only)]
