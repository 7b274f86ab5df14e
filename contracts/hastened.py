"""What Hypothesis does for a programmer's own tests, and need not do here: a quarter of a run's time.

It looks up the source of lambdas for messages that nobody sees. It reads all modules around it for numbers
and words to try, so that what is tried would depend on where the suite is installed, and on whether the mock
runs in the same process. And it asks of a million characters which of them UTF-8 knows, unless it may keep
the answer on disk.
"""

from __future__ import annotations

from typing import Any

from hypothesis.internal import charmap, filtering, lambda_sources
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from hypothesis.internal.intervalsets import IntervalSet

_UTF_8 = IntervalSet(((0, 0xD7FF), (0xE000, 0x10FFFF))), IntervalSet(())
_ask_all = charmap.intervals_from_codec
_NOTHING = Constants()


def _intervals(codec: str) -> tuple[IntervalSet, IntervalSet]:
    return _UTF_8 if codec == "utf-8" else _ask_all(codec)


def _described(_: Any) -> str:
    return "lambda ...: <unknown>"


lambda_sources.lambda_description = _described
filtering.lambda_description = _described  # type: ignore[attr-defined]  # it has a name of its own for it
charmap.intervals_from_codec = _intervals  # type: ignore[assignment]  # without the cache's own methods
providers._get_local_constants = lambda: _NOTHING
