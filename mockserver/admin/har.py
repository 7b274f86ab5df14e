"""Journal as an HTTP Archive (HAR 1.2), which the developer tools of browsers open."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from mockserver import __version__
from mockserver.admin.journal_entries import exchange_body, mask_of
from mockserver.admin.paging import Call, ControlContext
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import PHRASES
from mockserver.sandbox.sandbox import Record, Sandbox

CREATOR = {"name": "Freddy mock", "version": __version__}
_COMMON = {"httpVersion": "HTTP/1.1", "cookies": [], "headersSize": -1}


@handles("getHar")
def get_har(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Finished exchanges of the journal, oldest first."""
    mask = mask_of(sandbox)
    entries = [har_entry(exchange_body(entry, mask)) for entry in sandbox.journal.entries() if entry.complete]
    return Reply(200, {"log": {"version": "1.2", "creator": CREATOR, "entries": entries}})


def har_entry(exchange: Record) -> Record:
    """Exchange as an entry of an archive."""
    request, response = exchange["request"], exchange["response"]
    return {
        "startedDateTime": exchange["wall"],
        "time": exchange["milliseconds"],
        "request": _request(request),
        "response": {
            **_COMMON,
            "status": response["status"],
            "statusText": PHRASES.get(response["status"], ""),
            "headers": _pairs(response["headers"].items()),
            "redirectURL": response["headers"].get("location", ""),
            "bodySize": response["body_bytes"],
            "content": {
                "size": response["body_bytes"],
                "mimeType": response["headers"].get("content-type", ""),
                "text": response["body"],
            },
        },
        "cache": {},
        "timings": {"send": 0, "wait": exchange["milliseconds"], "receive": 0},
        "comment": exchange["why"][-1],
    }


def _request(request: Record) -> Record:
    headers, query = request["headers"], request["url"].partition("?")[2]
    har = {
        **_COMMON,
        "method": request["method"],
        "url": f"http://{headers.get('host', 'localhost')}{request['url']}",
        "headers": _pairs(headers.items()),
        "queryString": _pairs(parse_qsl(query, keep_blank_values=True)),
        "bodySize": request["body_bytes"],
    }
    if request["body"]:
        har["postData"] = {"mimeType": headers.get("content-type", ""), "text": request["body"]}
    return har


def _pairs(pairs: Any) -> list[Record]:
    return [{"name": name, "value": value} for name, value in pairs]
