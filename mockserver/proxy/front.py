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
from mockserver.proxy.comparing import Comparison
from mockserver.proxy.copy import Copy
from mockserver.proxy.filling import key_of
from mockserver.proxy.options import ProxyOptions
from mockserver.proxy.recording import Recording
from mockserver.proxy.target import ProxyTarget

VIOLATED = 1
"""Exit code of a proxy that found what `--fail-on` names."""
UNWRITTEN = 2
"""Exit code if the recording could not be written."""


_FAILING = {"violation": ("request", "answer"), "answer": ("answer",), "difference": ("difference",)}
"""What --fail-on names -> where it is."""
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
        self.options, self._notice = options, notice
        self._recording = None if options.record is None else Recording(options, notice)
        self.watch = None if self._recording is None else self._recording.add
        """Is given each exchange that has ended."""
        self.comparison: Comparison | None = None
        self.callers: Callable[[Request, Any], Any]
        """Authentication of the mock; set by the application."""
        self.target = ProxyTarget(options)
        self._lock = threading.Lock()
        self._found = 0
        self._names = KeyNames(os.environ)

    def compare(self, copy: Copy, operation_at: Callable[[str], str]) -> None:
        """Compare answers with those of a copy."""
        self.comparison = Comparison(self.target, copy, operation_at)

    def caller(self, request: Request, _: object) -> str:
        """Name of the credential of a request; whose it is, only the target knows."""
        key = key_of(request)
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
            reason = f"a proxy has no data: {call.operation} is about clock or data, which are the target's"
            raise NoState("No state", reason=f"{reason}; mockserver serve has its own")

        return {name: refuse if name in STATEFUL else handle for name, handle in handlers.items()}

    @property
    def about(self) -> dict[str, Any]:
        """What health tells of it."""
        compared = {} if self.comparison is None else {"comparison": self.comparison.counts}
        return {"mode": "proxy", "target": self.options.target, **compared}

    def judged(self, exchange: Exchange) -> None:
        """Count what the exit code tells."""
        failing = _FAILING.get(self.options.fail_on or "", ())
        if failing and any(each.get("in") in failing for each in exchange.violations):
            with self._lock:
                self._found += 1

    def end(self) -> int:
        """End recording and comparison; exit code."""
        if self.comparison is not None:
            self._notice(self.comparison.line())
            try:
                if line := self.comparison.write_drift():
                    self._notice(line)
            except (OSError, ValueError) as error:
                self._notice(f"--drift: it can't be written: {error}")
                return UNWRITTEN
        if self._recording is not None and not self._recording.end():
            return UNWRITTEN
        return VIOLATED if self._found else 0
