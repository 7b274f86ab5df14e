"""Every behaviour of the vendor's API: one file per resource, one function per operationId."""

from mockserver.handlers import space_threads, space_vector_stores, spaces, threads
from mockserver.handlers.registry import HANDLERS

__all__ = ["HANDLERS", "space_threads", "space_vector_stores", "spaces", "threads"]
