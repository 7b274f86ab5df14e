"""Transport to a deployment by URL, with retries, limits of time and size, TLS and proxies."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, nullcontext
from http.client import HTTPException
from typing import Any

import requests
import urllib3

from contracts.checks.errors import Unanswered
from contracts.http.connection import Connection, TargetUrl, proxies
from contracts.http.exchange import BEARER, CHUNKED, SAFE, ClientRequest, ClientResponse
from contracts.http.transport import BUSY, RequestLimit, Transport, retry_delay

MAX_BYTES = 16 * 2**20
"""Largest response body, decompressed; a longer one is treated as endless."""
NO_ANSWER = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError)
"""Errors of requests and of the libraries below it that mean no valid HTTP response."""
RETRY_DELAYS = (0.2, 1.0)
"""Seconds before each retry of an unanswered request."""
MAX_REFUSALS = 20
"""Number of times that a request waits as long as a 429 asks."""


class Http(Transport):
    """Transport to a deployment by URL."""

    def __init__(
        self, url: str, limit: RequestLimit | None = None, connection: Connection | None = None
    ) -> None:
        target, self._connection = TargetUrl.parse(url), connection or Connection()
        super().__init__(target.url, limit)
        self.always |= self._connection.headers
        if target.authorization is not None:
            self.always["Authorization"] = target.authorization
        self._own = threading.local()
        self._open = ExitStack()
        most = self._connection.concurrency
        self._slots = nullcontext() if most is None else threading.BoundedSemaphore(most)
        if self._connection.insecure:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def _answer(self, request: ClientRequest, key: str | None) -> ClientResponse:
        """Response; retried while the target is unavailable and a repeat is safe, or limits the rate."""
        if not request.path.startswith("/"):  # it would become part of the host
            raise Unanswered(f"not sent: the path {request.path!r} does not begin with /")
        pauses, refusals = iter(RETRY_DELAYS), 0
        while True:
            wait: float | None = None
            try:
                answer = self._send(request, key)
            except requests.Timeout as error:
                why, wait = self._late(request, error), next(pauses, None) if request.method in SAFE else None
            except NO_ANSWER as error:
                why = f"no answer from {self.url}: {_reason(error)}"
                if request.method in SAFE:  # another may have taken effect
                    wait = next(pauses, None)
            else:
                if answer.status != 429 and answer.status not in BUSY:
                    return answer
                refusals += 1
                why, wait = self._refused(answer, refusals, pauses)
            if wait is None:
                raise Unanswered(why)
            time.sleep(wait)

    def _late(self, request: ClientRequest, error: requests.Timeout) -> str:
        """Reason of a timeout, with the flag that allows more."""
        flag = "--model-timeout" if request.asks_model else "--timeout"
        most = self._connection.timeout_of(asks_model=request.asks_model)
        return f"no answer from {self.url} in time: {_reason(error)}; {flag} is {most:g} s"

    def _refused(
        self, answer: ClientResponse, times: int, pauses: Iterator[float]
    ) -> tuple[str, float | None]:
        """Reason of a 429 or of an unavailable target, and seconds until the next try; None to give up."""
        request, requested = answer.request, retry_delay(answer.headers)
        why = f"{self.url} answers {answer.status} to {request.method} {request.path[:80]}"
        if requested is not None and requested > self.limit.longest_delay:
            return f"{why}, and asks to wait {requested:,.0f} s", None
        if answer.status == 429 and requested is not None and times <= MAX_REFUSALS:
            self.limit.hold(requested)
            return why, 0.0
        pause = next(pauses, None)
        if answer.status in BUSY and requested is None and request.method not in SAFE:
            return why, None
        return why, pause if pause is None or requested is None else requested

    def _send(self, request: ClientRequest, key: str | None) -> ClientResponse:
        with self._slots:
            timeout = self.limit.wait(self._connection.timeout_of(asks_model=request.asks_model))
            data, before = body_bytes(request.body), time.monotonic()
            with self._session().request(
                request.method,
                self.url + request.path,
                headers=request_headers(request, key, self.always),
                data=iter([data]) if data and is_chunked(request) else data,
                allow_redirects=False,
                timeout=timeout,
                stream=True,
            ) as response:
                content = _content(response, before, timeout)
        return response_of(request, response.status_code, response.headers, content, before)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._own, "session", None)
        if session is None:
            session = self._own.session = self._open.enter_context(requests.Session())
            session.trust_env = False  # ignore .netrc, whose password would replace the headers
            session.verify = self._connection.verify()
            session.proxies = proxies(self.url)
            cert = self._connection.cert
            session.cert = (cert, key) if cert and (key := self._connection.cert_key) else cert
        return session

    def close(self) -> None:
        """Close every connection."""
        self._open.close()


def _content(response: requests.Response, before: float, timeout: float) -> bytes:
    """Decompressed body; an error if it is longer or takes longer than allowed."""
    content = bytearray()
    for piece in response.iter_content(65536):
        content += piece
        if len(content) > MAX_BYTES:
            raise requests.RequestException(f"its answer has more than {MAX_BYTES:,} bytes")
        if time.monotonic() - before > timeout:
            raise requests.Timeout(f"its answer is not complete after {timeout:.0f} s")
    return bytes(content)


def request_headers(request: ClientRequest, key: str | None, always: Mapping[str, str]) -> dict[str, str]:
    """Headers of a request; those of `always` replace its own."""
    replaced = {name.lower() for name in always}
    headers = {name: value for name, value in request.headers.items() if name.lower() not in replaced}
    headers |= always
    if key is not None and BEARER.items() <= headers.items():
        headers |= {name: text.replace("{key}", key) for name, text in BEARER.items()}
    elif key is not None:
        headers["X-API-Key"] = key
    if request.body is not None:
        headers.setdefault("Content-Type", "application/json")
    return headers


def is_chunked(request: ClientRequest) -> bool:
    """Whether the body is sent in chunks."""
    return CHUNKED.items() <= request.headers.items()


def body_bytes(body: Any) -> bytes | None:
    """Body as it is sent."""
    if body is None:
        return None
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def response_of(
    request: ClientRequest, status: int, headers: Any, content: bytes, sent: float
) -> ClientResponse:
    """Response to a request that was sent at the monotonic time `sent`."""
    taken = (time.monotonic() - sent) * 1000
    lower = {name.lower(): value for name, value in headers.items()}
    text = content.decode("utf-8", "replace")
    garbled = "\ufffd" in text and text.encode() != content
    return ClientResponse(request, status, lower, text, taken, garbled=garbled)


def _reason(error: Exception) -> str:
    inner: BaseException = error
    while inner.__context__ is not None:
        inner = inner.__context__
    text = " ".join(str(inner).split())[:200] or type(error).__name__
    return f"{text}; pass --ca FILE or --insecure" if "CERTIFICATE_VERIFY_FAILED" in text else text
