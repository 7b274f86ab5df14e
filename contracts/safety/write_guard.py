"""The request that no run may ever send: it deletes more than one resource."""

from __future__ import annotations

from urllib.parse import unquote

COLLECTIONS = ("organizations", "spaces", "threads", "messages", "vector-stores", "files")
"""Last parts of the paths of collections: `DELETE /v1/threads` deletes all threads of the key's user."""
DECODINGS = 3
"""How often a path may be percent-encoded."""


def deletes_collection(method: str, path: str) -> bool:
    """Whether a request is a DELETE whose path a client, proxy or server may take for a collection's."""
    if method.upper() != "DELETE":
        return False
    for _ in range(DECODINGS):
        plain = path.partition("?")[0].partition("#")[0].replace("\\", "/")
        parts = [part.partition(";")[0].strip().casefold() for part in plain.split("/") if part]
        if not parts or {".", ".."} & {*parts} or parts[-1] in COLLECTIONS:
            return True
        path = unquote(path)
    return False
