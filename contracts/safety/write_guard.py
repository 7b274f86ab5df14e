"""The request that no run may ever send: it deletes more than one resource."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote

from contracts.checks.errors import WriteGuardError
from contracts.http.exchange import ClientRequest

COLLECTIONS = ("organizations", "spaces", "threads", "messages", "vector-stores", "files")
"""Last parts of the paths of collections: `DELETE /v1/threads` deletes all threads of the key's user."""
DECODINGS = 3
"""How often a path may be percent-encoded."""


def refuse_collection_delete(request: ClientRequest) -> None:
    """WriteGuardError for a DELETE of a collection, also in a path that a server reads as one."""
    if request.method.upper() == "DELETE" and names_collection(request.path):
        raise WriteGuardError(f"DELETE {request.path} deletes a whole collection, which is never sent")


def names_collection(path: str) -> bool:
    """Whether a client, proxy or server may take the path for that of a collection."""
    for _ in range(DECODINGS):
        plain = posixpath.normpath("/" + path.partition("?")[0].partition("#")[0].replace("\\", "/"))
        last = plain.rpartition("/")[2].partition(";")[0].strip().casefold()
        if last in COLLECTIONS or not last:
            return True
        path = unquote(path)
    return False
