"""Process that reads one PDF from stdin and writes its text to stdout as JSON; started by pdf.py."""

from __future__ import annotations

import io
import json
import resource
import sys

CPU_SECONDS = 10
MEMORY = 1 << 30
"""Bytes of address space."""
MOST_PAGES = 2000


def _limit(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _text(data: bytes, most: int) -> str:
    """Text of the pages; ValueError with the reason if it has none that can be read."""
    from pypdf import PdfReader  # within the limits of memory

    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted:
        raise ValueError("The PDF is encrypted")
    if len(reader.pages) > MOST_PAGES:
        raise ValueError(f"The PDF has {len(reader.pages)} pages, {MOST_PAGES} are the most")
    texts: list[str] = []
    size = 0
    for page in reader.pages:
        texts.append(page.extract_text())
        size += len(texts[-1].encode("utf-8", "replace"))
        if size > most:
            raise ValueError(f"The text has over {most} bytes")
    return "\n\n".join(texts)


def main() -> None:
    """Write {"text"} or {"error"}; the process dies without either at its limits."""
    _limit(resource.RLIMIT_CPU, CPU_SECONDS)
    _limit(resource.RLIMIT_AS, MEMORY)
    try:
        said = {"text": _text(sys.stdin.buffer.read(), int(sys.argv[1]))}
    except ValueError as error:
        said = {"error": str(error) if type(error) is ValueError else f"The PDF can't be read: {error}"}
    except Exception as error:  # the library raises many kinds for a broken file
        said = {"error": f"The PDF can't be read: {type(error).__name__}: {error}"[:300]}
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
