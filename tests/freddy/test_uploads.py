"""Files of an organization: upload, list, read, download, delete; limits, and what the journal shows."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from mockserver.app import create_app
from mockserver.sandbox.sandbox import Sandbox
from mockserver.settings import Settings
from tests.conftest import Ask
from tests.freddy.conftest import fields, said
from tests.freddy.steps import Steps
from tests.running import FROZEN

FILES = "/v1/organizations/org_abc123/files"
STORE = "/v1/organizations/org_abc123/vector-stores/vs_def456"
BYTES = bytes(range(256))


def form(*files: tuple[str, bytes, str], name: str = "files") -> dict[str, Any]:
    """What a client sends to upload files."""
    data = {name: [(io.BytesIO(content), filename, kind) for filename, content, kind in files]}
    return {"data": data, "content_type": "multipart/form-data"}


def upload(steps: Steps, *contents: bytes, key: str = "ak_demo_owner", kind: str = "text/plain") -> list[Any]:
    """New files."""
    files = [(f"{number}.txt", content, kind) for number, content in enumerate(contents, 1)]
    return list(steps("POST", f"{FILES}/upload", key, **form(*files))["files"])


def test_an_uploaded_file_is_kept_with_its_name_size_and_type(steps: Steps) -> None:
    """A90, A91."""
    answer = steps("POST", f"{FILES}/upload", "ak_demo_viewer", **form(("a b.bin", BYTES, "image/x-icon")))
    (file,) = answer.pop("files")
    message = "1 file(s) uploaded successfully"
    assert answer == {
        "success": True,
        "message": message,
        "total_uploaded": 1,
        "total_failed": 0,
        "errors": None,
    }
    assert file == {
        "id": file["id"],
        "original_filename": "a b.bin",
        "file_size": 256,
        "mime_type": "image/x-icon",
        "storage_path": f"organizations/org_abc123/files/{file['id']}",
        "organization_id": "org_abc123",
        "uploaded_by": "usr_viewer",
        "uploaded_by_api_key_id": None,
        "uploaded_at": FROZEN,
    }
    assert steps("GET", f"{FILES}/{file['id']}") == file


NAMELESS = b"--x\r\nContent-Disposition: form-data%s\r\n\r\n1\r\n--x--\r\n"


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        (form(), "files"),
        (form(("a.txt", b"", ""), name="file"), "files"),
        (form(*[("a.txt", b"", "text/plain")] * 11), "files"),
        ({"data": {"files": "no file"}, "content_type": "multipart/form-data"}, "files"),
        ({"data": b"--x", "content_type": "multipart/form-data; boundary=x"}, ""),
        ({"data": b"--x", "content_type": "multipart/form-data"}, ""),
        ({"json": {"files": []}}, ""),
        *(
            ({"data": NAMELESS % rest, "content_type": "multipart/form-data; boundary=x"}, "")
            for rest in (b'; filename="a"', b"")
        ),
    ],
)
def test_what_is_no_form_with_one_to_ten_files_is_refused(ask: Ask, sent: dict[str, Any], name: str) -> None:
    assert fields(ask("POST", f"{FILES}/upload", **sent)) == [("body", name)]


def test_the_newest_file_is_listed_first_and_pages_are_numbered(steps: Steps) -> None:
    """A91."""
    ids = [file["id"] for file in upload(steps, b"1", b"2", b"3")]
    pages = [steps("GET", f"{FILES}?limit=2&page={page}") for page in (1, 2, 3)]
    assert [[file["id"] for file in page["files"]] for page in pages] == [[ids[2], ids[1]], [ids[0]], []]
    assert [page["has_more"] for page in pages] == [True, False, False]
    assert pages[0] | {"files": [], "has_more": False} == {
        "files": [],
        "total": 3,
        "page": 1,
        "limit": 2,
        "has_more": False,
    }


def test_a_link_sends_the_very_bytes_and_no_page_of_the_mock(ask: Ask, steps: Steps) -> None:
    """A91: a browser must not run an uploaded page at the mock's origin."""
    (file,) = upload(steps, BYTES, kind="text/html")
    link = steps("GET", f"{FILES}/{file['id']}/content")["download_url"]
    download = ask("GET", link, key=None)
    assert (download.status_code, download.data) == (200, BYTES)
    assert download.headers["Content-Type"] == "application/octet-stream"
    assert download.headers["Content-Disposition"] == "attachment"
    assert download.headers["X-Content-Type-Options"] == "nosniff"


