"""Permission table: expected status of every operation for each role; refused writes change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

from contracts.behaviour.vendor_documents import forbidden
from contracts.checks.check import Check, check, equal
from contracts.checks.errors import Broken, Excluded
from contracts.checks.evidence import Assumptions
from contracts.checks.spec import document
from contracts.http.exchange import MODEL_OPERATIONS, ClientResponse
from contracts.http.role_client import FORM_HEADERS, RoleClient, file_form
from contracts.http.run import ROLES, Run

NOBODY = "nobody"
"""Column for requests without a credential."""
COLUMNS = ("owner", "admin", "editor", "viewer", "outsider", "foreign", NOBODY)
USES_UP = ("add", "delete", "remove")
"""Operations that the next role can't try on the same scene."""
ASSUMPTIONS = Assumptions()


class Scene(NamedTuple):
    """Private space with an editor and a viewer, and further resources of its owner."""

    run: Run
    ids: Mapping[str, str]
    """Values for the placeholders of a row's request: ids of a thread inside the space and one beside it, of a
    store attached to it and a loose one (empty if the row needs none), and of a message that does not exist; for
    files, of one in the loose store and of one that is in none."""
    paths: tuple[str, ...]
    """What a refusal must not change."""

    def names(self) -> dict[str, str]:
        """Values for the placeholders, with a new name."""
        return {**self.ids, "name": self.run.name()}

    def state(self) -> list[object]:
        """State of all resources of the scene, read by the owner."""
        answers = [self.run.owner.get(path) for path in self.paths]
        return [answer.body if answer.status == 200 else answer.status for answer in answers]


def stage(run: Run, *, stores: bool) -> Scene:
    """New scene, with grants for roles that have a key, and vector stores if needed."""
    fields = {"editable_by_users": "editor", "access_users": "viewer"}
    grants = {field: [run.user_id(role)] for field, role in fields.items() if role in run.roles}
    owner, space_id = run.owner, run.owner.new_space(**grants)["id"]
    ids = {
        "organization_id": run.organization_id,
        "space_id": space_id,
        **{name: owner.new_thread()["id"] for name in ("inside", "beside")},
        **{name: owner.new_vector_store()["id"] if stores else "" for name in ("attached", "loose")},
        "message_id": run.unknown_id("msg"),
    }
    equal(owner.add(space_id, ids["inside"]).status, 201, "adding the first thread")
    if stores:
        attaching = owner.ask("POST", f"/v1/spaces/{space_id}/vector-stores/{ids['attached']}")
        equal(attaching.status, 201, "attaching the first store")
    space = f"/v1/spaces/{space_id}"
    threads = [f"/v1/threads/{ids[name]}" for name in ("inside", "beside")]
    paths = [space, f"{space}/threads", *(path + part for path in threads for part in ("", "/messages"))]
    if stores:
        own = (f"{owner.stores}/{ids[name]}" for name in ("attached", "loose"))
        paths += [f"{space}/vector-stores", *own]
    return Scene(run, ids, tuple(paths))


def stage_files(run: Run) -> Scene:
    """New scene with a store, a file in it, and another file."""
    owner = run.owner
    store_id, stored, unstored = (
        owner.new_vector_store()["id"],
        owner.new_file()["id"],
        owner.new_file()["id"],
    )
    listing = f"{owner.stores}/{store_id}/files"
    equal(owner.ask("POST", listing, {"file_id": stored}).status, 201, "adding a file to a store")
    ids = {"inside": "", "attached": "", "loose": store_id, "stored": stored, "unstored": unstored}
    paths = (f"{owner.stores}/{store_id}", f"{owner.files}/{unstored}")
    return Scene(run, {"organization_id": run.organization_id, **ids}, paths)


class Row(NamedTuple):
    """Expected statuses of one operation by role, and the parts of its request."""

    statuses: tuple[int, ...]
    """One for each column of COLUMNS."""
    system_message: str
    """system_message of its 403."""
    body: Mapping[str, Any] | str | None = None
    """Placeholders in braces are names of the scene; a text is a form."""
    query: str = ""
    """With the same placeholders."""
    thread: str = "inside"
    """Name of the scene's thread used as `thread_id`."""
    store: str = "loose"
    """Name of the scene's vector store used as `vector_store_id`."""
    file: str = "stored"
    """Name of the scene's file used as `file_id`."""
    by: str | None = None
    """Assumption behind its 403s; the 403 of a foreign user always rests on one."""
    foreign: str = "A46"
    """Assumption behind the 403 of a foreign user."""
    missing: str | None = None
    """Assumption behind the 404 of what only the owner may learn that it does not exist."""


