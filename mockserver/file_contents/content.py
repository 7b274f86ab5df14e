"""Contents of files, kept once for the whole process.

Records refer to a content, so that sandboxes, forks and snapshots share it; the last one that goes frees it.
"""

from __future__ import annotations

import hashlib
import threading
from weakref import WeakValueDictionary

from mockserver.file_contents.pieces import Pieces, pieces_of


class Content:
    """Bytes of a file, and its pieces once they were needed; immutable."""

    __slots__ = ("__weakref__", "_lock", "_pieces", "data", "sha256")

    def __init__(self, data: bytes, sha256: str) -> None:
        self.data = data
        self.sha256 = sha256
        """Hex digest."""
        self._lock = threading.Lock()
        self._pieces: dict[str, Pieces] = {}

    def __repr__(self) -> str:
        return f"<{len(self.data)} bytes, sha256 {self.sha256}>"

    def pieces(self, media_type: str) -> Pieces:
        """Pieces of its text, read as `media_type`; computed once."""
        with self._lock:
            if media_type not in self._pieces:
                self._pieces[media_type] = pieces_of(self.data, media_type)
            return self._pieces[media_type]


_KEPT: WeakValueDictionary[str, Content] = WeakValueDictionary()
_LOCK = threading.Lock()


def content_of(data: bytes) -> Content:
    """Content with these bytes: the one that a record has already, if any."""
    sha256 = hashlib.sha256(data).hexdigest()
    with _LOCK:
        kept = _KEPT.get(sha256)
        if kept is None:
            _KEPT[sha256] = kept = Content(data, sha256)
        return kept
