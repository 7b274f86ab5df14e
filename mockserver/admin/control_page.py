"""Page of the control API at /__admin/: static files, which need no token."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from mockserver.admin.docs_page import FILE_HEADERS, PAGE_HEADERS, TYPES
from mockserver.admin.paging import Call, ControlContext
from mockserver.http.calls import File, Reply, handles
from mockserver.sandbox.sandbox import Sandbox

FOLDER = Path(str(resources.files("mockserver.admin") / "page"))


@handles("viewPage")
def view_page(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """HTML page."""
    return Reply(200, File((FOLDER / "index.html").read_bytes(), "text/html"), PAGE_HEADERS)


@handles("getPageFile")
def get_page_file(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """File that the page loads."""
    path = FOLDER / call.path["file"]  # the document lists them all
    return Reply(200, File(path.read_bytes(), TYPES[path.suffix]), FILE_HEADERS)
