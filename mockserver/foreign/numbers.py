"""Numbers within the bounds of a schema."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mockserver.foreign.texts import Number

_INT32 = 2**31 - 1


def bounded(flat: Mapping[str, Any], is_integer: bool, name: str, number: Number) -> Any:
    """Number within bounds; small, as most numbers are."""
    low, high, step = flat.get("minimum"), flat.get("maximum"), flat.get("multipleOf")
    tiny = 1 if is_integer else 0.01
    if "exclusiveMinimum" in flat:
        low = flat["exclusiveMinimum"] + tiny if low is None else max(low, flat["exclusiveMinimum"] + tiny)
    if "exclusiveMaximum" in flat:
        high = flat["exclusiveMaximum"] - tiny if high is None else min(high, flat["exclusiveMaximum"] - tiny)
    lowest = low if low is not None else min(0, high) if high is not None else 1 if is_integer else 0
    highest = min(high, lowest + 1000) if high is not None else max(lowest + 1000, 1000)
    if step is not None:
        first = math.ceil(lowest / step)
        last = max(first, math.floor(highest / step))
        found = (first + number() % (last - first + 1)) * step
        return int(found) if is_integer or float(found).is_integer() else round(found, 10)
    if is_integer:
        first = math.ceil(lowest)
        return min(first + number() % (max(0, math.floor(highest) - first) + 1), max(_INT32, first))
    if name.lower() in ("lat", "latitude", "lng", "lon", "longitude") and highest > 90 and low is None:
        return round(number() % 9000 / 100, 2)
    found = lowest + (highest - lowest) * (number() % 10_000) / 10_000
    rounded = round(found, 2)
    return rounded if lowest <= rounded <= highest else found
