"""Strict YAML: plain JSON values, no duplicate keys, and the line of every value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import orjson
import yaml

from mockserver.files import read_whole
from mockserver.openapi.parsed_cache import ParsedCopy


class DocumentError(Exception):
    """Unusable file; the text is one line: file, line, reason."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.split()))


MOST_BYTES = 16 << 20
"""Size of a file; more is not read."""
MOST_VALUES = 500_000
"""Values and keys as written: each takes about a kilobyte while it is read."""
DEEPEST = 200
"""Levels of lists and objects; the C library would overflow the stack at some thousands."""
MOST_EXPANDED = 48 << 20
"""Size with every alias and merge written out: the length of each text, and _EACH for each value."""
_EACH = 64
_LONGEST_NUMBER = 400
"""Characters; longer ones take quadratic time, and no JSON number needs as many."""
_TAG = "tag:yaml.org,2002:"
_TEXT, _MERGE, _MAP, _LIST = (_TAG + name for name in ("str", "merge", "map", "seq"))
_SCALARS = {_TAG + name for name in ("int", "float", "bool", "null")}
_BUNDLED = Path(__file__).resolve().parents[1]
_OPENING = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_CLOSING = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


class _Loader(yaml.CSafeLoader):
    """C loader without dates (JSON has none) that refuses duplicate keys."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self._expanded = 0
        self._sizes: dict[yaml.Node, int] = {}

    def plain(self, node: yaml.Node, seen: dict[yaml.Node, Any]) -> Any:
        """Value of the node, in a third of the time of the generic constructor; `seen` is for aliases."""
        if node in seen:
            if node not in self._sizes:
                raise _error_at("an alias within what it stands for", node)
            self._add(self._sizes[node], node)
            return seen[node]
        if isinstance(node, yaml.ScalarNode):
            self._add(_EACH + len(node.value), node)
            return node.value if node.tag == _TEXT else self._scalar(node)
        begin, value = self._expanded, self._collection(node, seen)
        self._sizes[node] = self._expanded - begin
        return value

    def _collection(self, node: yaml.Node, seen: dict[yaml.Node, Any]) -> Any:
        self._add(_EACH, node)
        if node.tag == _MAP and isinstance(node, yaml.MappingNode):
            self._refuse_bad_keys(node)
            self.flatten_mapping(node)
            found: dict[str, Any] = {}
            seen[node] = found
            found.update((key.value, self.plain(value, seen)) for key, value in node.value)
            return found
        if node.tag == _LIST and isinstance(node, yaml.SequenceNode):
            listed: list[Any] = []
            seen[node] = listed
            listed.extend(self.plain(value, seen) for value in node.value)
            return listed
        raise _error_at(f"JSON has no {node.tag}", node)

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        if node.tag not in _SCALARS or len(node.value) > _LONGEST_NUMBER:
            raise _error_at(f"JSON has no {node.tag.removeprefix(_TAG)} like {node.value[:40]!r}", node)
        return self.construct_document(node)

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Resolve merge keys, as the parent does; count what they copy, and drop what is overridden."""
        merges = [value for key, value in node.value if key.tag == _MERGE]
        for merge in merges:
            for source in merge.value if isinstance(merge, yaml.SequenceNode) else [merge]:
                if isinstance(source, yaml.MappingNode):
                    self._refuse_bad_keys(source)
                    self.flatten_mapping(source)
                    self._add(_EACH * len(source.value), merge)
        if merges:
            super().flatten_mapping(node)
            node.value = list({key.value: (key, value) for key, value in node.value}.values())

    def _add(self, size: int, node: yaml.Node) -> None:
        self._expanded += size
        if self._expanded > MOST_EXPANDED:
            raise _error_at(f"aliases and merges make more than {MOST_EXPANDED >> 20} MiB of it", node)

    def _refuse_bad_keys(self, node: yaml.Node) -> None:
        seen = set()
        for key, _ in node.value:
            if key.tag not in (_TEXT, _MERGE):
                shown = repr(key.value) if isinstance(key, yaml.ScalarNode) else "that is a list or an object"
                raise _error_at(f"key {shown} must be a string; quote it", key)
            if key.value in seen:
                raise _error_at(f"duplicate key {key.value!r}", key)
            seen.add(key.value)

    def construct_finite(self, node: yaml.ScalarNode) -> float:
        """JSON has no infinity."""
        number = self.construct_yaml_float(node)
        if not math.isfinite(number):
            raise _error_at(f"{node.value} is not a finite number", node)
        return number


