"""failures.har: the exchanges of every failure as an HTTP archive."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from importlib.metadata import version
from urllib.parse import parse_qsl, urlsplit

from harfile import Content, Creator, HarFile, PostData, Record, Request, Response, Timings

from contracts.report.data import Data


def har(data: Data) -> str:
    """All chains, one after the other; a comment says of which failure an entry is."""
    text = io.StringIO()
    with HarFile(text, creator=Creator("contracts", version("freddy-mock"))) as file:
        for failure in data["failures"]:
            for exchange in failure["chain"]:
                took = exchange["milliseconds"]
                file.add_entry(
                    startedDateTime=exchange["at"],
                    time=took,
                    request=_request(exchange, data["run"]["target"]),
                    response=_response(exchange),
                    timings=Timings(send=0, wait=took, receive=0),
                    comment=f"failure #{failure['id']}, {failure['check']}",
                )
    return text.getvalue()


def _request(exchange: Data, target: str) -> Request:
    headers, body = dict(exchange["headers"]), exchange["body"]
    if exchange["role"] is not None:
        headers["X-API-Key"] = f"$CONTRACTS_{exchange['role'].upper()}_KEY"
    post = None
    if body is not None:
        named = {name.lower(): value for name, value in headers.items()}
        kind = named.get("content-type", "application/json")
        if "content-type" not in named:
            headers["Content-Type"] = kind
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        post = PostData(mimeType=kind, text=text)
    query = parse_qsl(urlsplit(exchange["path"]).query, keep_blank_values=True)
    return Request(
        method=exchange["method"],
        url=target + exchange["path"],
        httpVersion="HTTP/1.1",
        headers=_records(headers.items()),
        queryString=_records(query),
        postData=post,
    )


def _response(exchange: Data) -> Response:
    headers, text = exchange["answer_headers"], exchange["answer"]
    size = len(text.encode("utf-8", "replace"))
    return Response(
        status=exchange["status"],
        statusText="",
        httpVersion="HTTP/1.1",
        headers=_records(headers.items()),
        content=Content(size=size, mimeType=headers.get("content-type", ""), text=text),
        redirectURL=headers.get("location", ""),
    )


def _records(pairs: Iterable[tuple[str, str]]) -> list[Record]:
    return [Record(name=name, value=value) for name, value in pairs]
