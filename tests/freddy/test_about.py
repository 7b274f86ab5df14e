"""The journal as an archive, and the lists of what the mock can start from and was started with."""

from __future__ import annotations

from typing import Any

from mockserver.app import create_app
from mockserver.settings import Settings
from tests.conftest import Ask


def test_the_journal_is_an_archive_that_browsers_open(ask: Ask) -> None:
    ask("GET", "/v1/threads?limit=x&api_key=ak_demo_owner")
    ask("POST", "/v1/spaces/", json={"organization_id": "org_abc123", "name": "Osaka"})
    log: Any = ask("GET", "/__admin/requests/har").get_json()["log"]
    first, second = log["entries"]
    assert (log["version"], first["request"]["url"]) == (
        "1.2",
        "http://localhost/v1/threads?limit=x&api_key=***",
    )
    assert first["request"]["queryString"][0] == {"name": "limit", "value": "x"}
    assert (first["response"]["status"], first["response"]["statusText"]) == (422, "Unprocessable Content")
    assert first["comment"].startswith("validation: query limit")
    assert second["request"]["postData"]["mimeType"] == "application/json"
    assert "Osaka" in second["response"]["content"]["text"]
    assert "ak_demo_owner" not in str(log)


def test_scenarios_are_listed_by_name(ask: Ask) -> None:
    assert ask("GET", "/__admin/scenarios").get_json() == {"scenarios": ["demo", "empty"], "start": "demo"}


def test_settings_are_shown_without_secrets() -> None:
    settings = Settings(quiet=True, admin_token="token-of-admin", embedding_slots=7, import_=None)
    client = create_app(settings).test_client()
    answer = client.get("/__admin/settings", headers={"Authorization": "Bearer token-of-admin"})
    shown: Any = answer.get_json()["settings"]
    assert (shown["embedding_slots"], shown["import"], shown["overlay"]) == (7, None, [])
    assert "token-of-admin" not in answer.get_data(as_text=True)
    assert shown.keys() == {name.rstrip("_") for name in Settings.model_fields} - {
        "admin_token",
        "api_key",
        "replica_token",
        "store",
    }