def _refuse_bombs(text: bytes) -> None:
    """YAMLError for too many levels or values, before nodes are made of them: that recurses in C."""
    events = _Loader(text)
    depth = count = 0
    while not isinstance(event := events.get_event(), yaml.StreamEndEvent):
        count += 1
        depth += isinstance(event, _OPENING) - isinstance(event, _CLOSING)
        if depth > DEEPEST:
            raise _error_at(f"more than {DEEPEST} levels", event)
        if count > MOST_VALUES:
            raise _error_at(f"more than {MOST_VALUES:,} values", event)


def _error_at(problem: str, node: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TAG + "timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}
_Loader.add_constructor(_TAG + "float", _Loader.construct_finite)


class _Parsed:
    """Text and its value, which documents of the same text share while one of them is in use."""

    def __init__(self, text: bytes, bundled: Path | None) -> None:
        """`bundled`: the file, if it is one of the package."""
        self.text = text
        if bundled is None:
            _refuse_bombs(text)
            self.content = _parse(text)[0]
            return
        copy = ParsedCopy(bundled, text, __file__)
        self.content = copy.read()
        if self.content is None:
            self.content, whole = _parse(text)
            copy.write(whole)


def _parse(text: bytes) -> tuple[Any, bytes]:
    """The value and its JSON; ValueError or TypeError for cycles and values that JSON can't represent."""
    loader = _Loader(text)
    node = loader.get_single_node()
    value = None if node is None else loader.plain(node, {})
    return value, orjson.dumps(value)


_IN_USE: WeakValueDictionary[bytes, _Parsed] = WeakValueDictionary()
"""By text."""


class Document:
    """Content of a YAML file, and the line of every value; the content is not to be changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        beside = (_BUNDLED.parent / "openapi.yaml", _BUNDLED.parent / "overlays" / path.name)
        is_bundled = path.is_relative_to(_BUNDLED) or path in beside
        try:
            text = read_whole(path, MOST_BYTES)
            self._parsed = _IN_USE.get(text) or _Parsed(text, path if is_bundled else None)
        except OSError as error:
            raise DocumentError(f"{path}: {error.strerror or error}") from error
        except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
            raise DocumentError(f"{path}:{_where(error)}") from error
        _IN_USE[text] = self._parsed
        self.text, self.content = text, self._parsed.content

    def line(self, pointer: Sequence[str | int]) -> int:
        """Line (from 1) of the value at `pointer`, or of its nearest existing parent."""
        # Parsed again, only for an error: keeping the nodes would take many times the memory.
        node = _Loader(self.text).get_single_node()
        for step in pointer:
            if isinstance(node, yaml.MappingNode):
                inner = next((v for k, v in node.value if k.value == str(step)), None)
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                inner = node.value[step] if step < len(node.value) else None
            else:
                inner = None
            if inner is None:
                break
            node = inner
        return 1 if node is None else node.start_mark.line + 1

    def error(self, pointer: Sequence[str | int], reason: str) -> DocumentError:
        """Error at `pointer`, addressed by file, line and dotted path."""
        address = ".".join(map(str, pointer))
        return DocumentError(f"{self.path}:{self.line(pointer)}: {address + ': ' if address else ''}{reason}")


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    parts = [getattr(error, "context", None), getattr(error, "problem", None)]
    reason = ", ".join(filter(None, parts)) or str(error)
    return f"{mark.line + 1}: {reason}" if mark else f"1: {reason}"
