"""OpenAPI Overlay 1.0 and 1.1: ordered changes of a document, each addressed by JSONPath (RFC 9535)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from mockserver.openapi.json_path import address, compiled, mend, missing, value_at
from mockserver.openapi.references import Pointer
from mockserver.openapi.schemas import Schemas
from mockserver.openapi.yaml_document import Document, DocumentError

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathQuery

ACTIONS = ("update", "remove", "copy")
_LONGEST = 60
"""Characters of a value in a line that shows a change."""
_TEXT = {"type": "string"}
SHAPE = {
    "type": "object",
    "required": ["overlay", "info", "actions"],
    "properties": {
        "overlay": {"type": "string", "pattern": r"^1\.[01]\.\d+$"},
        "info": {
            "type": "object",
            "required": ["title", "version"],
            "properties": {"title": _TEXT, "version": _TEXT, "description": _TEXT},
        },
        "extends": _TEXT,
        "actions": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "type": "object",
                "required": ["target"],
                "properties": {
                    "target": _TEXT,
                    "description": _TEXT,
                    "update": {},
                    "remove": {"type": "boolean"},
                    "copy": _TEXT,
                },
                "patternProperties": {"^x-": {}},
                "additionalProperties": False,
            },
        },
    },
    "patternProperties": {"^x-": {}},
    "additionalProperties": False,
}
"""JSON schema of an overlay."""


class Change(NamedTuple):
    """One value of the document that an action changed."""

    overlay: Document
    action: int
    """Index in its `actions`."""
    at: Pointer
    before: Any
    after: Any
    """NOTHING where there is no value."""

    def __str__(self) -> str:
        line = self.overlay.line(("actions", self.action))
        parts = {"-": self.before, "+": self.after}
        values = " ".join(f"{sign}{_brief(value)}" for sign, value in parts.items() if value is not NOTHING)
        return f"{self.overlay.path}:{line}: {address(self.at)}: {values}"


class _Nothing:
    """Absent value, which null is not."""


NOTHING = _Nothing()


class OverlaidDocument(Document):
    """Document with overlays applied to its content; the file itself stays as it is."""

    def __init__(self, document: Document, overlays: Sequence[Document]) -> None:
        """DocumentError for an overlay that can't be applied."""
        self.path, self.text = document.path, document.text
        self.changes: list[Change] = []
        # A copy: documents of the same text share their content, and so do aliases within one.
        self.content = orjson.loads(orjson.dumps(document.content))
        self.changes += applied(overlays, self.content)

    def error(self, pointer: Sequence[str | int], reason: str) -> DocumentError:
        """Error at `pointer`, addressed by the action that changed the value, or something inside of it."""
        if "is a required property" in reason:
            reason += "; give the property an x-mock-value"
        at = tuple(pointer)
        above = [each for each in self.changes if at[: len(each.at)] == each.at]
        below = [each for each in self.changes if each.at[: len(at)] == at]
        if not above and not below:
            with_ = ", ".join(dict.fromkeys(str(each.overlay.path) for each in self.changes))
            return super().error(pointer, f"{reason}; so it is with {with_}" if with_ else reason)
        change = (above or below)[-1]
        return change.overlay.error(("actions", change.action), f"{address(at)}: {reason}")


def applied(overlays: Iterable[Document], content: Any) -> list[Change]:
    """Changes of `content`, which is edited; DocumentError for an overlay that can't be applied."""
    return [change for overlay in overlays for change in _Overlay(overlay).applied(content)]


