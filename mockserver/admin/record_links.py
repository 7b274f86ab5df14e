"""Links, users and keys as records: links by the ids of both ends, keys by themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mockserver.admin.record_kind import Fields, call, owner, refuse, unknown
from mockserver.freddy import space_threads, space_vector_stores, vector_store_files
from mockserver.freddy.file_search import detach
from mockserver.http.problems import Conflict, NotFound
from mockserver.sandbox.clock import instant
from mockserver.sandbox.directory import Caller, Credential, Directory, Membership
from mockserver.sandbox.sandbox import Link, Record, Sandbox

BETWEEN = "~"
"""Between the two ids of a link."""
LINKS = {
    "space_threads": ("space_id", "thread_id"),
    "space_vector_stores": ("space_id", "vector_store_id"),
    "vector_store_files": ("vector_store_id", "file_id"),
}
STATES = ("active", "expired", "deactivated", "paused")
_MEMBER_OF = "is a list of objects with organization, roles, departments, capabilities"
_GRANTS = ("roles", "departments", "capabilities")


def links(sandbox: Sandbox) -> dict[str, Record]:
    """All links by their ids."""
    return {
        BETWEEN.join(record[name] for name in ends): record
        for table, ends in LINKS.items()
        for record in getattr(sandbox, table)
    }


def _ends(id_: str, sandbox: Sandbox) -> tuple[str, Link]:
    """Collection of a link between these two records, and its key."""
    one, _, other = id_.partition(BETWEEN)
    if one in sandbox.spaces and other in sandbox.threads:
        return "space_threads", (one, other)
    if one in sandbox.spaces and other in sandbox.vector_stores:
        return "space_vector_stores", (one, other)
    if one in sandbox.vector_stores and other in sandbox.files:
        return "vector_store_files", (one, other)
    reason = f"{id_[:80]!r} does not name a space~thread, a space~store or a store~file that exist"
    raise Conflict("Nothing to link", reason=reason)


def put_link(id_: str, fields: Fields, sandbox: Sandbox) -> None:
    """Link both ends as the vendor's operation does, then set the fields that are given."""
    _require_texts(fields)
    table, link = _ends(id_, sandbox)
    holders = sandbox.vector_stores if table == "vector_store_files" else sandbox.spaces
    holder: Record = holders.record(link[0])
    who = owner(fields.get("added_by") or holder["created_by"], holder["organization_id"])
    add: Callable[[Any, Sandbox], Any] = _ADD[table]
    path = {"organization_id": holder["organization_id"], **dict(zip(LINKS[table], link, strict=True))}
    asked = call(who, **path)
    if table == "vector_store_files":
        asked = replace(asked, body={"file_id": link[1]})
    try:
        add(asked, sandbox)
    except NotFound as missing:  # it exists, in another organization
        raise Conflict("Nothing to link", reason=missing.reason) from missing
    collection = getattr(sandbox, table)
    record = collection.record(link)
    if strange := sorted(fields.keys() - record.keys()):
        raise refuse(strange[0], f"is no field of a link; it has {', '.join(record)}")
    if any(fields.get(name, record[name]) != record[name] for name in LINKS[table]):
        raise refuse(LINKS[table][0], "must be as in the id")
    collection.put(link, {**record, **fields})


def _require_texts(fields: Fields) -> None:
    for name, value in fields.items():
        if not isinstance(value, str | None):
            raise refuse(name, "is a text")
    try:
        instant(fields.get("added_at", "1970-01-01T00:00:00Z"))
    except (ValueError, AttributeError) as error:
        raise refuse("added_at", str(error)) from error


def delete_link(id_: str, sandbox: Sandbox) -> None:
    """Unlink both ends as the vendor's operation does."""
    if id_ not in links(sandbox):
        raise unknown("links", id_)
    table, link = _ends(id_, sandbox)
    if table == "vector_store_files":
        detach(link, sandbox)
        return
    space = sandbox.spaces.record(link[0])
    who = owner(space["created_by"], space["organization_id"])
    _REMOVE[table](call(who, **dict(zip(LINKS[table], link, strict=True))), sandbox)


_ADD: Mapping[str, Callable[[Any, Sandbox], Any]] = {
    "space_threads": space_threads.add_thread_to_space,
    "space_vector_stores": space_vector_stores.add_vector_store_to_space,
    "vector_store_files": vector_store_files.add_file,
}
_REMOVE: Mapping[str, Callable[[Any, Sandbox], Any]] = {
    "space_threads": space_threads.remove_thread_from_space,
    "space_vector_stores": space_vector_stores.remove_vector_store_from_space,
}


