"""Mocks that do one thing wrong, each a small function: what the suite has to catch."""

from tests.contracts.mutants import (
    effects,
    errors,
    memory,
    pages,
    patches,
    races,
    rights,
    shapes,
    stores,
    strangers,
)
from tests.contracts.mutants.bench import MUTANTS, Mutant, damaged

__all__ = [
    "MUTANTS",
    "Mutant",
    "damaged",
    "effects",
    "errors",
    "memory",
    "pages",
    "patches",
    "races",
    "rights",
    "shapes",
    "stores",
    "strangers",
]
