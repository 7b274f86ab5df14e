"""Contents of files in a state document, or in the folder beside it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from mockserver.file_contents.content import Content, content_of
from mockserver.files import read_whole, write_whole

Beside = Callable[[str], bytes | None]
"""Bytes with this SHA-256 beside the document; None if there are none."""


def folder_of(file: Path) -> Path:
    """Folder of the contents beside a state document."""
    return file.with_name(f"{file.name}.files")


def in_folder(file: Path) -> Beside:
    """Contents in the folder beside a state document."""

    def read(digest: str) -> bytes | None:
        try:
            return read_whole(folder_of(file) / digest)
        except OSError:
            return None

    return read


def write_beside(file: Path, contents: Mapping[str, Content]) -> None:
    """Write contents to the folder beside a state document; OSError if that fails."""
    folder = folder_of(file)
    if contents:
        folder.mkdir(exist_ok=True)
    for digest, content in contents.items():
        write_whole(folder / digest, content.data)


def remove_others(file: Path, contents: Mapping[str, Content]) -> None:
    """Remove contents that the document, once it is written, does not name; OSError if that fails."""
    folder = folder_of(file)
    for old in folder.iterdir() if folder.is_dir() else ():
        if old.name not in contents and len(old.name) == sha256().digest_size * 2:
            old.unlink()


def read_content(exported: Any, size: Any, beside: Beside) -> Content:
    """Content as it is in a document; ValueError with the reason if it is missing or wrong."""
    if isinstance(exported, Content):  # of a scenario
        return exported
    digest = exported.get("sha256") if isinstance(exported, dict) else None
    if not isinstance(digest, str) or len(digest) != sha256().digest_size * 2 or not digest.isalnum():
        raise ValueError("content needs a sha256 of 64 hex digits")
    text = exported.get("base64")
    data = b64decode(text, validate=True) if isinstance(text, str) else beside(digest)
    if data is None:
        raise ValueError(
            f"its content {digest} is neither here nor in the folder FILE.files beside the document: "
            "copy the folder along, and import the document as a file"
        )
    if sha256(data).hexdigest() != digest or len(data) != size:
        raise ValueError(f"its content has not the SHA-256 {digest}, or not {size} bytes")
    return content_of(data)