VIEW, EDIT, OWNER, THREAD, MEMBER, STORE, FILE = (
    f"{what} access required"
    for what in ("View", "Edit", "Owner", "Thread", "Organization", "Vector store", "File")
)
MEMBERS: Any = {"system_message": MEMBER, "foreign": "A37"}
MINE: Any = {"system_message": THREAD, "by": "A36", "foreign": "A36"}
MY_STORE: Any = {"system_message": STORE, "by": "A58", "foreign": "A37"}
ALL: Any = {"system_message": MEMBER, "foreign": "A37"}
FORM = file_form("a file of {name}.txt", "The contract suite wrote this.")
IN_JSON = {"files": [{"filename": "a file.txt", "content": "dGV4dA==", "mime_type": "text/plain"}]}
QUESTION = {"inputs": [{"role": "user", "content": "Good morning."}], "thread_id": "{beside}"}
IN_ORGANIZATION = "organization_id={organization_id}"
CHANGES_OF_NONE = f"{IN_ORGANIZATION}&since=2100-01-01T00:00:00Z"
CLAIMS = {"addThreadToSpace": "adding-needs-edit-access", "listSpaceThreads": "listing-needs-view-access"}
"""Claims that are documented; the others have the id of their check."""

# fmt: off
ROWS: dict[str, Row] = {
    #                                     owner admin edit view outs fore nobody
    "getSpace":                      Row((200, 200, 200, 200, 403, 403, 401), VIEW),
    "listSpaceThreads":              Row((200, 200, 200, 200, 403, 403, 401), VIEW),
    "listSpaceVectorStores":         Row((200, 200, 200, 200, 403, 403, 401), VIEW),
    "updateSpace":                   Row((200, 200, 200, 403, 403, 403, 401), EDIT, {"name": "renamed"}),
    "updateSpace (access)":          Row((200, 200, 403, 403, 403, 403, 401), OWNER, {"access_mode": "organization"}, by="A39"),
    "deleteSpace":                   Row((204, 204, 204, 403, 403, 403, 401), EDIT),
    "addThreadToSpace":              Row((201, 201, 201, 403, 403, 403, 401), EDIT, thread="beside"),
    "removeThreadFromSpace":         Row((204, 204, 204, 403, 403, 403, 401), EDIT),
    "addVectorStoreToSpace":         Row((201, 201, 201, 403, 403, 403, 401), EDIT),
    "removeVectorStoreFromSpace":    Row((204, 204, 204, 403, 403, 403, 401), EDIT, store="attached"),
    "listSpaces":                    Row((200, 200, 200, 200, 200, 403, 401), query=IN_ORGANIZATION, **MEMBERS),
    "createSpace":                   Row((201, 201, 201, 201, 201, 403, 401), body={"name": "{name}", "organization_id": "{organization_id}"}, **MEMBERS),
    "listThreads":                   Row((200, 200, 200, 200, 200, 403, 401), query=IN_ORGANIZATION, **MEMBERS),
    "createThread":                  Row((201, 201, 201, 201, 201, 403, 401), body={"title": "{name}", "organization_id": "{organization_id}"}, **MEMBERS),
    "getThread":                     Row((200, 403, 403, 403, 403, 403, 401), **MINE),
    "updateThread":                  Row((200, 403, 403, 403, 403, 403, 401), body={"title": "taken"}, **MINE),
    "deleteThread":                  Row((204, 403, 403, 403, 403, 403, 401), **MINE),
    "pinThread":                     Row((200, 403, 403, 403, 403, 403, 401), **MINE),
    "unpinThread":                   Row((200, 403, 403, 403, 403, 403, 401), **MINE),
    "listThreadMessages":            Row((200, 403, 403, 403, 403, 403, 401), **MINE),
    "updateThreadMessage":           Row((404, 403, 403, 403, 403, 403, 401), body={"content": "mine"}, missing="A38", **MINE),
    "deleteThreadMessage":           Row((404, 403, 403, 403, 403, 403, 401), missing="A38", **MINE),
    "createResponse":                Row((200, 403, 403, 403, 403, 403, 401), body=QUESTION, **MINE),
    "cancelStream":                  Row((404, 403, 403, 403, 403, 403, 401), **MINE),
    "reconnectStream":               Row((404, 403, 403, 403, 403, 403, 401), missing="A82", **MINE),
    "markThreadRead":                Row((200, 403, 403, 403, 403, 403, 401), **MINE),
    "getUnreadThreads":              Row((200, 200, 200, 200, 200, 403, 401), query=IN_ORGANIZATION, **MEMBERS),
    "getThreadChanges":              Row((200, 200, 200, 200, 200, 403, 401), query=CHANGES_OF_NONE, **MEMBERS),
    "getCurrentUser":                Row((200, 200, 200, 200, 200, 200, 401), ""),
    "listOrganizations":             Row((200, 200, 200, 200, 200, 200, 401), ""),
    "getOrganization":               Row((200, 200, 200, 200, 200, 403, 401), **MEMBERS),
    "listOrganizationRoles":         Row((200, 200, 200, 200, 200, 403, 401), **MEMBERS),
    "listDepartments":               Row((200, 200, 200, 200, 200, 403, 401), **MEMBERS),
    "listAssistants":                Row((200, 200, 200, 200, 200, 403, 401), query=IN_ORGANIZATION, **MEMBERS),
    "listModels":                    Row((200, 200, 200, 200, 200, 200, 401), ""),
    "getOutputModes":                Row((200, 200, 200, 200, 200, 200, 401), ""),
    "getReasoningLevels":            Row((200, 200, 200, 200, 200, 200, 401), ""),
    "generateThreadName":            Row((200, 403, 403, 403, 403, 403, 401), **MINE),
    "listVectorStores":              Row((200, 200, 200, 200, 200, 403, 401), **MEMBERS),
    "createVectorStore":             Row((201, 201, 201, 201, 201, 403, 401), body={"name": "{name}"}, **MEMBERS),
    "getVectorStore":                Row((200, 200, 200, 200, 200, 403, 401), **MY_STORE),
    "updateVectorStore":             Row((200, 200, 403, 403, 403, 403, 401), body={"name": "taken"}, **MY_STORE),
    "deleteVectorStore":             Row((204, 204, 403, 403, 403, 403, 401), **MY_STORE),
    "getVectorStoreUsage":           Row((200, 200, 200, 200, 200, 403, 401), **ALL),
    "uploadFiles":                   Row((201, 201, 201, 201, 201, 403, 401), body=FORM, **ALL),
    "listFiles":                     Row((200, 200, 200, 200, 200, 403, 401), **ALL),
    "getFile":                       Row((200, 200, 200, 200, 200, 403, 401), **ALL),
    "getFileContent":                Row((200, 200, 200, 200, 200, 403, 401), **ALL),
    "downloadFile":                  Row((403, 403, 403, 403, 403, 403, 403), "Download link not valid", query="token=none&expires=1", by="A91", foreign="A91"),
    "deleteFile":                    Row((204, 204, 403, 403, 403, 403, 401), FILE, file="unstored", by="A91", foreign="A37"),
    "listVectorStoreFiles":          Row((200, 200, 200, 200, 200, 403, 401), **MY_STORE),
    "addFileToVectorStore":          Row((201, 201, 403, 403, 403, 403, 401), body={"file_id": "{unstored}"}, **MY_STORE),
    "uploadBase64Files":             Row((201, 201, 403, 403, 403, 403, 401), body=IN_JSON, **MY_STORE),
    "getVectorStoreFile":            Row((200, 200, 200, 200, 200, 403, 401), **MY_STORE),
    "getVectorStoreFileStatus":      Row((200, 200, 200, 200, 200, 403, 401), **MY_STORE),
    "getVectorStoreFileLogs":        Row((200, 200, 200, 200, 200, 403, 401), **MY_STORE),
    "retryVectorStoreFile":          Row((200, 200, 403, 403, 403, 403, 401), **MY_STORE),
    "removeFileFromVectorStore":     Row((204, 204, 403, 403, 403, 403, 401), **MY_STORE),
}
# fmt: on


