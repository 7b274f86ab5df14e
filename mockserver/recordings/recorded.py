"""Exchanges of a recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from comparison.given import decoded

PRODUCED = ("target", "state")
"""Sources of answers that a server has given; the others were injected, or are the proxy's own."""


class RecordingError(Exception):
    """Recording that can't be read; the text says where and why."""


@dataclass(frozen=True)
class RecordedExchange:
    """One exchange: the answer, and the request that it answers."""

    order: int
    operation: str
    role: str
    """Name of the caller's key; empty without one."""
    source: str
    is_cut: bool
    """Whether the answer is longer than what is recorded."""
    is_sent_cut: bool
    """The same of the request."""
    at: float
    """Seconds since 1970 at which the request came."""
    method: str
    path: str
    """Below the URL of the target, with the query."""
    sent_headers: Mapping[str, str]
    sent: str
    """Body of the request; in base64 if it is no text."""
    status: int
    headers: Mapping[str, str]
    """Of the answer, by lower-case name."""
    text: str
    is_encoded: bool = False
    """Whether `sent` is in base64."""

    @property
    def body(self) -> Any:
        """Decoded JSON body of the answer; None without one."""
        return decoded(self.text)


def read(file: Path) -> list[RecordedExchange]:
    """Exchanges in the order of their requests, of an archive or of the lines of an unfinished one."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise RecordingError(f"{file}: {error.strerror}") from None
    try:
        log = orjson.loads(data)["log"]
        target, entries = log["_mock"]["target"], log["entries"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        target, entries = None, []
        for number, line in enumerate(filter(None, data.split(b"\n")), 1):
            try:
                entries.append(orjson.loads(line))
            except orjson.JSONDecodeError:
                if number == 1:
                    raise RecordingError(
                        f"{file}: it is no recording of `mockserver proxy --record`"
                    ) from None
                break  # the last line of a proxy that was killed
    try:
        found = [_recorded(entry, target) for entry in entries]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"it is no recording of `mockserver proxy --record`: {type(error).__name__} {error}"
        raise RecordingError(f"{file}: {reason}") from None
    return sorted(found, key=lambda each: (each.at, each.order))


def _recorded(entry: Mapping[str, Any], target: str | None) -> RecordedExchange:
    request, response, ours = entry["request"], entry["response"], entry["_mock"]
    url = urlsplit(request["url"])
    path = url.path.removeprefix(urlsplit(target).path if target else "")
    return RecordedExchange(
        ours["order"],
        ours["operation"] or "",
        ours["role"] or "",
        ours["source"],
        "answer" in ours["cut"],
        "request" in ours["cut"],
        datetime.fromisoformat(entry["startedDateTime"]).timestamp(),
        request["method"],
        f"{path}?{url.query}" if url.query else path,
        {each["name"].lower(): each["value"] for each in request["headers"]},
        request.get("postData", {}).get("text", ""),
        response["status"],
        {each["name"].lower(): each["value"] for each in response["headers"]},
        response["content"]["text"],
        ours.get("encoding") == "base64",
    )
