"""What a handler of the control API is given."""

from __future__ import annotations

from typing import TypeAlias

from mockserver.engine import calls

Call: TypeAlias = calls.Call[None]
