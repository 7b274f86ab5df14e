"""Who may what, as a table: role by operation, for every operation; a refused write has changed nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from contracts.behaviour.vendor_documents import refused
from contracts.checks.check import Check, check, equal
from contracts.checks.errors import Broken, Untested
from contracts.checks.evidence import Assumptions, Evidence
from contracts.checks.spec import document
from contracts.http.exchange import ClientResponse
from contracts.http.role_client import RoleClient
from contracts.http.run import ROLES, Run

NOBODY = "nobody"
"""Without a credential."""
COLUMNS = ("owner", "admin", "editor", "viewer", "outsider", "foreign", NOBODY)
ASSUMPTIONS = Assumptions()


class Scene(NamedTuple):
    """A private space that the editor may edit and the viewer may view, and the owner's things around it."""

    run: Run
    space: dict[str, Any]
    inside: str
    """A thread in the space."""
    beside: str
    """A thread in no space."""
    attached: str
    """A vector store of the space's."""
    loose: str
    """A vector store of no space's."""
    message: str
    """The id of no message."""

    @property
    def path(self) -> str:
        """Where the space is."""
        return f"/v1/spaces/{self.space['id']}"

    def names(self) -> dict[str, str]:
        """Names that a row's request may use, with a fresh name for something new."""
        return {
            "organization_id": self.run.organization_id,
            "space_id": self.space["id"],
            "inside": self.inside,
            "beside": self.beside,
            "attached": self.attached,
            "loose": self.loose,
            "message_id": self.message,
            "name": self.run.name(),
        }

    @property
    def stores(self) -> str:
        """Where the organization's vector stores are."""
        return f"/v1/organizations/{quote(self.run.organization_id)}/vector-stores"

    def seen(self) -> list[object]:
        """All of it, as the owner sees it."""
        threads = [
            f"/v1/threads/{id_}{part}" for id_ in (self.inside, self.beside) for part in ("", "/messages")
        ]
        stores = [f"{self.stores}/{id_}" for id_ in (self.attached, self.loose) if id_]
        own = [self.path, f"{self.path}/threads", *([f"{self.path}/vector-stores"] if stores else [])]
        answers = [self.run.owner.get(path) for path in (*own, *threads, *stores)]
        return [answer.body if answer.status == 200 else answer.status for answer in answers]


def stage(run: Run, *, stores: bool) -> Scene:
    """A fresh scene, with grants for whoever has a key, and vector stores where it is about them."""
    grants = {
        field: [run.user_id(role)]
        for field, role in (("editable_by_users", "editor"), ("access_users", "viewer"))
        if role in run.roles
    }
    owner, space = run.owner, run.owner.new_space(**grants)
    inside, beside = (owner.new_thread()["id"] for _ in range(2))
    attached, loose = (owner.new_vector_store()["id"] if stores else "" for _ in range(2))
    scene = Scene(run, space, inside, beside, attached, loose, run.unknown_id("msg"))
    equal(owner.add(space["id"], inside).status, 201, "adding the first thread")
    if stores:
        attaching = owner.ask("POST", f"{scene.path}/vector-stores/{attached}")
        equal(attaching.status, 201, "attaching the first store")
    return scene


class Row(NamedTuple):
    """Outcome of one operation for each caller, and what its request needs beside the document."""

    statuses: tuple[int, ...]
    """One for each of COLUMNS."""
    system_message: str
    """Of its 403."""
    body: Mapping[str, Any] | None = None
    """Names of the scene in braces are filled in."""
    query: str = ""
    """Likewise."""
    thread: str = "inside"
    """The scene's thread that `thread_id` means."""
    store: str = "loose"
    """The scene's vector store that `vector_store_id` means."""
    by: str | None = None
    """Assumption behind its 403s; the 403 of a foreign user always rests on one."""
    foreign: str = "A46"
    """Assumption behind that one."""
    evidence: Evidence = Evidence.PUBLISHED


VIEW, EDIT, OWNER = "View access required", "Edit access required", "Owner access required"
THREAD, MEMBER, STORE = (
    "Thread access required",
    "Organization access required",
    "Vector store access required",
)
MEMBERS: Any = {"system_message": MEMBER, "foreign": "A37", "evidence": Evidence.OBSERVED}
MINE: Any = {"system_message": THREAD, "by": "A36", "foreign": "A36", "evidence": Evidence.SDK}
MY_STORE: Any = {"system_message": STORE, "by": "A58", "foreign": "A37", "evidence": Evidence.ASSUMED}
QUESTION = {"inputs": [{"role": "user", "content": "Good morning."}], "thread_id": "{beside}"}
IN_ORGANIZATION = "organization_id={organization_id}"

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
    "updateThreadMessage":           Row((404, 403, 403, 403, 403, 403, 401), body={"content": "mine"}, **MINE),
    "deleteThreadMessage":           Row((404, 403, 403, 403, 403, 403, 401), **MINE),
    "createResponse":                Row((200, 403, 403, 403, 403, 403, 401), body=QUESTION, **MINE),
    "listVectorStores":              Row((200, 200, 200, 200, 200, 403, 401), **MEMBERS),
    "createVectorStore":             Row((201, 201, 201, 201, 201, 403, 401), body={"name": "{name}"}, **MEMBERS),
    "getVectorStore":                Row((200, 200, 200, 200, 200, 403, 401), **MY_STORE),
    "updateVectorStore":             Row((200, 200, 403, 403, 403, 403, 401), body={"name": "taken"}, **MY_STORE),
    "deleteVectorStore":             Row((204, 204, 403, 403, 403, 403, 401), **MY_STORE),
}
# fmt: on


