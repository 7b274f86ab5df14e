"""Values of fields and parameters from their schemas: typical ones, each bound, and one beyond."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from contracts.checks.spec import OpenApiDocument
from contracts.lockstep.api import KINDS

TOPICS = [
    "launch",
    "date",
    "payment",
    "tests",
    "refunds",
    "warehouse",
    "Basel",
    "label",
    "auditors",
    "portal",
    "Marta",
    "Friday",
    "June",
]
ODD = (
    "Ähnlich 日本 🚀",
    " padded ",
    "STRASSE",
    "straße",
    "İstanbul",
    "ǅ",
    "100%",
    "a_b",
    "a*b",
    "a\\b",
    "[a",
    "'",
    "null",
)
"""Texts that searches, comparisons and filters often get wrong."""
WRONG: tuple[Any, ...] = (5, True, None, "", [], {}, "n" * 256, -1, 1.5, "x")


def listed(pattern: str) -> list[str]:
    """Words that a pattern lists, alone and two by two with a comma; none of any other pattern."""
    found = re.findall(r"[a-z_]{3,}", pattern) if re.search(r"[a-z]\|[a-z]", pattern) else []
    words = list(dict.fromkeys(found))
    return [*words, *(f"{one},{other}" for one, other in zip(words, words[1:] + words[:1], strict=True))]


class Words:
    """Source of values; it repeats values that a field had before, so that filters find something."""

    def __init__(self, pick: Random, ref: Callable[[str], dict[str, str]], contract: OpenApiDocument) -> None:
        self.pick, self._ref, self._contract = pick, ref, contract
        self.beyond = 0.0
        """Share of values that break their schema."""
        self.seen: dict[str, list[str]] = {}
        """Texts by the name of their field."""

    def value(self, schema: Any, name: str = "", depth: int = 0) -> Any:  # noqa: C901 - one case a keyword
        """Value that mostly fits a schema."""
        pick, schema = self.pick, self._contract.resolved(schema)
        if depth and pick.random() < self.beyond:
            return pick.choice(WRONG)
        choices = schema.get("oneOf") or ("properties" not in schema and schema.get("anyOf"))
        if choices:
            weights = [1 if self._contract.resolved(each).get("type") == "null" else 3 for each in choices]
            return self.value(pick.choices(choices, weights)[0], name, depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return pick.choice(schema["enum"])
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = pick.choices(kind, [1 if each == "null" else 3 for each in kind])[0]
        match kind:
            case "null":
                return None
            case "string":
                return self.text(schema, name)
            case "integer" | "number":
                return self.number(schema)
            case "boolean":
                return pick.random() < 0.5
            case "array":
                return self.array(schema, name, depth)
            case _:
                return self.object(schema, name, depth)

    def object(self, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        """Object with its required fields, and some or nearly all of the others."""
        pick = self.pick
        if name == "metadata":
            count = pick.choice([0, 1, 1, 2, 3, 3, 15, 16, 17] if pick.random() < 0.3 else [0, 1, 2])
            keys = "abcd" if count < 4 else [f"k{n}" for n in range(count)]
            return {pick.choice(keys): pick.choice(["1", "2", "Ä", "", "x" * 512]) for _ in range(count)}
        share = pick.choice([0.0, 0.3, 0.3, 0.9]) if depth == 0 else 0.15
        return {
            key: self.value(inner, key, depth + 1)
            for key, inner in schema.get("properties", {}).items()
            if key in schema.get("required", ()) or pick.random() < share
        }

    def array(self, schema: Mapping[str, Any], name: str, depth: int) -> list[Any]:
        """Short list, now and then one at its bound."""
        few, most = schema.get("minItems", 0), schema.get("maxItems", 9)
        count = self.pick.choice([few, 1, 1, 2, 3])
        if most <= 20 and self.pick.random() < 0.03:
            count = self.pick.choice([most, most + 1])
        return [self.value(schema.get("items", {}), name, depth + 1) for _ in range(max(few, count))]

    def number(self, schema: Mapping[str, Any]) -> Any:
        """Number at or near a bound, or one beyond."""
        pick, low, high = self.pick, schema.get("minimum", 0), schema.get("maximum", 100)
        near = [low, high, low + 1, high - 1, pick.randint(int(low), int(min(high, low + 5)))]
        return pick.choice([low - 1, high + 1] if pick.random() < self.beyond else near)

    def text(self, schema: Mapping[str, Any], name: str) -> Any:
        """Text: an id, one that this field or another had before, or a new one."""
        pick = self.pick
        if kind := KINDS.get(name):
            return self._ref(kind)
        if schema.get("format") == "date-time":
            return self._ref("time")
        if (words := listed(schema.get("pattern", ""))) and pick.random() < 0.9:
            return pick.choice(words)
        low, high = schema.get("minLength", 0), schema.get("maxLength", 300)
        if pick.random() < self.beyond:
            return pick.choice(["n" * (low - 1) if low else "", "n" * (min(high, 6000) + 1)])
        before = self.seen.get(name, [])[-8:]
        if before and pick.random() < 0.4:
            return pick.choice(before)
        if name == "search" and self.seen:
            text = pick.choice(pick.choice([*self.seen.values()])[-8:])
            part = pick.choice(
                [text, text[:3], text[1:4], text.upper(), text.swapcase(), f"{text}%", "%", "_", "*"]
            )
            return part[:high] or "a"
        if name.endswith("_id"):
            return pick.choice([f"{name[:4]}_a", f"{name[:4]}_b", f"{name[:4]}_A"])
        text = " ".join(pick.choices(TOPICS, k=pick.randint(1, 4)))
        odd = pick.random()
        if odd < 0.12:
            text = pick.choice(ODD)
        elif odd < 0.2:
            text = pick.choice(["n" * max(low, 1), "n" * min(high, 6000), "n" * (min(high, 6000) - 1)])
        return text if low <= len(text) <= high else text[:high]

    def note(self, body: Any) -> None:
        """Remember the texts of a request that was accepted."""
        for name, value in body.items() if isinstance(body, dict) else ():
            if isinstance(value, str) and 0 < len(value) < 80:
                self.seen.setdefault(name, []).append(value)
