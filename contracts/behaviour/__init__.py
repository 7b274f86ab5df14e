"""Layer 4: promises that neither generated data nor a model can say, one sentence each."""

from contracts.behaviour import (
    concurrency,
    documents,
    effects,
    errors,
    given,
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
)

__all__ = [
    "concurrency",
    "documents",
    "effects",
    "errors",
    "given",
    "http",
    "listings",
    "memory",
    "messages",
    "metadata",
    "pages",
    "permission_table",
    "permissions",
    "shapes",
    "stores",
    "streams",
]
