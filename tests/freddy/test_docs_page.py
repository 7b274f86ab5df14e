"""The page at /__admin/docs: both documents, nothing from elsewhere, and open without a token."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
import yaml

from mockserver.admin import docs_page
from mockserver.app import create_app
from mockserver.http.calls import File, Reply
from mockserver.http.problems import SpecViolation
from mockserver.settings import Settings
from tests.conftest import Ask
from tests.running import ROOT

DOCS = "/__admin/docs"
SECRET = "a-token-of-the-test"


class Links(HTMLParser):
    """Everything that a page refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - its base's
        """Note its links, and what it would run."""
        self.found += [value or "" for name, value in attrs if name in ("src", "href")]
        self.scripts += [name for name, _ in attrs if name.startswith("on") or name == "style"]


def test_the_page_loads_only_what_the_mock_serves(ask: Ask) -> None:
    page = ask("GET", DOCS)
    assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
    links = Links(page.get_data(as_text=True))
    files = {link for link in links.found if not link.startswith("docs?spec=")}
    assert files == {f"docs/{name}" for name in docs_page.files()}
    assert links.scripts == []
    for link in links.found:
        assert ask("GET", f"/__admin/{link}").status_code == 200, link


def test_the_page_may_load_nothing_from_elsewhere(ask: Ask) -> None:
    rules = dict(
        rule.split(" ", 1) for rule in ask("GET", DOCS).headers["Content-Security-Policy"].split("; ")
    )
    assert rules.pop("default-src") == "'none'"
    assert set(" ".join(rules.values()).split()) == {"'self'", "'none'", "data:"}


@pytest.mark.parametrize("name", sorted(docs_page.files()))
def test_each_file_has_its_content_type(ask: Ask, name: str) -> None:
    answer = ask("GET", f"{DOCS}/{name}")
    kind = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "png": "image/png"}
    assert answer.content_type == kind[name.rpartition(".")[2]]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.data


@pytest.mark.parametrize("name", ["index.html", "..%2Fapp.py", "..", "swagger-ui.js", "%2Fetc%2Fpasswd"])
def test_no_other_file_can_be_had(ask: Ask, name: str) -> None:
    assert ask("GET", f"{DOCS}/{name}").status_code in (404, 422)


@pytest.mark.parametrize(
    ("name", "file"), [("openapi.json", "openapi.yaml"), ("admin.json", "mockserver/admin/admin.yaml")]
)
def test_both_documents_are_served_as_they_are_with_the_mock_as_their_server(
    ask: Ask, name: str, file: str
) -> None:
    served = ask("GET", f"/__admin/specs/{name}").get_json()
    written = yaml.load((ROOT / file).read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    assert [server["url"] for server in served["servers"]] == ["../.."]
    assert list(served) == list(written)
    assert served["paths"].keys() == written["paths"].keys()
    assert served["info"]["description"] == written["info"]["description"]


def test_documents_and_page_need_no_token() -> None:
    client = create_app(Settings(quiet=True, admin_token=SECRET)).test_client()
    for path in (DOCS, f"{DOCS}/docs.js", "/__admin/specs/admin.json", "/__sandbox/d-1/__admin/docs"):
        assert client.get(path).status_code == 200, path
    for path in ("/__admin/docs/a/b", "/__admin/requests", "/__admin/specs"):
        assert client.get(path).status_code == 401, path


def test_a_file_that_the_spec_does_not_name_is_a_violation(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(Settings(quiet=True))
    app.testing = True
    (control, _) = app._corridor._apis
    for reply in (Reply(200, File(b"", "image/png")), Reply(200), Reply(200, {})):
        monkeypatch.setitem(control.handlers, "viewDocs", lambda *_, reply=reply: reply)
        with pytest.raises(SpecViolation):
            app.test_client().get(DOCS)


def test_our_script_puts_nothing_from_the_address_into_the_page() -> None:
    """It is compared with a fixed word, and that is all."""
    script = (docs_page.OWN / "docs.js").read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|document\.write|eval", script)
    assert script.count("location.search") == 1
