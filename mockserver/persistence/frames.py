"""Entries of a log as bytes: a length, checksums, and JSON."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

_HEADER = struct.Struct("<III")
"""Length, checksum of the length, checksum of the entry."""


class DamagedError(Exception):
    """Stored bytes that are not what was written."""


def frame(entry: bytes) -> bytes:
    """Entry as the log has it."""
    size = len(entry)
    return _HEADER.pack(size, zlib.crc32(size.to_bytes(4, "little")), zlib.crc32(entry)) + entry


class Frames(NamedTuple):
    """Entries of a log, and how many bytes of it are whole."""

    entries: list[bytes]
    whole: int


def read_frames(data: bytes) -> Frames:
    """Entries up to a torn tail; DamagedError for anything else that was not written.

    A tail is torn where the file ends within an entry, or has zeros in place of what was not written.
    """
    entries, at = list[bytes](), 0
    while at < len(data):
        begin = at + _HEADER.size
        if begin > len(data):
            break
        size, check, sum_ = _HEADER.unpack_from(data, at)
        if check != zlib.crc32(size.to_bytes(4, "little")):
            if any(data[at:]):
                raise DamagedError(f"byte {at} begins no entry")
            break
        entry = data[begin : begin + size]
        if len(entry) < size:
            break
        if zlib.crc32(entry) != sum_:
            if begin + size < len(data) or entry[-1:] != b"\0":
                raise DamagedError(f"the entry at byte {at} has another checksum")
            break
        entries.append(entry)
        at = begin + size
    return Frames(entries, at)
