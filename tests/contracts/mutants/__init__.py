"""Mocks that do one thing wrong, each a small function: what the suite has to catch."""

from tests.contracts.mutants import (
    depths,
    effects,
    errors,
    files,
    fresh,
    lists,
    memory,
    pages,
    patches,
    races,
    rights,
    second,
    shapes,
    stores,
    strangers,
    turns,
)
from tests.contracts.mutants.bench import MUTANTS, Mutant, damaged

__all__ = [
    "MUTANTS",
    "Mutant",
    "damaged",
    "depths",
    "effects",
    "errors",
    "files",
    "fresh",
    "lists",
    "memory",
    "pages",
    "patches",
    "races",
    "rights",
    "second",
    "shapes",
    "stores",
    "strangers",
    "turns",
]