def request_of(name: str, names: Mapping[str, str]) -> tuple[str, str, Any]:
    """Method, path with query, and body of a row's request; `names` are the scene's."""
    operation, row = document().by_id(name.partition(" ")[0]), ROWS[name]
    meant = {**names, "thread_id": names[row.thread], "vector_store_id": names[row.store]}
    meant["file_id"] = names.get(row.file, "")
    path = operation.path.format(**{key: quote(value) for key, value in meant.items()})
    query = f"?{row.query}".format(**meant) if row.query else ""
    if isinstance(row.body, str):
        return operation.method.upper(), path + query, row.body.format(**meant)
    body = row.body and {
        key: value.format(**meant) if isinstance(value, str) else value for key, value in row.body.items()
    }
    return operation.method.upper(), path + query, body


def attempt(name: str, column: str, scene: Scene) -> ClientResponse:
    """Response to a row's request in the role of a column."""
    run = scene.run
    if name in MODEL_OPERATIONS:
        run.spend_model_question()
    client = RoleClient(run, None) if column == NOBODY else run.client(column)
    method, path, body = request_of(name, scene.names())
    return client.ask(method, path, body, headers=FORM_HEADERS if isinstance(body, str) else None)


def try_row(run: Run, name: str) -> None:
    """Try the operation as every role: first those to be refused, which must not change the scene."""
    row = ROWS[name]
    new_scene = (
        partial(stage_files, run) if "File" in name else partial(stage, run, stores="VectorStore" in name)
    )
    cells = dict(zip(COLUMNS, row.statuses, strict=True))
    strangers = _strangers(name, cells)
    cells |= dict.fromkeys(strangers, 403)
    present = [column for column in COLUMNS if column == NOBODY or column in run.roles]
    scene = new_scene()
    before = scene.state()
    for column in present:
        if cells[column] in (401, 403):
            answer = attempt(name, column, scene)
            of_thread = row._replace(system_message=THREAD) if column in strangers else row
            _refused(of_thread, column, cells[column], answer)
            if answer.request.method != "GET":
                equal(scene.state(), before, f"what there is after the {column} was refused")
    for column in present:
        if cells[column] not in (401, 403):
            answer = attempt(name, column, scene)
            _allowed(row, column, cells[column], answer)
            if name.startswith(USES_UP) and column != present[-1]:
                scene = new_scene()
    if missing := [role for role in ROLES if role not in run.roles]:
        raise Excluded(f"the other roles behave as expected; no key for the {' and the '.join(missing)}")


