"""Recording of what went by: JSON lines while it runs, and an HTTP Archive (HAR 1.2) at its end."""

from __future__ import annotations

import os
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

import orjson

from mockserver.admin.har import CREATOR, har_entry
from mockserver.admin.journal_entries import exchange_body
from mockserver.files import require_writable
from mockserver.http.redaction import MASK, Mask
from mockserver.journal.entry import Entry
from mockserver.proxy.exchange import is_text
from mockserver.proxy.options import ProxyOptions

MOST_WAITING = 1000
"""Exchanges that wait to be written; beyond them the proxy answers only as fast as the file takes them."""
UNFINISHED = ".part"
"""What is added to the name of the file until the recording ends."""


class Recording:
    """File of a recording, written by a thread of its own."""

    def __init__(self, options: ProxyOptions, notice: Callable[[str], None]) -> None:
        assert options.record is not None
        self._options, self._file, self._notice = options, options.record, notice
        self._lines = Path(f"{options.record}{UNFINISHED}")
        try:
            require_writable(options.record)
            self._sink = _own(self._lines)
        except OSError as error:
            raise OSError(
                f"--record: {options.record} {error.strerror}; give a file in a writable folder"
            ) from error
        self._mask = Mask(())
        self._waiting: SimpleQueue[Entry | None] = SimpleQueue()
        self._room = threading.Semaphore(MOST_WAITING)
        self._places: list[tuple[str, int, int]] = []
        """Instant, offset and length of each line."""
        self._failure = ""
        self._thread = threading.Thread(target=self._write, name="recording", daemon=True)
        self._thread.start()

    def add(self, entry: Entry) -> None:
        """Record an exchange that has ended; waits for the file if it is far behind."""
        if threading.current_thread() is not self._thread:  # in which a stream can be closed, too
            self._room.acquire()
        self._waiting.put(entry)

    def end(self) -> bool:
        """Write the archive: whether it is complete."""
        self._waiting.put(None)
        self._thread.join()
        try:
            if not self._failure:
                self._write_archive()
                self._lines.unlink()
        except OSError as error:
            self._fail(error)
        return not self._failure

    def _write(self) -> None:
        at = 0
        while (entry := self._waiting.get()) is not None:
            self._room.release()
            if self._failure:
                continue
            try:
                line = orjson.dumps(self._recorded(entry)) + b"\n"
                self._sink.write(line)
                if self._waiting.empty():
                    self._sink.flush()
            except OSError as error:
                self._fail(error)
            else:
                self._places.append((exchange_order(entry), at, len(line) - 1))
                at += len(line)

    def _fail(self, error: OSError) -> None:
        self._failure = str(error)
        self._notice(f"--record {self._file}: {error.strerror}; the recording ends here")

    def _recorded(self, entry: Entry) -> dict[str, Any]:
        body = exchange_body(entry, self._mask)
        role, encoded = entry.exchange.caller, not is_text(entry.body)
        if encoded:
            body["request"]["body"] = MASK if self._options.mask else b64encode(entry.body).decode()
        for side in (body["response"],) if encoded else (body["request"], body["response"]):
            side["body"] = masked_body(side["body"], self._options.mask)
        for name in ("x-api-key", "authorization"):
            if name in body["request"]["headers"]:
                scheme = "Bearer " if name == "authorization" else ""
                body["request"]["headers"][name] = f"{scheme}{{{role}}}"
        har = {**har_entry(body)}
        har["request"] = {**har["request"], "url": self._options.target + body["request"]["url"]}
        har["_mock"] = {
            "operation": body["operation"],
            "role": body["caller"],
            "order": body["number"],
            "source": body["source"],
            "ended": body["ended"],
            "cut": [
                name
                for name, side in (("request", "request"), ("answer", "response"))
                if body[side]["body_cut"]
            ],
            "violations": body["violations"],
            "encoding": "base64" if encoded and not self._options.mask else "",
        }
        return har

    def _write_archive(self) -> None:
        self._sink.close()
        unfinished = Path(f"{self._file}.new")
        about = {"version": "1.2", "creator": CREATOR, "_mock": {"target": self._options.target}}
        with self._lines.open("rb") as source, _own(unfinished) as sink:
            sink.write(b'{"log":' + orjson.dumps(about)[:-1] + b',"entries":[\n')
            for number, (_, at, length) in enumerate(sorted(self._places), 1):
                source.seek(at)
                entry = orjson.loads(source.read(length))
                entry["_mock"]["order"] = number
                sink.write(b",\n"[number == 1 and 1 :] + orjson.dumps(entry))
            sink.write(b"\n]}}\n")
            sink.flush()
            os.fsync(sink.fileno())
        unfinished.replace(self._file)


def _own(file: Path) -> BinaryIO:
    """File that nobody else can read, opened for writing."""
    file.unlink(missing_ok=True)
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def exchange_order(entry: Entry) -> str:
    """Sorts exchanges by when their requests came."""
    return f"{entry.exchange.started:020.9f}"


def masked_body(text: str, pointers: Iterable[str]) -> str:
    """JSON body, or stream of JSON events, without the values at these pointers."""
    paths = [
        [step.replace("~1", "/").replace("~0", "~") for step in each.split("/")[1:]] for each in pointers
    ]
    if not paths or not text:
        return text
    if text.startswith(("data:", "id:", "event:")):
        return "\n".join(
            f"data: {_masked(line[5:].strip(), paths)}" if line.startswith("data:") else line
            for line in text.split("\n")
        )
    return _masked(text, paths)


def _masked(text: str, paths: list[list[str]]) -> str:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text if text == "[DONE]" else MASK  # a part of a body, in which nothing can be found
    for path in paths:
        value = _without(value, path)
    return orjson.dumps(value).decode()


def _without(value: Any, path: list[str]) -> Any:
    if not path:
        return MASK
    step, rest = path[0], path[1:]
    if isinstance(value, dict):
        return {name: _without(each, rest) if step in (name, "*") else each for name, each in value.items()}
    if isinstance(value, list):
        return [_without(each, rest) if step in (str(n), "*") else each for n, each in enumerate(value)]
    return value
