"""The table from operationId to handler of the vendor's API."""

from __future__ import annotations

from typing import TypeAlias

from mockserver.engine import calls
from mockserver.sandbox.directory import Caller
from mockserver.sandbox.sandbox import Sandbox

Call: TypeAlias = calls.Call[Caller]
Reply = calls.Reply

HANDLERS: calls.Handlers[Caller, Sandbox] = calls.Handlers()
handles = HANDLERS.handles
