"""Concurrent calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def in_parallel(call: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Results of concurrent calls, at most ten at a time."""
    with ThreadPoolExecutor(10) as pool:
        return list(pool.map(call, items))
