"""A recording as a scenario: the records of its start or of its end, and what could not be inferred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mockserver.recordings.organizations import ADMIN, organizations_of
from mockserver.recordings.recorded import RecordedExchange
from mockserver.recordings.replay import key_states, refused_roles, start_of
from mockserver.recordings.sightings import Sightings

Values = dict[str, Any]
NOT_READ = "(not recorded)"
"""Content of a message that was counted and never read."""
_FIELDS: Mapping[str, Sequence[str]] = {
    "threads": (
        *("id", "organization_id", "user_id", "title", "assistant_id", "metadata", "last_model_used"),
        *("is_pinned", "pinned_at", "visible_in_ui", "created_at", "updated_at"),
    ),
    "messages": ("id", "role", "content", "metadata", "created_at"),
    "spaces": (
        *("id", "organization_id", "created_by", "name", "description", "vector_store_id", "access_mode"),
        *("access_users", "access_departments", "editable_by_users", "editable_by_roles"),
        *("visible_to_roles", "last_activity_at", "created_at", "updated_at"),
    ),
    "assistants": ("id", "organization_id", "name", "description", "created_by", "created_at", "is_active"),
    "vector_stores": ("id", "organization_id", "created_by", "name", "description", "created_at"),
}
"""Fields of a record that a scenario has, too."""


def scenario_of(recording: Sequence[RecordedExchange], *, at_end: bool) -> tuple[Values, list[str]]:
    """Content of a scenario file, and a line for each thing that could not be inferred."""
    start = moment_text(start_of(recording))
    seen = Sightings(start)
    for each in recording:
        seen.add(each)
    return _Scenario(seen, refused_roles(recording), key_states(recording), at_end=at_end).content()


def moment_text(seconds: float) -> str:
    """Time as answers format it."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Scenario:
    """The records of one end of a recording."""

    def __init__(
        self, seen: Sightings, refused: set[str], states: Mapping[str, str], *, at_end: bool
    ) -> None:
        """`refused`: roles without a key; `states`: those of keys that are refused."""
        self._seen, self._refused, self._states, self._at_end = seen, refused, states, at_end
        self.unsure: list[str] = []

    def content(self) -> tuple[Values, list[str]]:
        """Values of the file, and what is unsure."""
        spaces, threads = self._records("spaces"), self._records("threads")
        assistants = [each for each in self._records("assistants") if each.get("organization_id")]
        own = {space["vector_store_id"] for space in spaces}
        stores = [each for each in self._records("vector_stores") if each["id"] not in own]
        threads = [{**_kept("threads", each), "messages": self._messages(each)} for each in threads]
        present = {each["id"] for each in (*threads, *stores)}
        in_spaces = [{**_kept("spaces", each), **self._links(each, present)} for each in spaces]
        users = self._users(in_spaces, threads, [*stores, *assistants])
        values = {
            "description": "Made of a recording",
            "organizations": organizations_of(self._seen, [*in_spaces, *threads, *stores], users),
            "users": users,
            "files": [self._file(each) for each in self._records("files")],
            "vector_stores": [_kept("vector_stores", each) for each in stores],
            "threads": threads,
            "spaces": in_spaces,
            "assistants": [_kept("assistants", each) for each in assistants],
        }
        self._tell()
        if not self._at_end:
            values |= {"replies": self._seen.replies, "faults": self._seen.faults}
        return values, self.unsure

    def _records(self, kind: str) -> list[Values]:
        chosen = []
        for id_, each in self._seen.records[kind].items():
            if each.deleted if self._at_end else each.made:
                continue
            if each.changed_before and not self._at_end:
                self.unsure.append(f"{id_}: it was changed before it was read for the first time")
            chosen.append(each.last if self._at_end else each.first)
        return sorted(chosen, key=lambda record: str(record.get("created_at")))

    def _messages(self, thread: Values) -> list[Values]:
        found = [each for each in self._records("messages") if each["thread_id"] == thread["id"]]
        kept = [_kept("messages", each) for each in found]
        missing = max(0, int(thread.get("message_count") or 0) - len(kept))
        if missing:
            self.unsure.append(
                f"{thread['id']}: {missing} of its messages were not read; {NOT_READ!r} stands for them"
            )
            last = thread.get("last_message_at") or thread["created_at"]
            before = kept[-1]["created_at"] >= last if kept else False
            at = thread["created_at"] if before else last
            roles = [("user", "assistant")[number % 2] for number in range(missing)]
            more = [{"role": role, "content": NOT_READ, "created_at": at} for role in roles]
            kept = [*more, *kept] if before else [*kept, *more]
        return kept

    def _file(self, record: Values) -> Values:
        """File with the content that was downloaded, or with one of the same size."""
        content = self._seen.contents.get(record["id"], "").encode()
        if len(content) != record["file_size"]:
            self.unsure.append(
                f"{record['id']}: its content was not read; {record['file_size']} blanks stand for it"
            )
            content = b" " * record["file_size"]
        names = ("id", "organization_id", "uploaded_by", "mime_type", "uploaded_at")
        kept = {name: record[name] for name in names}
        return {**kept, "filename": record["original_filename"], "text": content.decode()}

    def _links(self, space: Values, present: set[str]) -> Values:
        links = [
            link
            for link in self._seen.links.values()
            if link.space == space["id"] and (link.at_end if self._at_end else link.at_start)
        ]
        for link in links:
            if link.id not in present:
                self.unsure.append(f"{link.id}: it is in {space['id']}, and was never read")
        if space["id"] not in self._seen.listed:
            self.unsure.append(f"{space['id']}: its threads were not listed to their end; it may have others")
        links = [link for link in links if link.id in present]
        at = space["created_at"]
        return {
            "threads": [
                {"id": link.id, "added_at": link.added_at or at}
                for link in links
                if link.id.startswith("thrd_")
            ],
            "vector_stores": [
                {
                    "id": link.id,
                    "added_by": link.added_by or space["created_by"],
                    "added_at": link.added_at or at,
                }
                | ({"link_id": link.link_id} if link.link_id else {})
                for link in links
                if link.id.startswith("vs_")
            ],
        }

    def _users(self, spaces: list[Values], threads: list[Values], stores: list[Values]) -> list[Values]:
        all_roles = {*self._seen.reached, *self._seen.refused, *self._states}
        roles = {role for role in all_roles - self._refused if role}
        keys: dict[str, list[str]] = {}
        for role in sorted(roles):
            if not self._seen.users.get(role) and role not in self._states:
                self.unsure.append(f"{role}: no answer told its user; it is usr_{role}")
            keys.setdefault(self._seen.users.get(role) or f"usr_{role}", []).append(role)
        named = [each["user_id"] for each in threads] + [each["created_by"] for each in (*spaces, *stores)]
        named += [each["uploaded_by"] for each in self._records("files")]
        for space in spaces:
            named += [*(space.get("access_users") or ()), *(space.get("editable_by_users") or ())]
            named += [link["added_by"] for link in space["vector_stores"]]
        for user in named:
            if user != "*":
                keys.setdefault(user, [])
        return [
            {
                "id": user,
                "name": self._seen.names.get(user) or user,
                "keys": [
                    {"key": f"ak_demo_{role}", "state": self._states.get(role, "active")} for role in roles_of
                ],
                "member_of": self._memberships(user, roles_of, spaces),
            }
            for user, roles_of in keys.items()
        ]

    def _memberships(self, user: str, roles: list[str], spaces: list[Values]) -> list[Values]:
        reached = set().union(*(self._seen.reached.get(role, set()) for role in roles))
        organizations = {id_ for id_ in reached if id_.startswith("org_")}
        organizations |= self._worked_in(user)
        held: dict[str, set[str]] = {}
        for space in spaces:
            named = {space["created_by"], *(space["access_users"] or ()), *(space["editable_by_users"] or ())}
            if user in named or space["id"] in reached:
                organizations.add(space["organization_id"])
            if user not in named and space["id"] in reached:
                held.setdefault(space["organization_id"], set()).update(self._reason(user, space, named))
        return [
            {
                "organization": each,
                "roles": sorted(id_ for id_ in held.get(each, ()) if not id_.startswith("dept_")),
                "departments": sorted(id_ for id_ in held.get(each, ()) if id_.startswith("dept_")),
            }
            for each in sorted(organizations)
        ]

    def _worked_in(self, user: str) -> set[str]:
        """Organizations in which a user has, or made, anything."""
        rows = (each.last for kind in ("threads", "spaces") for each in self._seen.records[kind].values())
        return {
            each["organization_id"] for each in rows if user in (each.get("user_id"), each.get("created_by"))
        }

    def _reason(self, user: str, space: Values, named: set[str]) -> Sequence[str]:
        """Role or department by which a user may reach a space that does not name the user."""
        roles = space["visible_to_roles"] or space["editable_by_roles"] or space["access_departments"] or ()
        if roles or space["access_mode"] != "private" or "*" in named:
            return roles[:1]
        self.unsure.append(f"{user}: why it reaches {space['id']}; it is an administrator here")
        return [ADMIN]

    def _tell(self) -> None:
        seen = self._seen
        unread = {link.space for link in seen.links.values()} - seen.records["spaces"].keys()
        self.unsure += [f"{each}: threads are in it, and it was never read" for each in sorted(unread)]
        if seen.named_by_model:
            self.unsure.append(f"{seen.named_by_model} names of threads by a model: a mock makes its own")


def _kept(kind: str, record: Values) -> Values:
    return {name: record[name] for name in _FIELDS[kind] if name in record}
