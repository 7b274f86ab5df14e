"""The page's files over HTTP: open without a token, and where a browser that opens `/` is sent."""

from __future__ import annotations

import pytest

from mockserver.admin.control_page import FOLDER
from mockserver.app import create_app
from mockserver.settings import Settings
from tests.conftest import Ask

FILES = sorted(path.name for path in FOLDER.iterdir() if path.suffix in (".js", ".css"))
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize("name", FILES)
def test_each_file_of_the_folder_is_served_with_its_type(ask: Ask, name: str) -> None:
    answer = ask("GET", f"/__admin/page/{name}")
    kind = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
    assert (answer.status_code, answer.content_type) == (200, kind[name.rpartition(".")[2]])
    assert answer.data == (FOLDER / name).read_bytes()


@pytest.mark.parametrize("name", ["index.html", "LICENSE.htm", "..", "..%2Fadmin.yaml"])
def test_no_other_file_can_be_had(ask: Ask, name: str) -> None:
    assert ask("GET", f"/__admin/page/{name}").status_code in (404, 422)


def test_the_page_needs_no_token_and_what_it_shows_does() -> None:
    client = create_app(Settings(quiet=True, admin_token="a-token-of-the-test")).test_client()
    for path in ("/__admin/", "/__admin/page/page.js", "/__sandbox/a/__admin/"):
        assert client.get(path).status_code == 200, path
    assert client.get("/__admin").status_code == 307
    for path in ("/__admin/requests", "/__admin/page", "/__admin/sandboxes"):
        assert client.get(path).status_code == 401, path


def test_a_browser_that_opens_the_root_is_sent_to_the_page_and_other_clients_are_not(ask: Ask) -> None:
    answer = ask("GET", "/", headers=BROWSER)
    assert (answer.status_code, answer.headers["Location"]) == (307, "/__admin/")
    answer = ask("GET", "/", headers={**BROWSER, "X-Forwarded-Prefix": "/mock"})
    assert answer.headers["Location"] == "/mock/__admin/"
    assert ask("GET", "/").get_json() == {"status": "ready", "scenario": "demo"}


def test_a_view_of_the_users_own_at_the_root_wins() -> None:
    app = create_app(Settings(quiet=True))
    app.get("/")(lambda: "mine")
    assert app.test_client().get("/", headers=BROWSER).data == b"mine"
