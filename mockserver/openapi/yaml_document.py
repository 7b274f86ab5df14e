"""Strict YAML: plain JSON values, no duplicate keys, and the line of every value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import yaml


class DocumentError(Exception):
    """Unusable file; the text is one line: file, line, reason."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.split()))


_TAG = "tag:yaml.org,2002:"
_TEXT, _MERGE, _MAP, _LIST = (_TAG + name for name in ("str", "merge", "map", "seq"))


class _Loader(yaml.CSafeLoader):
    """C loader without dates (JSON has none) that refuses duplicate keys."""

    def plain(self, node: yaml.Node, seen: dict[yaml.Node, Any]) -> Any:
        """Value of the node, in a third of the time of the generic constructor; `seen` is for aliases."""
        if node.tag == _TEXT and isinstance(node, yaml.ScalarNode):
            return node.value
        if node in seen:
            return seen[node]
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
        return self.construct_document(node)

    def _refuse_bad_keys(self, node: yaml.Node) -> None:
        seen = set()
        for key, _ in node.value:
            if key.tag not in (_TEXT, _MERGE):
                raise _error_at(f"key {getattr(key, 'value', '')!r} must be a string; quote it", key)
            if key.value in seen:
                raise _error_at(f"duplicate key {key.value!r}", key)
            seen.add(key.value)

    def construct_finite(self, node: yaml.ScalarNode) -> float:
        """JSON has no infinity."""
        number = self.construct_yaml_float(node)
        if not math.isfinite(number):
            raise _error_at(f"{node.value} is not a finite number", node)
        return number


def _error_at(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TAG + "timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}
_Loader.add_constructor(_TAG + "float", _Loader.construct_finite)


class Document:
    """Content of a YAML file, and the line of every value."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._text = path.read_bytes()
            loader = _Loader(self._text)
            node = loader.get_single_node()
            self.content: Any = None if node is None else loader.plain(node, {})
            orjson.dumps(self.content)  # refuses cycles and values that JSON can't represent
        except OSError as error:
            raise DocumentError(f"{path}: {error.strerror or error}") from error
        except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
            raise DocumentError(f"{path}:{_where(error)}") from error

    def line(self, pointer: Sequence[str | int]) -> int:
        """Line (from 1) of the value at `pointer`, or of its nearest existing parent."""
        # Parsed again, only for an error: keeping the nodes would take many times the memory.
        node = _Loader(self._text).get_single_node()
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
