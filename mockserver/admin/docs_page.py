"""Health of the mock, the two API documents, and a self-contained page to read them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from mockserver import __version__
from mockserver.admin.paging import Call, ControlContext
from mockserver.http.calls import File, Reply, handles
from mockserver.http.problems import NotFound
from mockserver.sandbox.sandbox import Sandbox

OWN = Path(str(resources.files("mockserver.admin") / "docs"))
TYPES: Mapping[str, str] = {".css": "text/css", ".js": "text/javascript", ".png": "image/png"}
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
FILE_HEADERS = {"Cache-Control": "max-age=600", "X-Content-Type-Options": "nosniff"}
HERE = {"url": "../..", "description": "This mock."}
"""Relative to the document's URL, so that it keeps a sandbox prefix."""


@cache
def files() -> dict[str, Path]:
    """Files of the page by name: Swagger UI from its package, and two of the mock's own."""
    found = find_spec("flask_swagger_ui")  # only its files are used
    assert found is not None
    assert found.origin is not None
    swagger = Path(found.origin).parent / "dist"
    of_swagger = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")
    return {name: swagger / name for name in of_swagger} | {n: OWN / n for n in ("docs.css", "docs.js")}


@handles("health")
def health(call: Call, _: Sandbox, context: ControlContext) -> Reply:
    """The process is alive."""
    return Reply(200, {"status": "ok", "version": __version__, "spec": context.served, **context.about()})


@handles("ready")
def ready(call: Call, _: Sandbox, context: ControlContext) -> Reply:
    """The mock is ready for requests."""
    return Reply(200, {"status": "ready", "scenario": context.sandboxes.start.data.name})


@handles("viewDocs")
def view_docs(call: Call, sandbox: Sandbox, context: ControlContext) -> Reply:
    """HTML page."""
    page, others = (OWN / "index.html").read_text("utf-8"), ""
    for name in context.documents:
        if name not in ("openapi.json", "admin.json"):
            others += (
                f'\n      <a href="docs?spec={name.removesuffix(".json")}">{name.removesuffix(".json")}</a>'
            )
    page = page.replace("\n    </nav>", f"{others}\n    </nav>")
    return Reply(200, File(page.encode(), "text/html"), PAGE_HEADERS)


@handles("getDocsFile")
def get_docs_file(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """File that the page loads."""
    path = files()[call.path["file"]]  # the document lists them all
    return Reply(200, File(path.read_bytes(), TYPES[path.suffix]), FILE_HEADERS)


@handles("getSpec")
def get_spec(call: Call, sandbox: Sandbox, context: ControlContext) -> Reply:
    """OpenAPI document, with this mock as its server."""
    name = call.path["name"]
    if name not in context.documents:
        there = ", ".join(context.documents)
        raise NotFound("No such document", reason=f"no document {name!r}; there are {there}")
    server = {**HERE, "url": HERE["url"] + context.prefixes.get(name, "")}
    return Reply(200, {**context.documents[name], "servers": [server]})
