"""Values for a JSON schema: each follows from the seed and its place, whatever was asked before."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from mockserver.foreign import patterns, texts
from mockserver.foreign.merging import Merging, types_of
from mockserver.foreign.numbers import bounded

DEEPEST = 4
"""Levels below which only what is required is generated."""
HOPELESS = 40
"""Levels at which required values contain themselves without end."""
MOST = 4000
"""Values after which only what is required is generated."""
ATTEMPTS = 16
"""Values that are tried until one is valid."""


class Unable(Exception):
    """No value can be generated."""


def generate(whole: Mapping[str, Any], is_valid: Any, place: str) -> Any:
    """Valid value of a schema; Unable if none is found."""
    value: Any = None
    reason = ""
    for attempt in range(ATTEMPTS):
        try:
            value = Generator(whole, place, attempt).value(whole, "", "", ())
        except (Unable, RecursionError) as error:
            reason = str(error) or "it is nested too deeply"
            continue
        if is_valid(value):
            return value
        reason = "no value that was tried is valid"
    raise Unable(reason)


class Generator:
    """One attempt: examples of the schema first, then none, then only what is required."""

    def __init__(self, whole: Mapping[str, Any], place: str, attempt: int) -> None:
        self._merging = Merging(whole.get("$defs", {}))
        self._seed, self._place, self._attempt = place, f"{place}\0{attempt}", attempt
        self._takes_whole, self._takes_examples = attempt == 0, attempt < 2
        self._minimal = attempt > 2 and attempt % 2 == 1
        self._count = 0

    def _number(self, at: str) -> texts.Number:
        """Numbers of one place, in order."""
        ordinal = 0

        def following() -> int:
            nonlocal ordinal
            ordinal += 1
            text = f"{self._place}\0{at}\0{ordinal}".encode("utf-8", "surrogatepass")
            return int.from_bytes(blake2b(text, digest_size=8).digest())

        return following

    def value(self, schema: Any, at: str, name: str, above: tuple[str, ...]) -> Any:
        """Value of a schema; `at`: its place, `above`: names of the schemas that contain it."""
        self._count += 1
        depth = at.count("/")
        if schema is False or depth > HOPELESS:
            raise Unable("required values contain themselves without end" if schema else "nothing is allowed")
        number = self._number(at)
        flat, passed = self._merging.flat({} if schema is True else schema)
        above = (*above, *passed)
        flat, above = self._branched(flat, at, above)
        if "const" in flat:
            return flat["const"]
        found = self._example(flat)
        if found is not None:
            return found
        if "enum" in flat:
            wanted = [each for each in flat["enum"] if each is not None] or flat["enum"]
            if not wanted:
                raise Unable("nothing is allowed")
            return wanted[number() % len(wanted)]
        return self._of_type(flat, at, name, above, number)

    def _of_type(
        self,
        flat: dict[str, Any],
        at: str,
        name: str,
        above: tuple[str, ...],
        number: texts.Number,
    ) -> Any:
        """Value of one of the types of a schema without choices."""
        kinds = [kind for kind in types_of(flat) if kind != "null"] or ["null"]
        match kinds[self._attempt % len(kinds)]:
            case "object":
                return self._object(flat, at, above, number)
            case "array":
                return self._array(flat, at, name, above, number)
            case "string":
                return self._text(flat, name, number)
            case "boolean":
                return bool(number() & 1)
            case "null":
                return None
            case kind:
                return bounded(flat, kind == "integer", name, number)

    def _choice(self, at: str, most: int) -> int:
        """Branch of a place: the next one in each of the first attempts, then any."""
        if self._attempt > 6:
            return self._number(f"{at} branch")() % most
        text = f"{self._seed}\0{at}".encode("utf-8", "surrogatepass")
        return (int.from_bytes(blake2b(text, digest_size=8).digest()) + self._attempt) % most

    def _branched(
        self, flat: dict[str, Any], at: str, above: tuple[str, ...]
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The schema with one branch of each choice."""
        for _ in range(20):
            key = next((key for key in ("oneOf", "anyOf", "more") if flat.get(key)), None)
            if key is None:
                break
            branches = flat[key]
            if key == "more":
                branches, rest = flat[key][0], flat[key][1:]
                others = {
                    **{k: v for k, v in flat.items() if k != "more"},
                    **({"more": rest} if rest else {}),
                }
            else:
                others = {k: v for k, v in flat.items() if k != key}
            usable = self._usable(branches, above)
            branch = usable[self._choice(at, len(usable))]
            inner, passed = self._merging.flat(branch)
            told = flat.get("discriminator")
            flat = self._merging.merged({k: v for k, v in others.items() if k != "discriminator"}, inner)
            if told and passed and passed[0] in told["words"]:
                word = {"const": told["words"][passed[0]]}
                flat = self._merging.merged(flat, {"properties": {told["propertyName"]: word}})
                flat["required"] = [*dict.fromkeys([*flat.get("required", ()), told["propertyName"]])]
            above = (*above, *passed)
        if self._attempt % 2 == 0 and isinstance(flat.get("then"), dict) and isinstance(flat.get("if"), dict):
            flat = self._merging.merged(self._merging.merged(flat, flat["if"]), flat["then"])
        elif isinstance(flat.get("else"), dict):
            flat = self._merging.merged(flat, flat["else"])
        return flat, above

    def _usable(self, branches: list[Any], above: tuple[str, ...]) -> list[Any]:
        """Branches that hold something and do not lead back, if there are any."""
        some = [each for each in branches if each is not False and types_of(each) != ["null"]] or branches
        return [each for each in some if not self._leads_back(each, above)] or some

    def _leads_back(self, schema: Any, above: tuple[str, ...]) -> bool:
        return any(name in above for name in self._merging.names(schema))

    def _example(self, flat: Mapping[str, Any]) -> Any:
        """Example of the schema; of an object or a list only in the first attempt."""
        if not self._takes_examples:
            return None
        listed = flat.get("examples")
        found = (
            flat["example"]
            if "example" in flat
            else listed[0]
            if isinstance(listed, list) and listed
            else None
        )
        if isinstance(found, dict | list):
            return found if self._takes_whole else None
        return found

    def _object(
        self, flat: Mapping[str, Any], at: str, above: tuple[str, ...], number: texts.Number
    ) -> dict[str, Any]:
        properties, required = flat.get("properties", {}), flat.get("required", ())
        names = [each for each in properties if each in required or self._wants(properties[each], at, above)]
        names += [each for each in required if each not in properties]
        if "maxProperties" in flat:
            chosen = sorted(names, key=lambda each: each not in required)[: int(flat["maxProperties"])]
            names = [each for each in names if each in chosen]
        made = {each: self._member(flat, each, at, above) for each in names}
        self._more_members(flat, made, at, above, number)
        return made

    def _wants(self, schema: Any, at: str, above: tuple[str, ...]) -> bool:
        """Whether an optional field is generated."""
        if schema is False or self._minimal or at.count("/") >= DEEPEST or self._count > MOST:
            return False
        flat, _ = self._merging.flat(schema) if isinstance(schema, dict) else ({}, ())
        return (
            not flat.get("writeOnly") and not flat.get("deprecated") and not self._leads_back(schema, above)
        )

    def _member(self, flat: Mapping[str, Any], name: str, at: str, above: tuple[str, ...]) -> Any:
        parts = [flat["properties"][name]] if name in flat.get("properties", {}) else []
        for pattern, schema in flat.get("patternProperties", {}).items():
            if patterns.matches(pattern, name):
                parts.append(schema)
        if not parts:
            parts.append(flat.get("additionalProperties", True))
        schema = parts[0] if len(parts) == 1 else {"allOf": parts}
        return self.value(schema, f"{at}/{name}", name, above)

    def _more_members(
        self,
        flat: Mapping[str, Any],
        made: dict[str, Any],
        at: str,
        above: tuple[str, ...],
        number: texts.Number,
    ) -> None:
        """Fields of a map, and as many others as there must be; none that nobody asked for."""
        others = flat.get("additionalProperties", True)
        is_map = isinstance(others, dict) and bool(others) and not flat.get("properties")
        least = int(flat.get("minProperties", 0))
        if is_map and not self._minimal and at.count("/") < DEEPEST and not self._leads_back(others, above):
            least = max(least, min(2, int(flat.get("maxProperties", 2))))
        spare = [each for each in flat.get("properties", {}) if each not in made]
        for tried in range(least * 20):
            if len(made) >= least:
                break
            if spare:
                name = spare.pop(0)
            elif patterned := list(flat.get("patternProperties", {})):
                name = (
                    patterns.text_of(patterned[tried % len(patterned)], lambda most: number() % most) or "x"
                )
            elif others is False:
                break
            else:
                key = flat.get("propertyNames", {"type": "string"})
                name = str(self.value(key, f"{at}/{tried} name", "word", above))
            made.setdefault(name, self._member(flat, name, at, above))

    def _array(
        self, flat: Mapping[str, Any], at: str, name: str, above: tuple[str, ...], number: texts.Number
    ) -> list[Any]:
        first, items = flat.get("prefixItems", []), flat.get("items", True)
        least = max(int(flat.get("minItems", 0)), int("contains" in flat))
        most = int(flat.get("maxItems", max(least, 3)))
        count = least
        is_deep = at.count("/") >= DEEPEST + 1 or self._count > MOST
        if not (self._minimal or is_deep or items is False or self._leads_back(items, above)):
            count = min(max(least, len(first) + (0 if first else 1 + number() % 3)), most)
        made: list[Any] = []
        seen: set[bytes] = set()
        for tried in range(count * 10 + 10):
            if len(made) >= count:
                break
            index = len(made)
            schema = first[index] if index < len(first) else items
            if index == len(first) and "contains" in flat:
                schema = {"allOf": [items, flat["contains"]]}
            if schema is False:
                break
            where = f"{at}/{index}" if tried == index else f"{at}/{index} {tried}"
            value = self._unlike(tried > index).value(schema, where, name.removesuffix("s"), above)
            text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
            if not flat.get("uniqueItems") or text not in seen:
                made.append(value)
            seen.add(text)
        return made

    def _unlike(self, again: bool) -> Generator:
        """Generator without examples if one of a value that is already there was tried."""
        if not again or not self._takes_examples:
            return self
        other = Generator.__new__(Generator)
        other.__dict__.update(self.__dict__, _takes_examples=False)
        return other

    def _text(self, flat: Mapping[str, Any], name: str, number: texts.Number) -> str:
        least, most = int(flat.get("minLength", 0)), flat.get("maxLength")
        most = None if most is None else int(most)
        if "pattern" in flat:
            for _ in range(20):
                found = patterns.text_of(flat["pattern"], lambda bound: number() % bound)
                if found is not None and least <= len(found) and (most is None or len(found) <= most):
                    return found
                if found and least > len(found):
                    longer = (found * (least // len(found) + 1))[: most or least]
                    if patterns.matches(flat["pattern"], longer):
                        return longer
        made = texts.FORMATS.get(flat.get("format", ""))
        if made is not None:
            return made(number)
        return texts.fitted(texts.text_of(name, number), least, most, number)