def request_of(name: str, names: Mapping[str, str]) -> tuple[str, str, Any]:
    """Method, path with query, and body of a row's request; `names` are the scene's."""
    operation, row = document().by_id(name.partition(" ")[0]), ROWS[name]
    meant = {**names, "thread_id": names[row.thread], "vector_store_id": names[row.store]}
    path = operation.path.format(**{key: quote(value) for key, value in meant.items()})
    query = f"?{row.query}".format(**meant) if row.query else ""
    body = row.body and {
        key: value.format(**meant) if isinstance(value, str) else value for key, value in row.body.items()
    }
    return operation.method.upper(), path + query, body


def attempt(name: str, client: RoleClient, scene: Scene) -> ClientResponse:
    """The answer to a row's request, made by `caller`."""
    if name == "createResponse":
        scene.run.spend_model_question()
    method, path, body = request_of(name, scene.names())
    return client.ask(method, path, body)


def try_row(run: Run, name: str) -> None:
    """Everybody tries: first those who may not, on one scene, which has to stay as it is."""
    row, stores = ROWS[name], "VectorStore" in name
    cells = dict(zip(COLUMNS, row.statuses, strict=True))
    present = [column for column in COLUMNS if column == NOBODY or column in run.roles]
    scene = stage(run, stores=stores)
    before = scene.seen()
    for column in present:
        if cells[column] in (401, 403):
            answer = attempt(name, _client(run, column), scene)
            _refused(row, column, cells[column], answer)
            if answer.request.method != "GET":
                equal(scene.seen(), before, f"what there is after the {column} was refused")
    for column in present:
        if cells[column] not in (401, 403):
            _allowed(column, cells[column], attempt(name, _client(run, column), scene))
            scene = stage(run, stores=stores) if column != present[-1] else scene
    if missing := [role for role in ROLES if role not in run.roles]:
        raise Untested(f"the others may what they may; no key for the {' and the '.join(missing)}")


def _client(run: Run, column: str) -> RoleClient:
    return RoleClient(run, None) if column == NOBODY else run.client(column)


def _allowed(column: str, expected: int, answer: ClientResponse) -> None:
    what = f"{answer.request.method} by the {column}"
    if expected == 404:  # there is no such message, which only who may look is told
        if answer.status != 404:
            raise Broken(f"{what} answers {answer.status}", expected=404, got=answer.status, assumption="A38")
    elif answer.status >= 300:
        raise Broken(f"{what} is refused", expected="2xx", got=answer.status)


def _refused(row: Row, column: str, expected: int, answer: ClientResponse) -> None:
    """403 with its text, or 401; where that is assumed another refusal breaks no contract."""
    by = row.foreign if column == "foreign" else row.by if expected == 403 else None
    what = f"{answer.request.method} by {column if column == NOBODY else f'the {column}'}"
    if answer.status != expected:
        allowed = by is not None and answer.status in ASSUMPTIONS.alternatives(by, "status")
        raise Broken(
            f"{what} answers {answer.status}",
            expected=expected,
            got=answer.status,
            assumption=by if allowed else None,
        )
    if expected == 401:
        return
    system_message = MEMBER if column == "foreign" and row.foreign == "A37" else row.system_message
    try:
        refused(answer, 403, "INSUFFICIENT_PERMISSIONS", system_message)
    except Broken as broken:
        broken.assumption = by
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
    row = ROWS[names[0]]
    function.__name__ = f"who-may-{operation}"
    function.__doc__ = (
        f"Who may {operation} and who may not ({statuses}); what is refused has changed nothing."
    )
    function.roles = ROLES[1:]  # type: ignore[attr-defined]  # doctor says what can't be tried without them
    by = "A58" if row.evidence is Evidence.ASSUMED else None
    return check(operation, evidence=row.evidence, assumption=by)(function)


CHECKS = [
    _register(operation, [name for name in ROWS if name.partition(" ")[0] == operation])
    for operation in dict.fromkeys(name.partition(" ")[0] for name in ROWS)
]
