"""Which sandbox a request is for: by a header, or by a prefix of its path."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Ask

SPACES = "/v1/spaces/"


def names(ask: Ask, path: str, **headers: str) -> list[str]:
    answer: Any = ask("GET", path + "?organization_id=org_abc123", headers=headers).json
    return [space["name"] for space in answer["spaces"]]


def test_what_is_made_in_a_sandbox_is_seen_there_alone(ask: Ask) -> None:
    ask(
        "POST",
        SPACES,
        json={"organization_id": "org_abc123", "name": "Mine"},
        headers={"X-Mock-Sandbox": "a-1"},
    )
    assert "Mine" in names(ask, SPACES, **{"X-Mock-Sandbox": "a-1"})
    assert "Mine" in names(ask, "/__sandbox/a-1/v1/spaces/")
    assert "Mine" not in names(ask, "/__sandbox/a-2/v1/spaces/")
    assert "Mine" not in names(ask, SPACES)


def test_the_control_api_works_behind_the_prefix_too(ask: Ask) -> None:
    answer: Any = ask("POST", "/__sandbox/a-3/__admin/reset").json
    assert answer["sandbox"] == "a-3"


def test_the_path_wins_over_the_header(ask: Ask) -> None:
    answer: Any = ask("POST", "/__sandbox/a-4/__admin/reset", headers={"X-Mock-Sandbox": "a-5"}).json
    assert answer["sandbox"] == "a-4"


def test_a_redirect_stays_in_the_sandbox(ask: Ask) -> None:
    assert ask("GET", "/__sandbox/a-6/v1/spaces").headers["Location"] == "/__sandbox/a-6/v1/spaces/"


@pytest.mark.parametrize("name", ["", "-", "a b", "ä", "x" * 65, "../a"])
def test_an_impossible_name_is_a_400_that_says_what_is_possible(ask: Ask, name: str) -> None:
    for path in (SPACES, "/__admin/clock"):
        answer = ask("GET", path, headers={"X-Mock-Sandbox": name.encode("utf-8").decode("latin-1")})
        assert answer.status_code == 400
        assert "1 to 64" in answer.headers["X-Mock-Reason"]
