"""Names that every handler of the vendor's API imports."""

from __future__ import annotations

from typing import TypeAlias

from mockserver.http import calls
from mockserver.sandbox.directory import Caller

__all__ = ["Call", "Reply", "handles"]

Call: TypeAlias = calls.Call[Caller]
Reply = calls.Reply
handles = calls.handles
