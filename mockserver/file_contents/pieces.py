"""Text of a file in pieces, by its media type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import NamedTuple

from mockserver.file_contents.pdf import text_of_pdf
from mockserver.file_contents.unreadable import MOST_TEXT, Unreadable

MOST_PIECES = 20_000
"""Most pieces of one file."""
_PIECE = re.compile(r"\S.{0,498}\S(?=\s|\Z)|\S{1,500}", re.DOTALL)
"""At most 500 characters, whole words unless one is longer."""
_BLANK_LINES = re.compile(r"\n[ \t\r]*\n")
_SPACES = re.compile(r"[ \t\r\f\v]+")
_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        """address article aside blockquote br caption dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5
        h6 header hr li main nav ol p pre section table td th title tr ul""",
    )
)
_UNSEEN = ("script", "style", "template")
BY_NAME: Mapping[str, str] = {
    "csv": "text/csv",
    "htm": "text/html",
    "html": "text/html",
    "json": "application/json",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "txt": "text/plain",
}
"""Extension of a file's name -> media type, where the upload names none."""
UNKNOWN_TYPE = "application/octet-stream"


class Pieces(NamedTuple):
    """Pieces of a file's text, or why there are none."""

    texts: tuple[str, ...] = ()
    error: str | None = None


def media_type_of(filename: str, sent: str) -> str:
    """Media type of an upload: as sent, else by the extension of the name."""
    named = sent.partition(";")[0].strip().lower()
    if named not in ("", UNKNOWN_TYPE):
        return named
    return BY_NAME.get(filename.rpartition(".")[2].lower(), UNKNOWN_TYPE)


def pieces_of(data: bytes, media_type: str) -> Pieces:
    """Pieces of the text of these bytes: paragraphs, of at most 500 characters each."""
    read = _READERS.get(media_type) or (_plain_text if media_type.startswith("text/") else None)
    if read is None:
        return Pieces(error=f"{media_type} is stored, but not embedded: the mock reads text, HTML and PDF")
    try:
        text = read(data)
    except Unreadable as error:
        return Pieces(error=str(error))
    texts = tuple(piece for part in _BLANK_LINES.split(text) for piece in _PIECE.findall(part))
    if not texts:
        return Pieces(error="The file has no text")
    if len(texts) > MOST_PIECES:
        return Pieces(error=f"The text has {len(texts)} pieces, {MOST_PIECES} are the most")
    return Pieces(texts)


def _plain_text(data: bytes) -> str:
    if len(data) > MOST_TEXT:
        raise Unreadable(f"The text has {len(data)} bytes, {MOST_TEXT} are the most")
    try:
        return data.decode("utf-8-sig").replace("\0", " ")
    except UnicodeDecodeError as error:
        raise Unreadable(f"The text is not UTF-8: byte {error.start} is wrong") from error


def _html(data: bytes) -> str:
    reader = _HtmlText()
    reader.feed(_plain_text(data))
    reader.close()
    return _SPACES.sub(" ", "".join(reader.texts))


class _HtmlText(HTMLParser):
    """Text of an HTML page, with a blank line at the edges of blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        if tag in _BLOCKS:
            self.texts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))
        if tag in _BLOCKS:
            self.texts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.texts.append(data)


_READERS: Mapping[str, Callable[[bytes], str]] = {
    "text/html": _html,
    "application/xhtml+xml": _html,
    "application/json": _plain_text,
    "application/xml": _plain_text,
    "application/yaml": _plain_text,
    "application/javascript": _plain_text,
    "application/pdf": text_of_pdf,
}
"""Media type -> reader of its text; any other text/… is read as it is."""
