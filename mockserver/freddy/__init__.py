"""Every behaviour of the vendor's API: one file per resource, one function per operationId."""

from mockserver.freddy import (
    messages,
    model_responses,
    space_threads,
    space_vector_stores,
    spaces,
    threads,
    vector_stores,
)
from mockserver.http.calls import handlers_in

HANDLERS = handlers_in(
    spaces, threads, messages, space_threads, vector_stores, space_vector_stores, model_responses
)
"""Handlers by operationId."""
