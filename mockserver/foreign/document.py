"""Foreign OpenAPI document: read from a folder, with a count of what is not understood."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

import orjson
import yaml

from mockserver.files import read_whole
from mockserver.foreign import keywords
from mockserver.foreign.patterns import is_pattern
from mockserver.foreign.place import ForeignPlace
from mockserver.foreign.shapes import mapping
from mockserver.openapi.keywords import METHODS
from mockserver.openapi.yaml_document import Document, DocumentError

MOST_BYTES = 128 << 20
"""Size of a file; more is not read."""
READ = (".yaml", ".yml", ".json")
"""Suffixes of files that are read if a document refers to them: some refer to texts and samples of code."""
FILES = "x-mock-files"
"""Key of the document under which its other files are."""
_BOOL = "tag:yaml.org,2002:bool"
_REF_TO_A_FILE = re.compile(rb'"\$ref"\s*:\s*"[^#]')


class _Yaml(yaml.CSafeLoader):
    """YAML 1.2 as far as documents need it: no dates, and only true and false are booleans."""


_Yaml.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":bool"))]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Yaml.add_implicit_resolver(_BOOL, re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


class ForeignDocument:
    """One document with the files that it refers to; DocumentError if it can't be read."""

    def __init__(self, place: ForeignPlace, overlays: Sequence[Document] = ()) -> None:
        self.name, self.prefix, self.path = place.name, place.prefix, place.file
        self._folder = place.file.resolve().parent
        self._digest = hashlib.sha256()
        self._contents: dict[str, Any] = {}
        """Files that are referred to, by their path within the folder."""
        self.files: list[Path] = []
        self.content: dict[str, Any] = self._read(place.file, "")
        self.changes: list[Any] = []
        """What the overlays changed; each is one line as text."""
        if overlays:
            self._overlay(overlays)
        if self._contents:
            self.content[FILES] = self._contents
        version = str(self.content.get("openapi", ""))
        if not version.startswith("3.") or not isinstance(self.content.get("paths", {}), dict):
            found = f"swagger {self.content['swagger']}" if "swagger" in self.content else "none"
            raise DocumentError(f"--also {self.path}: OpenAPI 3.0 or 3.1 is needed, found {found}")
        self.is_old = version.startswith("3.0")
        self.sha256 = self._digest.hexdigest()

    @property
    def served(self) -> dict[str, Any]:
        """Title, version, prefix and SHA-256 of all of its files."""
        info = mapping(self.content.get("info"))
        named = {name: str(info.get(name, "")) for name in ("title", "version")}
        return {**named, "prefix": self.prefix, "sha256": self.sha256}

    def _overlay(self, overlays: Sequence[Document]) -> None:
        from mockserver.openapi.overlay import applied  # most mocks have none

        self.content = json.loads(
            json.dumps(self.content)
        )  # aliases share what an overlay changes at one place
        self.changes = applied(overlays, self.content)
        for overlay in overlays:
            self._digest.update(overlay.text)

    def _read(self, file: Path, inside: str) -> dict[str, Any]:
        """Content of a file, its references within one document; `inside`: its path in the folder."""
        try:
            text = read_whole(file, MOST_BYTES)
            is_json = file.suffix.lower() == ".json"
            content = orjson.loads(text) if is_json else yaml.load(text, _Yaml)  # noqa: S506 - a safe loader
        except OSError as error:
            raise DocumentError(f"--also {file}: {error.strerror or error}") from error
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise DocumentError(f"--also {file}: {error}") from error
        if not isinstance(content, dict):
            raise DocumentError(f"--also {file}: an object is needed")
        self.files.append(file)
        self._digest.update(text)
        if inside:
            self._contents[inside] = content
        if inside or not is_json or _REF_TO_A_FILE.search(text):
            self._join(content, inside)
        return content

    def _join(self, content: Any, inside: str) -> None:
        """Make references between files references within the document, and all keys texts."""
        ahead, seen = [content], set[int]()
        while ahead:
            node = ahead.pop()
            if not isinstance(node, dict | list) or id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, list):
                ahead += node
                continue
            for key in [key for key in node if not isinstance(key, str)]:
                node[str(key).lower() if isinstance(key, bool) else str(key)] = node.pop(key)
            if isinstance(node.get("$ref"), str):
                node["$ref"] = self._joined(node["$ref"], inside)
            ahead += node.values()

    def _joined(self, ref: str, inside: str) -> str:
        """Reference within the document for one that is relative to a file."""
        target, _, pointer = ref.partition("#")
        if "://" in target or (target and PurePosixPath(unquote(target)).suffix.lower() not in READ):
            return ref
        beside = str(PurePosixPath(inside).parent / unquote(target)) if target else inside
        name = self._within(beside, ref) if target else inside
        if name and name not in self._contents:
            self._read(self._folder / name, name)
        return f"#/{FILES}/{_escaped(name)}{pointer}" if name else f"#{pointer}"

    def _within(self, name: str, ref: str) -> str:
        """Path of a file in the folder; empty for the document itself."""
        file = (self._folder / name).resolve()
        if not file.is_relative_to(self._folder):
            raise DocumentError(
                f"--also {self.path}: $ref {ref!r} leaves the folder of the document; bundle the files into "
                "one, for example with `redocly bundle`"
            )
        return "" if file == self.path.resolve() else file.relative_to(self._folder).as_posix()

    def target(self, ref: Any) -> Any:
        """What a reference stands for; None if there is nothing."""
        if not isinstance(ref, str) or not ref.startswith("#"):
            return None
        node: Any = self.content
        for step in ref[1:].split("/")[1:]:
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and key.isdigit():
                node = node[int(key)] if int(key) < len(node) else None
            else:
                node = node.get(key) if isinstance(node, dict) else None
        return node

    def resolved(self, node: Any) -> Any:
        """The node, or what its $ref stands for; an empty object if there is nothing."""
        for _ in range(50):
            if not isinstance(node, dict) or "$ref" not in node:
                break
            node = self.target(node["$ref"])
        return node if isinstance(node, dict) and "$ref" not in node else {}

    def operations(self) -> Iterator[tuple[str, str, Mapping[str, Any], Mapping[str, Any]]]:
        """Path, method, path item and operation of each operation."""
        for path, outer in self.content.get("paths", {}).items():
            item = self.resolved(outer)
            for method in METHODS:
                if path.startswith("/") and isinstance(item.get(method), dict):
                    yield path, method, item, item[method]

    def not_understood(self) -> dict[str, int]:
        """What of the document is not understood, and how often it is there."""
        counts: Counter[str] = Counter()
        ahead: list[Any] = [mapping(self.content.get("components")).get("schemas"), self._contents]
        ahead += [self.content.get("paths"), self.content.get("components")]
        schemas, seen = list(_values(ahead[0])), set[int]()
        while ahead:  # schemas are where `schema` is; everything else has none inside of it
            node = ahead.pop()
            if isinstance(node, list):
                ahead += node
            elif isinstance(node, dict) and id(node) not in seen:
                seen.add(id(node))
                if isinstance(node.get("$ref"), str) and not self.resolved(node):
                    counts["$ref to nothing in the folder"] += 1
                schemas += [node["schema"]] if isinstance(node.get("schema"), dict) else []
                skipped = ("schema", "schemas", "example", "examples")
                ahead += [value for key, value in node.items() if key not in skipped]
        self._count(schemas, counts)
        return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))

    def _count(self, schemas: list[Any], counts: Counter[str]) -> None:
        seen: set[int] = set()
        while schemas:
            node = schemas.pop()
            if not isinstance(node, dict) or id(node) in seen:
                continue
            seen.add(id(node))
            for key, value in node.items():
                if key == "$ref" and isinstance(value, str):
                    target = self.target(value)
                    if target is None:
                        counts["$ref to nothing in the folder, which allows anything"] += 1
                    schemas.append(target)
                elif key == "pattern" and not is_pattern(str(value)):
                    counts["pattern that is no regular expression"] += 1
                elif key == "format" and str(value) not in keywords.FORMATS:
                    counts[f"format {str(value)[:40]}"] += 1
                elif key not in keywords.KNOWN and not key.startswith("x-"):
                    counts[f"keyword {key[:40]}"] += 1
                schemas += keywords.inner(key, value)


def _values(node: Any) -> Iterator[Any]:
    yield from node.values() if isinstance(node, dict) else ()


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1").replace("%", "%25")