def test_a_link_is_of_one_file_and_for_one_hour(ask: Ask, steps: Steps, later: Callable[..., str]) -> None:
    """A91."""
    first, second = upload(steps, b"1", b"2")
    link = steps("GET", f"{FILES}/{first['id']}/content")["download_url"]
    denied = (403, "INSUFFICIENT_PERMISSIONS", "Download link not valid")
    for wrong in (link.replace("token=", "token=x"), link.replace(first["id"], second["id"])):
        assert said(ask("GET", wrong, key=None))[:3] == denied
    later(3600)
    assert ask("GET", link, key=None).data == b"1"
    later(1)
    assert said(ask("GET", link, key=None))[:3] == denied


def test_a_link_leads_into_the_sandbox_that_the_header_named(ask: Ask) -> None:
    own = {"X-Mock-Sandbox": "files"}
    (file,) = ask("POST", f"{FILES}/upload", headers=own, **form(("a.txt", b"1", ""))).get_json()["files"]
    link = ask("GET", f"{FILES}/{file['id']}/content", headers=own).get_json()["download_url"]
    assert urlsplit(link).path == f"/__sandbox/files{FILES}/{file['id']}/download"
    assert ask("GET", link, key=None).data == b"1"


def test_only_who_uploaded_a_file_or_may_override_deletes_it(ask: Ask, steps: Steps) -> None:
    """A91."""
    mine, admins = upload(steps, b"1", b"2")
    path = f"{FILES}/{mine['id']}"
    assert said(ask("DELETE", path, "ak_demo_editor")).system_message == "File access required"
    steps("DELETE", path)
    steps("DELETE", f"{FILES}/{admins['id']}", "ak_demo_admin")
    for method in ("GET", "DELETE"):
        assert said(ask(method, path)) == (
            404,
            "RESOURCE_NOT_FOUND",
            "File not found",
            {"file_id": mine["id"]},
        )


def test_equal_contents_are_kept_once_also_in_other_sandboxes(ask: Ask, sandbox: Sandbox, app: Any) -> None:
    data = [("a.txt", BYTES, ""), ("b.txt", BYTES, "")]
    ask("POST", f"{FILES}/upload", **form(*data))
    ask("POST", f"{FILES}/upload", headers={"X-Mock-Sandbox": "other"}, **form(data[0]))
    other = app.sandboxes.get("other")
    contents = {id(file["content"]) for each in (sandbox, other) for file in each.files}
    assert len(contents) == 1


def test_more_than_the_limit_is_413_by_form_and_in_base64() -> None:
    """The files count, not the form around them; a body far beyond is refused before it is read."""
    app = create_app(Settings(freeze=FROZEN, quiet=True, max_file_bytes=1000, max_body_bytes=2000))
    client, key = app.test_client(), {"X-API-Key": "ak_demo_owner"}

    def statuses(size: int) -> tuple[int, int]:
        sent = form(("a.bin", b"x" * (size // 2), ""), ("b.bin", b"x" * (size - size // 2), ""))
        first = client.post(f"{FILES}/upload", headers=key, **sent)
        content = "eHh4" * (size // 3) + ("eA==" if size % 3 else "")
        file = {"filename": "a.bin", "content": content, "mime_type": "image/png"}
        second = client.post(f"{STORE}/files/upload-base64", headers=key, json={"files": [file]})
        return first.status_code, second.status_code

    assert [statuses(size) for size in (1000, 1003, 9999)] == [(201, 201), (413, 413), (413, 413)]
    assert client.get(FILES, headers=key).get_json()["total"] == 3


def test_the_journal_shows_sizes_and_hashes_instead_of_contents(ask: Ask, steps: Steps) -> None:
    """Of what was accepted, refused, or downloaded."""
    secret = b"Only the file says this"
    (file,) = upload(steps, secret)
    ask("POST", f"{FILES}/upload", key=None, **form(("a.txt", secret, "")))
    sent = {"filename": "a.txt", "content": "T25seSB0aGUgZmlsZQ==", "mime_type": "text/plain"}
    steps("POST", f"{STORE}/files/upload-base64", json={"files": [sent]})
    ask("GET", steps("GET", f"{FILES}/{file['id']}/content")["download_url"], key=None)
    shown = ask("GET", "/__admin/requests?limit=100").get_data(as_text=True)
    assert secret.decode() not in shown
    assert "T25seSB0aGUgZmlsZQ==" not in shown
    assert hashlib.sha256(secret).hexdigest() in shown