class _Overlay:
    """One overlay of the right shape."""

    def __init__(self, file: Document) -> None:
        self._file = file
        shape = Schemas({}).schema(SHAPE)
        if not shape.is_valid(file.content):
            wrong = shape.errors(file.content, "")[0]
            at = next(shape.places(file.content))
            raise file.error(at, f"not an overlay: {wrong.name or 'it'} {wrong.message}")
        self._edits_single_values = not file.content["overlay"].startswith("1.0.")
        self._changes: list[Change] = []
        self._action = 0

    def applied(self, content: Any) -> list[Change]:
        """Changes of `content`, which is edited."""
        for number, action in enumerate(self._file.content["actions"]):
            self._action = number
            if not action.get("remove") and "update" not in action and "copy" not in action:
                raise self._error("", "changes nothing; give it update, remove: true or copy")
            if "copy" in action and not self._edits_single_values:
                raise self._error("copy", "needs overlay: 1.1.0")
            found = self._found(content, action["target"], "target")
            if action.get("remove"):
                for at in sorted(found, reverse=True):  # what is inside or behind comes first
                    self._remove(content, at)
            else:
                new = action["update"] if "update" in action else self._copied(content, action["copy"])
                for at in found:
                    self._update(content, at, new)
        return self._changes

    def _error(self, key: str, reason: str) -> DocumentError:
        return self._file.error(("actions", self._action, *([key] if key else [])), reason)

    def _found(self, content: Any, path: str, key: str) -> list[Pointer]:
        """Distinct places that a JSONPath selects, in order; none is an error."""
        from jsonpath_rfc9535 import JSONPathError

        query = self._query(path, key)
        try:
            found = [*dict.fromkeys(tuple(node.location) for node in query.find(content))]
        except JSONPathError as error:
            raise self._error(key, f"{path} can't be evaluated: {error}") from error
        if not found:
            raise self._error(key, f"{path} matches nothing{missing(query, content)}")
        for at in found:
            if not self._edits_single_values and not isinstance(value_at(content, at), dict | list):
                raise self._error(
                    key, f"{path} is a single value: select the object that has it, or write overlay: 1.1.0"
                )
        return found

    def _query(self, path: str, key: str) -> JSONPathQuery:
        query, why = compiled(path)
        if query is not None:
            return query
        advice = f"; write {mended}" if (mended := mend(path)) else ""
        raise self._error(key, f"{path} is not a JSONPath: {why}{advice}")

    def _copied(self, content: Any, path: str) -> Any:
        found = self._found(content, path, "copy")
        if len(found) > 1:
            raise self._error("copy", f"{path} matches {len(found)} values; it has to match one")
        return value_at(content, found[0])

    def _remove(self, content: Any, at: Pointer) -> None:
        if not at:
            raise self._error("target", "the whole document can't be removed")
        before = value_at(content, at)
        del value_at(content, at[:-1])[at[-1]]
        self._note(at, before, NOTHING)

    def _update(self, content: Any, at: Pointer, new: Any) -> None:
        old, new = value_at(content, at), _own(new)
        if isinstance(old, dict):
            self._merge(old, new, at)
        elif isinstance(old, list):
            self._extend(old, new, at)
        else:
            value_at(content, at[:-1])[at[-1]] = new
            self._note(at, old, new)

    def _merge(self, old: dict[str, Any], new: Any, at: Pointer) -> None:
        if not isinstance(new, dict):
            raise self._error("update", f"{address(at)} is an object: update it with one, or remove it first")
        for name, value in new.items():
            inner, here = old.get(name, NOTHING), (*at, name)
            if isinstance(inner, dict):
                self._merge(inner, value, here)
            elif isinstance(inner, list):
                if not isinstance(value, list):
                    raise self._error(
                        "update", f"{address(here)} is a list: update it with one, or remove it first"
                    )
                self._extend(inner, value, here)
            else:
                old[name] = value
                self._note(here, inner, value)

    def _extend(self, old: list[Any], new: Any, at: Pointer) -> None:
        for value in new if isinstance(new, list) else [new]:
            old.append(value)
            self._note((*at, len(old) - 1), NOTHING, value)

    def _note(self, at: Pointer, before: Any, after: Any) -> None:
        if before != after or type(before) is not type(after):
            self._changes.append(Change(self._file, self._action, at, before, after))


def _own(value: Any) -> Any:
    """Copy that shares nothing with the overlay, or with another target."""
    return orjson.loads(orjson.dumps(value))


def _brief(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
