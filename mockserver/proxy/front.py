"""The proxy as the application knows it: its target, its callers, and what it has found."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from mockserver.admin.registration import STATEFUL
from mockserver.http.calls import Handler, Reply
from mockserver.http.log import Exchange
from mockserver.http.problems import MockOwnError, Unauthorized
from mockserver.http.request import Request
from mockserver.proxy.options import ProxyOptions
from mockserver.proxy.recording import Recording
from mockserver.proxy.target import ProxyTarget

VIOLATED = 1
"""Exit code of a proxy that found what `--fail-on` names."""
UNWRITTEN = 2
"""Exit code if the recording could not be written."""


MOST_NAMES = 10_000
"""Most keys that get a name of their own."""
_ROLE = re.compile(r"CONTRACTS_([A-Z]+)_KEY")
_DEMO = re.compile(r"ak_demo_([a-z]+)")


class KeyNames:
    """Names of keys: the role of a known one, else a number in order of appearance."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Keys of roles are in CONTRACTS_…_KEY, as the contract suite has them, and FREDDY_API_KEY."""
        self._names = {environ["FREDDY_API_KEY"]: "owner"} if environ.get("FREDDY_API_KEY") else {}
        for name, key in environ.items():
            if key and (found := _ROLE.fullmatch(name)):
                self._names[key] = found[1].lower()
        self._numbered = 0

    def of(self, key: str) -> str:
        """Name of a key."""
        name = self._names.get(key)
        if name is None:
            if len(self._names) >= MOST_NAMES:
                return "key_other"
            demo = _DEMO.fullmatch(key)
            self._numbered += demo is None
            name = self._names.setdefault(key, demo[1] if demo else f"key_{self._numbered}")
        return name


class NoState(
    MockOwnError, status=409, code="PROXY_HAS_NO_STATE", message="The data is the target's.", rule="control"
):
    """409: a call about clock or data, which only the target has."""


class Front:
    """What a proxy has beyond a mock."""

    def __init__(self, options: ProxyOptions, notice: Callable[[str], None]) -> None:
        """`notice` gets lines for the log; OSError if a recording can't be begun."""
        self.options = options
        self._recording = None if options.record is None else Recording(options, notice)
        self.watch = None if self._recording is None else self._recording.add
        """Is given each exchange that has ended."""
        self.callers: Callable[[Request, Any], Any]
        """Authentication of the mock; set by the application."""
        self.target = ProxyTarget(options)
        self.about = {"mode": "proxy", "target": options.target}
        """What health tells of it."""
        self._lock = threading.Lock()
        self._found = 0
        self._names = KeyNames(os.environ)

    def caller(self, request: Request, _: object) -> str:
        """Name of the credential of a request; whose it is, only the target knows."""
        key = request.header("X-API-Key")
        if key is None:
            key = (request.header("Authorization") or "").removeprefix("Bearer ").strip()
        return self._names.of(key) if key else "-"

    def caller_of_mock(self, request: Request, sandbox: Any) -> Any:
        """Caller of a request that the mock answers: of a key that it does not know, the first one it has."""
        try:
            return self.callers(request, sandbox)
        except Unauthorized:
            known = [each.caller for each in sandbox.directory.credentials.values() if each.state == "active"]
            if not known or self.caller(request, None) == "-":
                raise
            return known[0]

    def without_state(self, handlers: Mapping[str, Handler]) -> dict[str, Handler]:
        """Handlers of the control API, of which those about clock and data refuse, unless the mock fills."""
        if self.options.mode == "fill":
            return dict(handlers)

        def refuse(call: Any, _: Any) -> Reply:
            reason = f"{call.operation} is about clock or data, which the target has, not the proxy"
            raise NoState("No state", reason=f"{reason}; mockserver serve has them")

        return {name: refuse if name in STATEFUL else handle for name, handle in handlers.items()}

    def judged(self, exchange: Exchange) -> None:
        """Count what the exit code tells."""
        if self.options.fail_on is not None and any(
            self.options.fail_on != "answer" or each.get("in") == "answer" for each in exchange.violations
        ):
            with self._lock:
                self._found += 1

    def end(self) -> int:
        """End the recording; exit code."""
        if self._recording is not None and not self._recording.end():
            return UNWRITTEN
        return VIOLATED if self._found else 0