def _strangers(name: str, cells: Mapping[str, int]) -> list[str]:
    """Columns that may do it, but not with a thread of the owner, as newer revisions have it."""
    if name != "addThreadToSpace" or not document().refuses(name, THREAD):
        return []
    return [column for column, status in cells.items() if status == 201 and column != "owner"]


def _allowed(row: Row, column: str, expected: int, answer: ClientResponse) -> None:
    what = f"{answer.request.method} by the {column}"
    if expected == 404 != answer.status:
        raise Broken(
            f"{what} answers {answer.status}", expected=404, got=answer.status, assumption=row.missing
        )
    if expected < 300 <= answer.status:
        raise Broken(f"{what} is refused", expected="2xx", got=answer.status)


def _refused(row: Row, column: str, expected: int, answer: ClientResponse) -> None:
    """Check a 403 with its system_message, or a 401; assumed ones may have alternatives."""
    by = row.foreign if column == "foreign" else row.by if expected == 403 else None
    what = f"{answer.request.method} by {column if column == NOBODY else f'the {column}'}"
    if answer.status != expected:
        allowed = by is not None and answer.status in ASSUMPTIONS.alternatives(by, "status")
        broken = Broken(f"{what} answers {answer.status}", expected=expected, got=answer.status)
        broken.assumption = by if allowed else None
        raise broken
    if expected == 401:
        return
    system_message = MEMBER if column == "foreign" and row.foreign == "A37" else row.system_message
    try:
        forbidden(answer, system_message)
    except Broken as broken:
        broken.assumption = broken.assumption or by
        raise


def _register(operation: str, names: list[str]) -> Check:
    def function(run: Run) -> None:
        for name in names:
            try_row(run, name)

    statuses = "; ".join(
        f"{name.partition(' ')[2] or 'this'}: "
        + ", ".join(f"{column} {status}" for column, status in zip(COLUMNS, ROWS[name].statuses, strict=True))
        for name in names
    )
    function.__name__ = f"who-may-{operation}"
    function.__doc__ = f"Who may {operation} and who may not ({statuses}); refused requests change nothing."
    function.roles = ROLES[1:]  # type: ignore[attr-defined]  # for the doctor: skipped without their keys
    return check(operation, claim=CLAIMS.get(operation))(function)


CHECKS = [
    _register(operation, [name for name in ROWS if name.partition(" ")[0] == operation])
    for operation in dict.fromkeys(name.partition(" ")[0] for name in ROWS)
]