def users(sandbox: Sandbox) -> dict[str, Record]:
    """All users by their ids."""
    return users_of(sandbox.directory)


def users_of(directory: Directory) -> dict[str, Record]:
    """All users of a directory by their ids."""
    return {
        id_: {
            "id": id_,
            "name": user.name,
            "member_of": [
                {"organization": name, **{grant: sorted(getattr(member, grant)) for grant in _GRANTS}}
                for name, member in sorted(user.memberships.items())
            ],
        }
        for id_, user in sorted(directory.users.items())
    }


def put_user(id_: str, fields: Fields, sandbox: Sandbox) -> None:
    """Set a user; its keys stay."""
    if strange := sorted(fields.keys() - {"id", "name", "member_of"}):
        raise refuse(strange[0], "is no field of a user; it has id, name, member_of")
    memberships = {}
    if not isinstance(fields.get("member_of", []), list):
        raise refuse("member_of", _MEMBER_OF)
    for member in fields.get("member_of", []):
        if not isinstance(member, dict) or not isinstance(member.get("organization"), str):
            raise refuse("member_of", _MEMBER_OF)
        grants = [member.get(name, []) for name in _GRANTS]
        if member.keys() - {"organization", *_GRANTS} or not all(map(_are_texts, grants)):
            raise refuse("member_of", _MEMBER_OF)
        memberships[member["organization"]] = Membership(*map(frozenset, grants))
    if not isinstance(fields.get("name", ""), str):
        raise refuse("name", "is a text")
    user = Caller(id_, memberships, fields.get("name", ""))
    directory = sandbox.directory
    credentials = {
        key: replace(each, caller=user) if each.caller.user_id == id_ else each
        for key, each in directory.credentials.items()
    }
    _set(sandbox, {**directory.users, id_: user}, credentials)


def delete_user(id_: str, sandbox: Sandbox) -> None:
    """Delete a user who has no keys; what else belongs to it is found by the check of the whole state."""
    own = [key for key, each in sandbox.directory.credentials.items() if each.caller.user_id == id_]
    if own:
        raise Conflict("User has keys", reason=f"user {id_!r} has {len(own)} keys; delete them first")
    rest = {name: user for name, user in sandbox.directory.users.items() if name != id_}
    _set(sandbox, rest, sandbox.directory.credentials)


def keys(sandbox: Sandbox) -> dict[str, Record]:
    """All keys but the one from the environment."""
    return keys_of(sandbox.directory)


def keys_of(directory: Directory) -> dict[str, Record]:
    """All keys of a directory but the one from the environment."""
    return {
        key: {"user_id": each.caller.user_id, "state": each.state}
        for key, each in sorted(directory.credentials.items())
        if not each.from_environment
    }


def put_key(id_: str, fields: Fields, sandbox: Sandbox) -> None:
    """Set a key of a user."""
    fields = {"state": "active", **fields}
    if strange := sorted(fields.keys() - {"user_id", "state"}):
        raise refuse(strange[0], "is no field of a key; it has user_id, state")
    if fields["state"] not in STATES:
        raise refuse("state", f"is one of {', '.join(STATES)}")
    if not (id_.isascii() and id_.isprintable() and " " not in id_ and len(id_) > 3):
        raise refuse("", "a key has at least 4 printable ASCII characters and no blank")
    directory = sandbox.directory
    user = directory.users.get(str(fields.get("user_id")))
    if user is None:
        raise Conflict("No user", reason=f"user {fields.get('user_id')!r} does not exist")
    if id_ in directory.credentials and id_ not in keys(sandbox):
        raise Conflict("Key of the environment", reason="the key of FREDDY_API_KEY can't be changed")
    _set(sandbox, directory.users, {**directory.credentials, id_: Credential(user, fields["state"])})


def delete_key(id_: str, sandbox: Sandbox) -> None:
    """Delete a key."""
    rest = {key: each for key, each in sandbox.directory.credentials.items() if key != id_}
    _set(sandbox, sandbox.directory.users, rest)


def _set(sandbox: Sandbox, users: Mapping[str, Caller], credentials: Mapping[str, Credential]) -> None:
    directory = replace(sandbox.directory, users=users, credentials=credentials)
    sandbox.data = sandbox.data._replace(directory=directory)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
