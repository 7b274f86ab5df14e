"""Choice of one branch of each oneOf and anyOf of a schema."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from mockserver.foreign.merging import Merging, types_of


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


class Branches:
    """Branches as one attempt chooses them."""

    def __init__(self, merging: Merging, place: str, attempt: int) -> None:
        self._merging, self._place, self._attempt = merging, place, attempt

    def _choice(self, at: str, most: int) -> int:
        """Branch of a place: the next one in each of the first attempts, then any."""
        if self._attempt > 6:
            return (_hash(f"{self._place}\0{self._attempt}\0{at}")) % most
        return (_hash(f"{self._place}\0{at}") + self._attempt) % most

    def one_of_each(
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
        return [each for each in some if not self._merging.leads_back(each, above)] or some
