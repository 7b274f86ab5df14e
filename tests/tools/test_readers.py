"""Linters, and generators of models and types, that read openapi.yaml of both revisions."""

from __future__ import annotations

import importlib
import json
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.freddy import HANDLERS
from tests.running import ROOT
from tests.tools.calls import answered, operations, prepared, served
from tests.tools.installed import VERSIONS, npm, pypi, run

pytestmark = pytest.mark.slow

BY_REVISION = pytest.mark.parametrize("revision", ["2026-02", "2026-05"])
STRICT = ("--strict", "--noEmit", "--target", "es2022")
OPTIONAL = ("--default-non-nullable", "false")


@BY_REVISION
def test_every_answer_fits_its_pydantic_model(
    revision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Models of datamodel-code-generator, most of which forbid more fields."""
    name = f"freddy_{revision.replace('-', '_')}"
    flags = ("--input-file-type", "openapi", "--output-model-type", "pydantic_v2.BaseModel")
    with served(revision, tmp_path) as (url, spec), prepared(url) as calls:
        made = ("--output", tmp_path / f"{name}.py", *flags, "--formatters", "builtin")
        run(pypi("datamodel-codegen"), "--input", spec, *made)
        monkeypatch.syspath_prepend(tmp_path)
        models = importlib.import_module(name)
        named = [call for call in calls if call["answer_schema"]]
        for call in named:
            getattr(models, call["answer_schema"]).model_validate(answered(url, call))
    assert len(named) > 45
    with pytest.raises(ValueError, match="organization_id"):
        models.Space.model_validate({"id": "space_1"})


@BY_REVISION
def test_every_example_of_a_body_fits_its_type(revision: str, tmp_path: Path) -> None:
    """Types of openapi-typescript; a body without its required field does not fit."""
    with served(revision, tmp_path) as (url, spec), prepared(url) as calls:
        file = tmp_path / "freddy.ts"
        run(npm("openapi-typescript"), spec, *OPTIONAL, "--output", file)
        bodies = {call["name"]: call["body"] for call in calls if call["body"]}
    assert len(bodies) > 10
    check(tmp_path, bodies, "A space needs a name.", ("createSpace", {"organization_id": "org_abc123"}))


def test_every_example_of_a_body_of_the_control_api_fits_its_type(tmp_path: Path) -> None:
    """By the command that docs/frontend.md shows."""
    spec = ROOT / "mockserver" / "admin" / "admin.yaml"
    run(npm("openapi-typescript"), spec, *OPTIONAL, "--output", tmp_path / "freddy.ts")
    document = yaml.safe_load(spec.read_bytes())
    bodies = {each.id: each.example for each in operations(document).values() if each.example}
    assert len(bodies) > 10
    check(tmp_path, bodies, "A clock is frozen at an instant.", ("setClock", {"freeze": 3}))


def check(folder: Path, bodies: dict[str, Any], why: str, wrong: tuple[str, Any]) -> None:
    """Check bodies by operation with the types in freddy.ts; `wrong` must not fit."""
    lines = ['import type { operations } from "./freddy";']
    for name, body in [*bodies.items(), wrong]:
        type_ = f'NonNullable<operations["{name}"]["requestBody"]>["content"]["application/json"]'
        lines.append(f"({json.dumps(body)}) satisfies {type_};")
    lines[-1] = f"// @ts-expect-error {why}\n{lines[-1]}"
    (folder / "bodies.ts").write_text("\n".join(lines), "utf-8")
    run(npm("tsc"), *STRICT, folder / "bodies.ts")


def lint(spec: Path, ruleset: Path) -> None:
    """Run Redocly with the rules of redocly.yaml, and Spectral with its own."""
    run(npm("redocly"), "lint", spec, "--config", ROOT / "redocly.yaml")
    ruleset.write_text('{"extends": "spectral:oas"}', "utf-8")
    run(npm("spectral"), "lint", spec, "--ruleset", ruleset, "--fail-severity", "error")


@BY_REVISION
def test_redocly_and_spectral_find_no_error(revision: str, tmp_path: Path) -> None:
    """But the slash at the end of the vendor's path, which redocly.yaml allows."""
    with served(revision, tmp_path) as (_, spec):
        lint(spec, tmp_path / "ruleset.json")


def test_redocly_finds_an_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text((ROOT / "openapi.yaml").read_text("utf-8").replace("operationId", "operation"), "utf-8")
    with pytest.raises(AssertionError, match="operation"):
        lint(broken, tmp_path / "ruleset.json")


def test_the_page_has_the_versions_that_are_run() -> None:
    page = (ROOT / "docs" / "tools.md").read_text("utf-8")
    pinned = tomllib.loads(VERSIONS.read_text("utf-8"))
    versions = {**pinned["pypi"], **pinned["npm"]}
    for name in ("typescript", "axe-core"):  # a compiler, and what tests of the page use
        versions.pop(name, None)
    for name in ("openapi-python-client", "schemathesis"):
        versions[name] = version(name)
    assert [name for name, value in versions.items() if value not in page] == []
    assert f"{len(HANDLERS)} of {len(HANDLERS)}" in page
