"""A scenario is loaded whole or refused in one line with file, line and reason."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.app import create_app, load
from mockserver.openapi.record_shapes import RecordShapes
from mockserver.openapi.spec import Spec
from mockserver.openapi.yaml_document import DocumentError
from mockserver.scenarios import loader
from mockserver.settings import Settings
from tests.engine.mutants import mutants

DEMO = yaml.load((resources.files("mockserver.scenarios") / "demo.yaml").read_bytes(), yaml.CSafeLoader)
SHAPES = RecordShapes(Spec(Path(__file__).parent.parent / "openapi.yaml").component)


def outcome(folder: Path, content: Any) -> str:
    """Why it was refused; empty if it was not."""
    path = folder / "world.yaml"
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1), "utf-8")
    try:
        loader.load(str(path), SHAPES)
    except DocumentError as error:
        return str(error).removeprefix(f"{path}:")
    return ""


ORGANIZATION = {"id": "org_a", "name": "A", "roles": [{"id": "r1", "name": "R"}]}
USER = {"id": "usr_a", "name": "U", "keys": [{"key": "key_a"}], "member_of": [{"organization": "org_a"}]}


def small(**parts: Any) -> dict[str, Any]:
    """One organization with one user, and `parts`."""
    return {"organizations": [ORGANIZATION], "users": [USER], **parts}


WHEN = "2026-02-26T10:00:00Z"
NEVER = "2026-13-45T10:00:00Z"
LINK = {"id": "thrd_1", "added_at": WHEN}
THREAD = {"id": "thrd_1", "organization_id": "org_a", "user_id": "usr_a", "created_at": WHEN}
STORE = {
    "id": "vs_2",
    "organization_id": "org_a",
    "created_by": "usr_a",
    "name": "V",
    "created_at": WHEN,
}
SPACE = {
    "id": "space_1",
    "organization_id": "org_a",
    "created_by": "usr_a",
    "name": "S",
    "vector_store_id": "vs_1",
    "created_at": WHEN,
}


@pytest.mark.parametrize("name", loader.names())
def test_every_scenario_of_ours_starts(name: str) -> None:
    assert create_app(Settings(scenario=name, quiet=True)).sandboxes.get().data.name == name


def test_a_file_is_a_scenario_too(tmp_path: Path) -> None:
    assert outcome(tmp_path, small(threads=[THREAD], spaces=[SPACE])) == ""


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "1: "),
        ("- 1", "1: "),
        ("users: [", "did not find expected"),
        (small(spaecs=[]), "spaecs: Extra inputs are not permitted"),
        (small(users=None), "users: "),
        (small(faults=[{"operation": "getThread", "error": {"status": 200}}]), "faults.0.error.status"),
        (small(replies=[{"text": ""}]), "replies.0.text"),
        (small(threads=[THREAD, THREAD]), "threads.1: 'thrd_1' is here twice"),
        (small(threads=[THREAD | {"user_id": "usr_x"}]), "threads.0: user 'usr_x' is not in this file"),
        (small(threads=[THREAD | {"created_at": "yesterday"}]), "threads.0.created_at: "),
        (small(threads=[THREAD | {"created_at": "2026-02-30T10:00:00Z"}]), "created_at: '2026-02-30T"),
        (
            small(spaces=[SPACE | {"threads": [{"id": "thrd_1", "added_at": "2026-13-45T10:00:00Z"}]}]),
            "added_at",
        ),
        (small(organizations=[ORGANIZATION, ORGANIZATION]), "organization 'org_a' is here twice"),
        (small(users=[USER | {"member_of": [{"organization": "org_a"}] * 2}]), "membership of 'org_a'"),
        (
            small(
                organizations=[ORGANIZATION, {"id": "org_b", "name": "B"}],
                threads=[THREAD],
                spaces=[
                    SPACE | {"organization_id": "org_b", "threads": [{"id": "thrd_1", "added_at": WHEN}]}
                ],
            ),
            "'thrd_1' belongs to org_a, space_1 to org_b",
        ),
        (
            small(
                spaces=[SPACE | {"vector_stores": [{"id": "vs_1", "added_by": "usr_a", "added_at": WHEN}]}]
            ),
            "'vs_1' is a space's own store",
        ),
        (small(spaces=[SPACE | {"organization_id": "org_x"}]), "organization 'org_x' is not in this file"),
        (small(spaces=[SPACE | {"access_mode": "secret"}]), "spaces.0: not a valid Space"),
        (small(users=[USER | {"id": "ada"}]), "users.0.id: not a valid UserId"),
        (small(organizations=[ORGANIZATION | {"id": "acme"}]), "organizations.0.id: not a valid Organ"),
        (small(vector_stores=[STORE | {"name": ""}]), "vector_stores.0: not a valid VectorStore: "),
        (small(vector_stores=[STORE | {"id": "mine"}]), "vector_stores.0: not a valid VectorStore: "),
        (small(users=[USER | {"keys": [{"key": "no header"}]}]), "users.0.keys.0.key: "),
        (small(users=[USER | {"keys": [{"key": "clé-à-moi"}]}]), "users.0.keys.0.key: "),
        (small(spaces=[SPACE | {"visible_to_roles": ["r2"]}]), "visible_to_roles 'r2' is not in this file"),
        (
            small(spaces=[SPACE | {"threads": [{"id": "thrd_9", "added_at": WHEN}]}]),
            "thread 'thrd_9'",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path: Path, content: Any, reason: str) -> None:
    text = outcome(tmp_path, content)
    assert reason in text
    assert text.split(":")[0].isdigit()
    assert len(text.splitlines()) == 1


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DocumentError, match=r"^no scenario 'dmeo': give one of demo, empty"):
        load(Settings(scenario="dmeo"))


def test_a_fault_of_no_operation_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    faults = [{"operation": "nope", "error": {"status": 429}}]
    file.write_text(yaml.safe_dump(small(faults=faults)), "utf-8")
    with pytest.raises(DocumentError, match="faults: 'nope' is no operation"):
        load(Settings(scenario=str(file)))


@pytest.mark.slow
def test_a_damaged_scenario_is_loaded_or_refused_in_one_line(tmp_path: Path) -> None:
    """Whatever value is deleted or replaced: DocumentError or nothing, never another exception."""
    few = {**DEMO, "threads": DEMO["threads"][:14], "spaces": DEMO["spaces"][:4]}
    few["spaces"] = [space for space in few["spaces"] if len(space["threads"]) < 10]
    assert outcome(tmp_path, few) == ""
    reasons = [reason for mutant in mutants(few, 250) if (reason := outcome(tmp_path, mutant))]
    assert len(reasons) > 50
    assert not [reason for reason in reasons if "\n" in reason]
