"""What the copy has to know before it answers a request: fetched from the target once, as the same caller."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from comparison.given import KEY_STATES, Given, error_of
from comparison.names import Names
from comparison.translation import Translation
from mockserver.http.context import RequestContext
from mockserver.http.request import Request
from mockserver.proxy.copy import Copy
from mockserver.proxy.fetching import Unknown

_NAME = re.compile(r'"\w+"\s*:|[?&]\w+=')
"""Name of a field, or of a parameter."""
ID = re.compile(r"\b(?:space|thrd|vs|file)_[A-Za-z0-9_\-]+")
PAGE = 100
"""Records of a page."""
MOST_PAGES = 20
"""Pages of a list that are fetched."""
ELSEWHERE = {
    "cancelStream": "a stream that runs",
    "reconnectStream": "a stream that runs",
    "generateThreadName": "words of the model",
    "getUnreadThreads": "what was read before",
    "getVectorStoreUsage": "the size of what was embedded before",
    "downloadFile": "a link that the target has signed",
}
"""Operation -> what of its answer no other answer tells."""
UNNAMED = "usr_of_key_"
"""Beginning of the id of a user whom the target does not name."""
_NEED_MESSAGES = ("listThreadMessages", "updateThreadMessage", "deleteThreadMessage", "createResponse")
_NEED_THREADS = ("listThreads", "getUnreadThreads", "getThreadChanges", "pinThread", "deleteAllThreads")
PEOPLE = (
    *("getCurrentUser", "listOrganizations", "getOrganization", "listOrganizationRoles", "listDepartments"),
    *("listAssistants", "listModels", "getOutputModes", "getReasoningLevels"),
)
"""Operations about what a deployment has set up."""


class Filling:
    """Fetches for one copy."""

    def __init__(self, copy: Copy, names: Names, fetch: Callable[[RequestContext, str], Given]) -> None:
        """`fetch`: gets a path as the caller of a request; Unknown if the budget is used up."""
        self._copy, self._fetch = copy, fetch
        self._translation = Translation(names)
        self._done: set[tuple[str, ...]] = set()
        """What was fetched, by caller where callers may see different things."""
        self._files = set[str]()
        """Organizations that had files before."""
        self._stale = set[str]()
        """Ids that the target and the copy have changed differently."""

    def forget(self, ids: Sequence[str] = ()) -> None:
        """Fetch these ids, and every list, again where they are named next."""
        self._stale |= {*ids}
        kept = {
            each for each in self._done if each[0] in ("key", "asked", "messages", "space", "gone", "files")
        }
        self._done = {each for each in kept if not {*each} & {*ids}}

    def fill(self, context: RequestContext, body: str) -> None:
        """Learn all that an answer depends on; Unknown if it can't be."""
        operation, request, path = context.matched, context.request, context.ids
        if operation.id in ELSEWHERE:
            raise Unknown(ELSEWHERE[operation.id])
        key = key_of(request)
        if not key:
            return
        organization = path.get("organization_id") or _named(f"{request.query}&{body}", "organization_id")
        self._user(context, key, organization)
        if operation.id in PEOPLE and self._copy.user_of(key) not in self._copy.known_users:
            raise Unknown("what the target has set up")
        for id_ in dict.fromkeys(ID.findall(_NAME.sub(" ", f"{request.path}?{request.query} {body}"))):
            self._record(context, key, id_, organization)
            if id_.startswith("thrd_") and operation.id in _NEED_MESSAGES:
                self._messages(context, key, id_)
        self._lists(context, key, organization)

    def _lists(self, context: RequestContext, key: str, organization: str) -> None:
        operation, of = context.matched.id, f"/v1/organizations/{organization}"
        if operation in _NEED_THREADS:
            for hidden in ("true", "false"):
                self._list(
                    context, ("threads", key), f"/v1/threads?limit=100&visible_in_ui={hidden}", "after"
                )
        if operation == "listSpaces" and organization:
            query = urlencode({"organization_id": organization, "limit": 100})
            self._list(context, ("spaces", key, organization), f"/v1/spaces/?{query}", "cursor")
        if operation == "listVectorStores":
            place = f"{of}/vector-stores?take=100&sort=created_at&order=asc"
            self._list(context, ("stores", key, organization), place, "skip")
        if operation == "listFiles":
            if self._first(("files", organization)):
                listed = self._fetch(context, f"{of}/files?limit=100").body
                ids = [each["id"] for each in listed.get("files", ())] if isinstance(listed, dict) else []
                self._files |= {organization for each in ids if self._translation.text(each) == each}
            if organization in self._files:
                raise Unknown("files that were uploaded before")

    def _first(self, what: tuple[str, ...]) -> bool:
        is_first = what not in self._done
        self._done.add(what)
        return is_first

    def _user(self, context: RequestContext, key: str, organization: str) -> None:
        if self._copy.user_of(key) or not self._first(("key", key)):
            return
        given = self._fetch(context, "/v1/user/me")
        state = KEY_STATES.get(error_of(given.body).get("code", ""))
        if given.status == 401 and state:
            self._copy.add_user(key, f"{UNNAMED}{len(self._done)}", (), state=state)
        elif given.status == 200 and isinstance(given.body, dict):
            listed = self._fetch(context, "/v1/organizations").body
            rows = listed.get("organizations", ()) if isinstance(listed, dict) else ()
            self._copy.add_user(key, given.body["id"], [each["id"] for each in rows])
        elif given.status in (404, 405, 501):
            self._copy.add_user(key, f"{UNNAMED}{len(self._done)}", [organization] if organization else [])
        elif given.status != 401:
            self._done.discard(("key", key))
            raise Unknown("whose key it is")

    def _record(self, context: RequestContext, key: str, id_: str, organization: str) -> None:
        ours, is_stale = self._translation.text(id_), id_ in self._stale
        is_whole = not id_.startswith("space_") or ours != id_ or ("space", id_) in self._done
        if ("gone", key, id_) in self._done or (self._copy.has(ours) and is_whole and not is_stale):
            return
        if id_.startswith("file_"):
            if ours == id_:
                raise Unknown("files that were uploaded before")
            return
        place = _place(id_, organization or self._copy.organization_of(key))
        if place is None:
            raise Unknown("a store whose organization is not named")
        given = self._fetch(context, place) if self._first(("asked", key, id_)) else None
        if given is not None and given.status == 404:
            self._done.add(("gone", key, id_))
            if is_stale:
                self._copy.forget(ours)
        elif given is not None and given.status == 200:
            self._stale.discard(id_)
            self._put(context, key, given.body)
            if id_.startswith("space_"):
                self._space(context, key, id_)
        elif is_stale or not self._copy.has(ours):
            raise Unknown("a record that the target does not show to this caller")

    def _put(self, context: RequestContext, key: str, body: Any) -> None:
        """Take every record of an answer, and the spaces of its threads."""
        for record in whole_records(body):
            self._copy.put(self._translation.value(record))
            for space in record.get("space_ids") or ():
                self._record(context, key, space, "")

    def _space(self, context: RequestContext, key: str, id_: str) -> None:
        ours = self._translation.text(id_)
        self._copy.unlink(ours)
        self._done.add(("space", id_))
        for page in self._pages(context, f"/v1/spaces/{id_}/threads?limit=100", "cursor"):
            self._put(context, key, page)
            for row in page.get("data", ()):
                self._copy.link_thread(ours, self._translation.text(row["id"]))
        for row in (self._fetch(context, f"/v1/spaces/{id_}/vector-stores").body or {}).get(
            "vector_stores", ()
        ):
            self._copy.link_store(ours, self._translation.value(row))

    def _messages(self, context: RequestContext, key: str, id_: str) -> None:
        ours = self._translation.text(id_)
        if ours != id_ or not self._copy.has(id_) or not self._first(("messages", id_)):
            return
        for page in self._pages(context, f"/v1/threads/{id_}/messages?limit=100&order=asc", "after"):
            self._put(context, key, page)

    def _list(
        self, context: RequestContext, what: tuple[str, str, *tuple[str, ...]], place: str, by: str
    ) -> None:
        if self._first((*what, place)):
            for page in self._pages(context, place, by):
                self._put(context, what[1], page)

    def _pages(self, context: RequestContext, place: str, by: str) -> Iterator[Mapping[str, Any]]:
        following: Any = ""
        for number in range(1, MOST_PAGES + 1):
            given = self._fetch(context, place + following)
            if given.status != 200 or not isinstance(given.body, dict):
                return  # the copy answers as it thinks right, which the comparison shows
            yield given.body
            if not given.body.get("has_more", len(given.body.get("data", ())) == PAGE):
                return
            values = {"cursor": given.body.get("next_cursor"), "after": given.body.get("last_id")}
            following = "&" + urlencode({by: values.get(by, number * PAGE)})
        raise Unknown("a list that is longer than what is fetched")


def whole_records(value: Any) -> Iterator[Mapping[str, Any]]:
    """Records in an answer, in any depth."""
    if isinstance(value, dict):
        if isinstance(value.get("id"), str) and ("organization_id" in value or "thread_id" in value):
            yield value
        for each in value.values():
            yield from whole_records(each)
    elif isinstance(value, list):
        for each in value:
            yield from whole_records(each)


def key_of(request: Request) -> str:
    """Key of a request; empty without one."""
    key = request.header("X-API-Key")
    return (request.header("Authorization") or "").removeprefix("Bearer ").strip() if key is None else key


def _place(id_: str, organization: str) -> str | None:
    if id_.startswith("space_"):
        return f"/v1/spaces/{id_}"
    if id_.startswith("thrd_"):
        return f"/v1/threads/{id_}"
    return f"/v1/organizations/{organization}/vector-stores/{id_}" if organization else None


def _named(text: str, name: str) -> str:
    """Value of a parameter, or of a field."""
    found = re.search(rf"(?:^|&){name}=([^&]+)", text) or re.search(rf'"{name}"\s*:\s*"([^"]+)"', text)
    return found[1] if found else ""
