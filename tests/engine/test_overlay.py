"""Overlays change a document as OpenAPI Overlay 1.0 and 1.1 say, and nothing else, or one line says why."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.app import bundled_spec
from mockserver.openapi.overlay import NOTHING, OverlaidDocument
from mockserver.openapi.spec import Spec
from mockserver.openapi.yaml_document import Document, DocumentError
from tests.engine.small import document, written

GET = "$.paths['/things/{id}'].get"
CONTENT = {
    "info": {"title": "Small", "x-note": "one\ntwo\n", "x-when": "2026-02-26T10:30:00Z"},
    "tags": ["a", "b", "a"],
    "paths": {"/v1/things": {"get": {"x-evidence": "sdk", "limit": 1}, "post": {"limit": 2}}},
}


def overlay(folder: Path, *actions: dict[str, Any], version: str = "1.1.0", name: str = "overlay") -> Path:
    """An overlay of these actions, each on a line of its own."""
    lines = [f"overlay: {version}", "info: {title: Ours, version: '1'}", "actions:"]
    path = folder / f"{name}.yaml"
    path.write_text("\n".join([*lines, *(f"- {json.dumps(action)}" for action in actions)]), "utf-8")
    return path


def applied(folder: Path, *actions: dict[str, Any], version: str = "1.1.0") -> Any:
    """CONTENT after the actions."""
    base = folder / "base.yaml"
    base.write_text(yaml.safe_dump(CONTENT, sort_keys=False), "utf-8")
    overlays = [Document(overlay(folder, *actions, version=version))]
    return OverlaidDocument(Document(base), overlays).content


def refusal(folder: Path, *actions: dict[str, Any], version: str = "1.1.0") -> str:
    """Why the actions can't be applied, without the folder."""
    with pytest.raises(DocumentError) as error:
        applied(folder, *actions, version=version)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value).removeprefix(f"{folder}/")


@pytest.mark.parametrize(
    ("action", "place", "value"),
    [
        ({"target": "$.info", "update": {"title": "New"}}, ("info", "title"), "New"),
        ({"target": "$", "update": {"x-new": {"a": [1]}}}, ("x-new",), {"a": [1]}),
        ({"target": "$.paths.*.*", "update": {"limit": 9}}, ("paths", "/v1/things", "post", "limit"), 9),
        ({"target": "$.info.title", "update": None}, ("info", "title"), None),
        ({"target": "$.tags", "update": "c"}, ("tags",), ["a", "b", "a", "c"]),
        ({"target": "$.tags", "update": ["c", "d"]}, ("tags",), ["a", "b", "a", "c", "d"]),
        ({"target": "$", "update": {"tags": ["c"]}}, ("tags",), ["a", "b", "a", "c"]),
        ({"target": "$.tags[?@=='a']", "remove": True}, ("tags",), ["b"]),
        ({"target": "$.tags[0,1]", "remove": True, "update": "x"}, ("tags",), ["a"]),
        (
            {"target": "$.paths..[?@['x-evidence']=='sdk']", "remove": True},
            ("paths", "/v1/things"),
            {"post": {"limit": 2}},
        ),
        (
            {"target": "$.info", "copy": "$.paths['/v1/things'].post"},
            ("info",),
            {**CONTENT["info"], "limit": 2},  # type: ignore[dict-item]
        ),
    ],
)
def test_an_action_changes_its_target_and_nothing_else(
    tmp_path: Path, action: dict[str, Any], place: tuple[str, ...], value: Any
) -> None:
    """Update merges objects, appends to lists and replaces single values; remove and copy do as they say."""
    found, base = applied(tmp_path, action), deepcopy(CONTENT)
    for content in (found, base):
        *above, last = place
        for step in above:
            content = content[step]
        assert content is not found or content.get(last, NOTHING) == value
        content.pop(last, None)
    if "paths.*.*" not in action["target"]:
        assert json.dumps(found) == json.dumps(base)


def test_actions_are_applied_in_order_each_to_what_the_one_before_left(tmp_path: Path) -> None:
    rename: list[dict[str, Any]] = [
        {"target": "$.paths", "update": {"/v2/things": {}}},
        {"target": "$.paths['/v2/things']", "copy": "$.paths['/v1/things']"},
        {"target": "$.paths['/v1/things']", "remove": True},
        {"target": "$.paths['/v2/things'].get", "update": {"limit": 3}},
    ]
    assert applied(tmp_path, *rename)["paths"] == {
        "/v2/things": {"get": {"x-evidence": "sdk", "limit": 3}, "post": {"limit": 2}}
    }


def test_an_overlay_never_changes_the_file_nor_what_other_documents_share(tmp_path: Path) -> None:
    """Two documents of the same text share their content, and so do two targets and their update."""
    path = written(tmp_path, document())
    before = deepcopy(Document(path).content)
    kept = Document(path)
    extra = overlay(tmp_path, {"target": f"{GET}.responses.*", "update": {"x-list": []}})
    more = overlay(tmp_path, {"target": f"{GET}.responses['200']['x-list']", "update": 1}, name="more")
    spec = Spec(path, overlays=[extra, more])
    responses = spec.document["paths"]["/things/{id}"]["get"]["responses"]
    assert (responses["200"]["x-list"], responses["204"]["x-list"]) == ([1], [])
    assert kept.content == before == Spec(path).document


