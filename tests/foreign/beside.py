"""Small documents of tests, served beside the vendor's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from flask.testing import FlaskClient

from mockserver.app import create_app
from mockserver.foreign.document import ForeignDocument
from mockserver.foreign.generator import generate
from mockserver.foreign.place import ForeignPlace
from mockserver.foreign.schemas import ANSWER, ForeignSchemas
from mockserver.settings import Settings


def written(folder: Path, content: Any, name: str = "other.yaml") -> Path:
    """The file of a document; `content`: YAML, or values."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False), "utf-8"
    )
    return file


def of_paths(paths: Mapping[str, Any], *, openapi: str = "3.1.0", **more: Any) -> dict[str, Any]:
    """A document with these paths."""
    return {"openapi": openapi, "info": {"title": "Other", "version": "1"}, "paths": dict(paths), **more}


def answering(schema: Any, *, openapi: str = "3.1.0", **components: Any) -> dict[str, Any]:
    """A document whose GET /thing answers with a schema; `components`: other schemas by name."""
    content = {"application/json": {"schema": schema}}
    get = {"responses": {"200": {"description": "", "content": content}}}
    return of_paths({"/thing": {"get": get}}, openapi=openapi, components={"schemas": components})


def client(folder: Path, content: Any, prefix: str = "", **settings: Any) -> FlaskClient:
    """Client of a mock that serves a document as `other`."""
    also = f"other={written(folder, content)}" + (f"@{prefix}" if prefix else "")
    app = create_app(Settings(also=(also,), quiet=True, freeze="2026-02-26T10:30:00Z", **settings))
    app.testing = True
    return app.test_client(use_cookies=False)


def values(
    folder: Path, schema: Any, count: int = 20, *, openapi: str = "3.1.0", **components: Any
) -> list[Any]:
    """Values that are generated for a schema at several places; each is valid."""
    place = ForeignPlace("other", written(folder, answering(schema, openapi=openapi, **components)), "")
    document = ForeignDocument(place)
    node = document.content["paths"]["/thing"]["get"]["responses"]["200"]["content"]["application/json"]
    whole, compiled = ForeignSchemas(document, {}).schema(node["schema"], ANSWER)
    return [generate(whole, compiled.is_valid, str(number)) for number in range(count)]
