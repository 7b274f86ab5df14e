"""Every behaviour of the vendor's API: one file per resource, one function per operationId."""

from mockserver.engine.calls import handlers_in
from mockserver.handlers import (
    messages,
    responses,
    space_threads,
    space_vector_stores,
    spaces,
    threads,
    vector_stores,
)

HANDLERS = handlers_in(
    spaces, threads, messages, space_threads, vector_stores, space_vector_stores, responses
)
"""operationId -> the function that answers it."""
