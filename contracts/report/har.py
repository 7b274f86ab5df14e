"""failures.har: exchanges of the failures as an HTTP archive."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.metadata import version
from urllib.parse import parse_qsl, urlsplit

from contracts.report.data import Data

UNKNOWN = {"httpVersion": "HTTP/1.1", "cookies": [], "headersSize": -1, "bodySize": -1}
"""Mandatory HAR fields that are unknown here."""


def har(data: Data) -> str:
    """HAR text of all chains; a comment names the failure of an entry."""
    entries = [
        {
            "startedDateTime": exchange["at"],
            "time": exchange["milliseconds"],
            "request": _request(exchange, data["run"]["target"]),
            "response": _response(exchange),
            "cache": {},
            "timings": {"send": 0, "wait": exchange["milliseconds"], "receive": 0},
            "comment": f"failure #{failure['id']}, {failure['check']}",
        }
        for failure in data["failures"]
        for exchange in failure["chain"]
    ]
    creator = {"name": "contracts", "version": version("freddy-mock")}
    return json.dumps({"log": {"version": "1.2", "creator": creator, "entries": entries}}, indent=1) + "\n"


def _request(exchange: Data, target: str) -> Data:
    headers, body = dict(exchange["headers"]), exchange["body"]
    if exchange["role"] is not None:
        headers["X-API-Key"] = f"$CONTRACTS_{exchange['role'].upper()}_KEY"
    entry = {
        **UNKNOWN,
        "method": exchange["method"],
        "url": target + exchange["path"],
        "queryString": _records(parse_qsl(urlsplit(exchange["path"]).query, keep_blank_values=True)),
    }
    if body is not None:
        named = {name.lower(): value for name, value in headers.items()}
        kind = named.get("content-type", "application/json")
        headers |= {} if "content-type" in named else {"Content-Type": kind}
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        entry["postData"] = {"mimeType": kind, "text": text}
    return {**entry, "headers": _records(headers.items())}


def _response(exchange: Data) -> Data:
    headers, text = exchange["answer_headers"], exchange["answer"]
    kind, size = headers.get("content-type", ""), len(text.encode("utf-8", "replace"))
    return {
        **UNKNOWN,
        "status": exchange["status"],
        "statusText": "",
        "headers": _records(headers.items()),
        "content": {"size": size, "mimeType": kind, "text": text},
        "redirectURL": headers.get("location", ""),
    }


def _records(pairs: Iterable[tuple[str, str]]) -> list[Data]:
    return [{"name": name, "value": value} for name, value in pairs]
