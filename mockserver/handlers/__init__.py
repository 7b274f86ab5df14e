"""Every behaviour of the vendor's API: one file per resource, one function per operationId."""

from mockserver.handlers import (
    messages,
    responses,
    space_threads,
    space_vector_stores,
    spaces,
    threads,
    vector_stores,
)
from mockserver.handlers.registry import HANDLERS

__all__ = [
    "HANDLERS",
    "messages",
    "responses",
    "space_threads",
    "space_vector_stores",
    "spaces",
    "threads",
    "vector_stores",
]
