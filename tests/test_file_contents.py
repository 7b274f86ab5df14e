"""Text of files in pieces: what is read of which kind, and the limits of hostile ones."""

from __future__ import annotations

import gc
import io
import weakref
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from mockserver.file_contents import pdf
from mockserver.file_contents.content import content_of
from mockserver.file_contents.pieces import Pieces, media_type_of, pieces_of


def pdf_of(*texts: str) -> bytes:
    """A PDF with a page for each text."""
    objects = ["<</Type/Catalog/Pages 2 0 R>>", "", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    pages = []
    for text in texts:
        stream = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET"
        pages.append(f"{len(objects) + 1} 0 R")
        resources = f"/Resources<</Font<</F1 3 0 R>>>>/Contents {len(objects) + 2} 0 R"
        objects.append(f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]{resources}>>")
        objects.append(f"<</Length {len(stream)}>>stream\n{stream}\nendstream")
    objects[1] = f"<</Type/Pages/Kids[{' '.join(pages)}]/Count {len(pages)}>>"
    body, places = "%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj{each}endobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    return (
        f"{body}{head}trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF".encode()
    )


def encrypted() -> bytes:
    writer, target = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf_of("Secret")))), io.BytesIO()
    writer.encrypt("password", algorithm="RC4-128")
    writer.write(target)
    return target.getvalue()


def test_a_text_is_split_into_its_paragraphs_and_long_ones_at_words() -> None:
    words = "word " * 150
    texts = pieces_of(f"One\ntwo\n\n \r\nThree\n\n{words}\n\n{'x' * 1200}".encode(), "text/x-anything").texts
    assert texts[:2] == ("One\ntwo", "Three")
    assert " ".join(texts[2:4]) == words.strip()
    assert [len(text) for text in texts[2:]] == [499, 249, 500, 500, 200]


def test_only_what_a_page_shows_is_read_of_html() -> None:
    page = b"<title>A</title><style>no</style><h1>B &amp; C</h1><p>D <b>E</b><br>F<script>no</script><td>G"
    assert pieces_of(page, "text/html") == Pieces(("A", "B & C", "D E", "F", "G"))


def test_a_missing_media_type_is_that_of_the_name() -> None:
    sent = {"": "a.MD", "application/octet-stream": "b.pdf", "Text/Plain; charset=utf-8": "c.pdf"}
    assert [media_type_of(name, kind) for kind, name in sent.items()] == [
        "text/markdown",
        "application/pdf",
        "text/plain",
    ]
    assert media_type_of("noname", "") == "application/octet-stream"


def test_the_pages_of_a_pdf_are_pieces() -> None:
    assert pieces_of(pdf_of("Page one", "Page two"), "application/pdf").texts == ("Page one", "Page two")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"no PDF", "The PDF can't be read: "),
        (encrypted(), "The PDF is encrypted"),
        (pdf_of("x")[:300], "The PDF can't be read: "),
    ],
)
def test_a_pdf_that_cannot_be_read_is_no_failure_of_ours(data: bytes, says: str) -> None:
    pieces = pieces_of(data, "application/pdf")
    assert pieces.texts == ()
    assert (pieces.error or "").startswith(says)
    assert "\n" not in (pieces.error or "")


@pytest.mark.parametrize(
    "hostile",
    ["import os; os.kill(os.getpid(), 9)", "while True: pass", "x = 'x' * (1 << 40)", "print('no JSON')"],
)
def test_a_process_that_dies_or_never_ends_is_an_error_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hostile: str
) -> None:
    """As one does at its limits of time and memory."""
    child = tmp_path / "child.py"
    child.write_text(hostile)
    monkeypatch.setattr(pdf, "_CHILD", child)
    monkeypatch.setattr(pdf, "SECONDS", 1)
    error = pieces_of(b"", "application/pdf").error or ""
    assert error.startswith(("The PDF can't be read", "Reading the PDF takes over"))


def test_equal_bytes_are_one_content_as_long_as_somebody_has_it() -> None:
    first, second = content_of(b"equal"), content_of(bytes(bytearray(b"equal")))
    assert first is second
    gone = weakref.ref(first)
    del first, second
    gc.collect()
    assert gone() is None
