"""The parsed copy of a bundled file is used only for the text and the parser that it was made from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mockserver.openapi.parsed_cache import ParsedCopy

TEXT = b"a: 1"


@pytest.fixture
def parser(tmp_path: Path) -> Path:
    """Source file of a parser."""
    file = tmp_path / "parser.py"
    file.touch()
    return file


def copy_of(parser: Path, text: bytes = TEXT) -> ParsedCopy:
    return ParsedCopy(Path("spec.yaml"), text, str(parser))


def file_of(parser: Path) -> Path:
    [found] = parser.parent.rglob("spec.yaml.json")
    return found


def test_what_was_written_is_read_by_the_next_process(parser: Path) -> None:
    assert copy_of(parser).read() is None
    copy_of(parser).write(b'{"a":1}')
    assert copy_of(parser).read() == {"a": 1}


def test_another_text_or_a_newer_parser_has_no_copy(parser: Path) -> None:
    copy_of(parser).write(b'{"a":1}')
    assert copy_of(parser, b"a: 2").read() is None
    os.utime(parser, (0, 0))
    assert copy_of(parser).read() is None


def test_a_damaged_copy_is_none_at_all(parser: Path) -> None:
    copy_of(parser).write(b'{"a":1}')
    whole = file_of(parser).read_bytes()
    for length in range(len(whole)):
        file_of(parser).write_bytes(whole[:length])
        assert copy_of(parser).read() is None


def test_a_folder_that_cannot_be_written_is_no_error(parser: Path) -> None:
    (parser.parent / "__pycache__").touch()  # no folder can be made there
    copy_of(parser).write(b'{"a":1}')
    assert copy_of(parser).read() is None
