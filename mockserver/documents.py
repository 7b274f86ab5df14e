"""YAML documents read strictly: no duplicate keys, no dates, and every value knows its line."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import yaml


class DocumentError(Exception):
    """A file that can't be used; the text is one line: file, line, reason."""


class _Loader(yaml.CSafeLoader):
    """The C loader without dates (JSON has none) and with duplicate keys refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) != len(node.value):
            keys = [self.construct_object(key) for key, _ in node.value]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise yaml.MarkedYAMLError(problem=f"duplicate key {twice!r}", problem_mark=node.start_mark)
        return mapping


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


class Document:
    """A YAML file's content and the line of everything in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            loader = _Loader(path.read_bytes())
            self._node = loader.get_single_node()
            self.content: Any = None if self._node is None else loader.construct_document(self._node)
        except OSError as error:
            raise DocumentError(f"{path}: {error.strerror or error}") from error
        except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
            raise DocumentError(f"{path}:{_where(error)}") from error

    def line(self, pointer: Sequence[str | int]) -> int:
        """The line (from 1) of the value at `pointer`, or of its nearest parent that exists."""
        node = self._node
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
        """What is wrong at `pointer`, addressed by file, line and dotted path."""
        address = ".".join(map(str, pointer))
        return DocumentError(f"{self.path}:{self.line(pointer)}: {address + ': ' if address else ''}{reason}")


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or " ".join(str(error).split())
    return f"{mark.line + 1}: {reason}" if mark else f"1: {reason}"