def test_an_overlay_of_our_document_leaves_everything_else_untouched(tmp_path: Path) -> None:
    """Newlines of texts, quoted times and the order of keys stay: without the change, the JSON is equal."""
    extra = overlay(tmp_path, {"target": "$.info", "update": {"x-ours": 1}})
    content = dict(Spec(bundled_spec(), overlays=[extra]).document)
    content["info"] = {k: v for k, v in content["info"].items() if k != "x-ours"}
    assert json.dumps(content) == json.dumps(Document(bundled_spec()).content)


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ({"target": "$.paths[?@.x-evidence]", "remove": True}, "write $.paths[?@['x-evidence']]"),
        ({"target": "$.paths./v1/things.get", "remove": True}, "write $.paths['/v1/things'].get"),
        ({"target": "paths.*", "remove": True}, "write $.paths.*"),
        ({"target": "$.tags.0", "remove": True}, "write $.tags[0]"),
        ({"target": "$.paths[", "remove": True}, "$.paths[ is not a JSONPath"),
        (
            {"target": "$.paths['/v1/thing'].get", "remove": True},
            "matches nothing: $['paths'] has no ['/v1/thing']; is '/v1/things' meant?",
        ),
        ({"target": "$.tags[7]", "remove": True}, "matches nothing: $['tags'] has no [7]"),
        ({"target": "$", "remove": True}, "the whole document can't be removed"),
        ({"target": "$.info"}, "changes nothing; give it update, remove: true or copy"),
        ({"target": "$.info", "update": 1}, "$['info'] is an object: update it with one"),
        ({"target": "$", "update": {"tags": 1}}, "$['tags'] is a list: update it with one"),
        ({"target": "$.info", "copy": "$.paths.*.*"}, "$.paths.*.* matches 2 values; it has to match one"),
        ({"target": "$.info", "copy": "$.nothing"}, "matches nothing: $ has no ['nothing']"),
        ({"target": "$.info", "updates": {}}, "actions.1.updates is not a known field"),
        ({"update": {}}, "actions.1.target is required"),
    ],
)
def test_a_refusal_names_file_line_action_and_the_mend(
    tmp_path: Path, action: dict[str, Any], reason: str
) -> None:
    text = refusal(tmp_path, {"target": "$.info", "update": {"title": "New"}}, action)
    assert text.startswith("overlay.yaml:5: actions.1")
    assert reason in text


def test_version_1_0_has_no_copy_and_no_single_values(tmp_path: Path) -> None:
    copy = {"target": "$.info", "copy": "$.paths"}
    single = {"target": "$.info.title", "update": "New"}
    assert "needs overlay: 1.1.0" in refusal(tmp_path, copy, version="1.0.0")
    assert "select the object that has it" in refusal(tmp_path, single, version="1.0.0")
    assert "overlay" in refusal(tmp_path, single, version="2.0.0")


def test_what_an_overlay_breaks_is_reported_at_its_action(tmp_path: Path) -> None:
    """A mistake in the changed document is the overlay's: file and line are those of the action."""
    path = written(tmp_path, document())
    fine = {"target": "$.info", "update": {"title": "New"}}
    for wrong, where, reason in (
        ({"target": GET, "update": {"callbacks": {}}}, "overlay.yaml:5: actions.1", "unknown keyword"),
        (
            {"target": f"{GET}.parameters[0]", "remove": True},
            "overlay.yaml:5: actions.1",
            "parameters are []",
        ),
        ({"target": "$.components.schemas.Thing", "remove": True}, "spec.yaml:", f"so it is with {tmp_path}"),
    ):
        extra = overlay(tmp_path, fine, wrong)
        with pytest.raises(DocumentError) as error:
            Spec(path, overlays=[extra])
        assert str(error.value).startswith(f"{tmp_path}/{where}")
        assert reason in str(error.value)


def test_a_document_with_overlays_is_served_by_its_own_hash_and_theirs(tmp_path: Path) -> None:
    """Without overlays nothing is added, so that what was exported before is still read."""
    path = written(tmp_path, document())
    extra = overlay(tmp_path, {"target": "$.info", "update": {"version": "2"}})
    plain, changed = Spec(path).served, Spec(path, overlays=[extra]).served
    assert set(plain) == {"title", "version", "sha256"}
    assert (changed["version"], changed["sha256"]) == ("2", plain["sha256"])
    assert [each["title"] for each in changed["overlays"]] == ["Ours"]


def test_each_change_is_a_line_with_file_place_and_values(tmp_path: Path) -> None:
    path = written(tmp_path, document())
    extra = overlay(
        tmp_path,
        {"target": GET, "update": {"summary": "It"}},
        {"target": f"{GET}.responses['204']", "remove": True},
        {"target": "$.info", "update": {"title": "Small"}},
    )
    assert [str(each).removeprefix(f"{extra}:") for each in Spec(path, overlays=[extra]).changes] == [
        """4: $['paths']['/things/{id}']['get']['summary']: +"It\"""",
        """5: $['paths']['/things/{id}']['get']['responses']['204']: -{"description":"Nothing."}""",
    ]
