"""Text of a PDF, read by a process of its own.

A PDF can make its reader compute or allocate without end, and a thread can't be stopped: a process can.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from mockserver.file_contents.unreadable import MOST_TEXT, Unreadable

SECONDS = 30
"""Most seconds of reading; of computing, the process allows itself fewer."""
_CHILD = Path(__file__).with_name("pdf_process.py")


def text_of_pdf(data: bytes) -> str:
    """Text of all pages, with a blank line between two; Unreadable if it is none, encrypted or too much."""
    try:
        done = subprocess.run(  # noqa: S603 - our own file, by this very Python
            [sys.executable, "-I", str(_CHILD), str(MOST_TEXT)],
            input=data,
            capture_output=True,
            timeout=SECONDS,
        )
        read = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise Unreadable(f"Reading the PDF takes over {SECONDS} seconds") from None
    except (OSError, ValueError):
        raise Unreadable("The PDF can't be read: it needs too much time or memory") from None
    if "error" in read:
        raise Unreadable(read["error"])
    return str(read["text"])
