"""Every behaviour of the vendor's API: one file per resource, one function per operationId."""

from importlib import resources

from mockserver.freddy import (
    files,
    messages,
    model_responses,
    models,
    organizations,
    response_streams,
    space_threads,
    space_vector_stores,
    spaces,
    thread_changes,
    thread_names,
    threads,
    vector_store_files,
    vector_stores,
)
from mockserver.http.calls import handlers_in

HANDLERS = handlers_in(
    spaces,
    threads,
    thread_names,
    thread_changes,
    messages,
    space_threads,
    vector_stores,
    space_vector_stores,
    files,
    vector_store_files,
    model_responses,
    response_streams,
    models,
    organizations,
)
"""Handlers by operationId."""


def vendor_operations() -> list[tuple[str, str]]:
    """Method and path template of every operation of the vendor, mocked or not (A80)."""
    text = (resources.files("mockserver.freddy") / "vendor_operations.txt").read_text("utf-8")
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return [(method, template) for method, template, _since in lines]
