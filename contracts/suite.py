"""All checks, in the order of a run."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from contracts import behaviour
from contracts.checks.check import Check, declared
from contracts.checks.errors import Usage
from contracts.generated import layers
from contracts.model import explore

BEHAVIOUR = sorted(
    (module.name for module in iter_modules(behaviour.__path__)), key=lambda name: name != "memory"
)
"""Files of layer 4, by name: memory first, since its questions to the model are the most telling."""
CHECKS: tuple[Check, ...] = (
    *layers.checks(),
    *(check for name in BEHAVIOUR for check in declared(import_module(f"contracts.behaviour.{name}"))),
    *explore.checks(),
)


def selected(only: tuple[str, ...]) -> list[Check]:
    """Checks selected by id, layer or operation; all if nothing is named."""
    known = {name for check in CHECKS for name in (check.id, check.layer, *check.operations)}
    for name in only:
        if name not in known:
            raise Usage(f"--only {name}: no such check, operation or layer; see `contracts list`")
    return [check for check in CHECKS if not only or {check.id, check.layer, *check.operations} & set(only)]
