"""A real browser: a page of a stranger's reads and steers nothing, whatever name it has."""

from __future__ import annotations

import http.server
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.running import FROZEN, mock

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAGE = """<!doctype html><title>A stranger</title><pre id="said"></pre><script>
const steps = [
  ["GET", "/__admin/clock", "cors"], ["POST", "/__admin/reset", "cors"],
  ["POST", "/__admin/reset", "no-cors"],
  ["POST", "/__admin/threads/thrd_def456/messages", "no-cors"], ["PUT", "/__admin/clock", "cors"],
];
Promise.all(steps.map(([method, path, mode]) =>
  fetch("MOCK" + path, {method, mode, body: method === "GET" ? null : '{"freeze": "2001-01-01T00:00:00Z"}'})
    .then(answer => answer.status, () => "kept out").then(end => `${method} ${path} ${mode}: ${end}`)
)).then(lines => { document.getElementById("said").textContent = lines.join("\\n"); });
</script>"""
pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs chromium on the PATH")


class Stranger(http.server.BaseHTTPRequestHandler):
    """Serves the page."""

    url = ""

    def do_GET(self) -> None:
        body = PAGE.replace("MOCK", self.url).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep still."""


@pytest.fixture
def stranger() -> Iterator[http.server.ThreadingHTTPServer]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def seen(url: str, profile: Path, *names: str) -> list[str]:
    """What the page wrote, each name being one for this machine."""
    rules = ", ".join(f"MAP {name} 127.0.0.1" for name in names)
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
    command += [f"--host-resolver-rules={rules}", "--virtual-time-budget=10000", "--dump-dom", url]
    page = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    return page.partition('<pre id="said">')[2].partition("</pre>")[0].splitlines()


def test_a_foreign_page_neither_reads_nor_steers(
    stranger: http.server.ThreadingHTTPServer, tmp_path: Path
) -> None:
    port = stranger.server_address[1]
    with mock("--freeze", FROZEN) as url:
        Stranger.url = url
        moved = requests.put(f"{url}/__admin/clock", json={"advance": 3600}, timeout=60).json()["now"]
        lines = seen(f"http://evil.example:{port}/", tmp_path, "evil.example")
        assert len(lines) == 5
        assert [line for line in lines if not line.endswith(("kept out", "no-cors: 0"))] == []
        assert requests.get(f"{url}/__admin/clock", timeout=60).json()["now"] == moved


def test_nor_does_one_that_has_its_name_pointed_at_the_mock(tmp_path: Path) -> None:
    with mock("--freeze", FROZEN) as url:
        command = f"{url.replace('127.0.0.1', 'evil.example')}/__admin/clock"
        profile = [f"--user-data-dir={tmp_path}", "--host-resolver-rules=MAP evil.example 127.0.0.1"]
        browser = [
            str(BROWSER),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            *profile,
            "--dump-dom",
            command,
        ]
        page = subprocess.run(browser, capture_output=True, text=True, timeout=60, check=True).stdout
        assert "not this machine" in page
        assert FROZEN not in page
