"""`--overlay`: what is served, and what the commands and the control API say about it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mockserver.app import create_app
from mockserver.commands.cli import main
from mockserver.commands.reload import watched
from mockserver.settings import Settings, read_settings
from tests.fences import blocks
from tests.running import ROOT

OWNER = {"X-API-Key": "ak_demo_owner"}


def shown(kind: str, label: str = "") -> str:
    """A block of docs/overlays.md."""
    found = [
        each.text for each in blocks(ROOT / "docs/overlays.md") if (each.kind, each.label) == (kind, label)
    ]
    return found[0] + "\n"


@pytest.fixture
def staging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The overlay of docs/overlays.md, in the current folder."""
    monkeypatch.chdir(tmp_path)
    file = Path("staging.yaml")
    file.write_text(shown("yaml", "staging.yaml"), "utf-8")
    return file


def client_of(**settings: Any) -> Any:
    return create_app(Settings(quiet=True, **settings)).test_client()


def test_check_prints_what_the_overlay_of_the_docs_changes(staging: Path) -> None:
    done = CliRunner().invoke(main, ["check", "--overlay", str(staging)])
    assert (done.exit_code, done.output) == (0, shown("text"))


def test_an_overlay_is_served_and_named_by_health_and_state(staging: Path) -> None:
    """The limit is the overlay's; the hash of the document stays, with that of the overlay beside it."""
    client, plain = client_of(overlay=(staging,)), client_of()
    body = {"organization_id": "org_abc123", "name": "n" * 61}
    answers = [each.post("/v1/spaces/", headers=OWNER, json=body) for each in (client, plain)]
    assert [answer.status_code for answer in answers] == [422, 201]
    served = client.get("/__admin/health").json["spec"]
    assert [each["title"] for each in served.pop("overlays")] == ["Our staging server"]
    assert served == plain.get("/__admin/health").json["spec"]
    assert client.get("/__admin/state").json["spec"]["overlays"][0]["version"] == "2026-11-30"


def test_a_wrong_overlay_is_one_line_and_exit_code_2(staging: Path) -> None:
    staging.write_text(
        staging.read_text("utf-8").replace("schemas.SpaceCreate", "schemas.SpacesCreate"), "utf-8"
    )
    done = CliRunner().invoke(main, ["check", "--overlay", str(staging)])
    assert done.exit_code == 2
    assert done.output.startswith(
        "mockserver: staging.yaml:9: actions.1.target: $.components.schemas.SpacesCreate"
    )
    assert "is 'SpaceCreate' meant?" in done.output


def test_several_overlays_come_from_flags_or_the_variable_and_are_watched(
    staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCK_OVERLAY", f"{staging},more.yaml")
    settings = read_settings({})
    assert settings.overlay == (staging, Path("more.yaml"))
    assert staging in watched(settings)


def test_without_overlays_nothing_is_imported_for_them() -> None:
    program = "from mockserver.app import create_app; create_app(); import sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert not {"jsonpath_rfc9535", "mockserver.openapi.overlay"} & {*done.stdout.split()}


NEW = {
    "a": ({"type": "string", "x-mock-value": "a", "default": "b"}, "a"),
    "b": ({"type": ["string", "null"], "default": "b"}, "b"),
    "c": ({"const": 4}, 4),
    "d": ({"type": ["string", "null"], "enum": ["c", None]}, None),
    "e": ({"anyOf": [{"$ref": "#/components/schemas/SpaceId"}, {"type": "null"}]}, None),
    "f": ({"type": "string", "enum": ["c", "d"]}, "c"),
    "g": ({"$ref": "#/components/schemas/AccessMode"}, "private"),
}
"""Schema of a new required field, and the value that it is filled with."""


def requiring(folder: Path, fields: dict[str, Any], *targets: str) -> Path:
    """An overlay that makes these fields required."""
    file = folder / "new.yaml"
    update = {"required": [*fields], "properties": fields}
    actions = [{"target": f"$.components.schemas.{target}", "update": update} for target in targets]
    head = {"overlay": "1.0.0", "info": {"title": "New", "version": "1"}}
    file.write_text(json.dumps({**head, "actions": actions}), "utf-8")
    return file


def test_new_required_fields_are_served_at_once_with_the_demo(tmp_path: Path) -> None:
    """In every answer that has the object, stored before or made now, in lists, streams and examples."""
    fields, expected = ({name: each[place] for name, each in NEW.items()} for place in (0, 1))
    targets = ("Space", "Thread", "ListedThread", "StreamEvent.oneOf[0]")
    client = client_of(overlay=(requiring(tmp_path, fields, *targets),))
    body = {"organization_id": "org_abc123", "name": "S"}
    question = {"inputs": [{"role": "user", "content": "?"}], "stream": True}
    events = client.post("/v1/model/response", headers=OWNER, json=question).text
    found = [
        client.post("/v1/spaces/", headers=OWNER, json=body).json,
        client.get("/v1/threads/thrd_abc123", headers=OWNER).json,
        *client.get("/v1/spaces/space_team/threads?limit=2", headers=OWNER).json["data"],
        client.get("/v1/threads/thrd_abc123", headers={**OWNER, "Prefer": "code=200"}).json,
        json.loads(events.splitlines()[1].removeprefix("data: ")),
    ]
    assert [{name: each[name] for name in NEW} for each in found] == [expected] * 6


def test_a_required_field_without_any_value_is_named_at_the_start(tmp_path: Path) -> None:
    file = requiring(tmp_path, {"new": {"type": "string"}}, "Thread")
    done = CliRunner().invoke(main, ["check", "--overlay", str(file)])
    assert (done.exit_code, '"new" is a required property' in done.output) == (2, True)
    assert "x-mock-value" in done.output
