"""Probes: the calls that tell which alternative of an assumption a target follows.

What is assumed is what the probe shows on a mock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from contracts.calibration.behaviours import (
    Seen,
    accepted,
    activity,
    again,
    attached_store,
    bad_token,
    challenge,
    cleared_metadata,
    default_order,
    empty_patch,
    field_names,
    first_activity,
    foreign_organization,
    long_name,
    new_metadata,
    order_of_spaces,
    order_of_threads,
    own_store,
    page_size,
    post_space,
    precision,
    raw_space,
    token_or_key,
    total,
    trace_id,
    unknown_thread_removed,
    who_deletes,
    whose_thread,
    without_organization,
)
from contracts.calibration.site import Site
from contracts.http.exchange import ClientResponse


class Probe(NamedTuple):
    """Calls for one assumption."""

    calls: str
    """What is called, in words."""
    see: Callable[[Site], Seen | ClientResponse]


PROBES: Mapping[str, Probe] = {
    "A01": Probe("add a thread twice, a second apart", again),
    "A02": Probe("add an unknown thread", lambda s: s.owner.add(s.space, s.unknown("thrd"))),
    "A03": Probe("remove a thread that is not there", lambda s: s.owner.remove_thread(s.space, s.thread)),
    "A04": Probe("list two threads, added a second apart", order_of_threads),
    "A05": Probe("list two spaces, created a second apart", order_of_spaces),
    "A06": Probe(
        "list with a made-up cursor", lambda s: s.owner.get("/v1/spaces/", **s.organization, cursor="z")
    ),
    "A07": Probe("list 101", lambda s: s.owner.get("/v1/spaces/", **s.organization, limit=101)),
    "A09": Probe("list in an unknown order", lambda s: s.owner.get("/v1/threads", order="sideways")),
    "A10": Probe("PUT to a list", lambda s: s.owner.ask("PUT", "/v1/threads")),
    "A11": Probe("list without a credential", lambda s: s.anonymous.get("/v1/threads", limit=1)),
    "A12": Probe("list with a key and a bad token", token_or_key),
    "A16": Probe("add a thread, and read the space before and after", activity),
    "A17": Probe("attach a space's own store, and an unknown one", attached_store),
    "A18": Probe(
        "set the name to null", lambda s: s.owner.ask("PATCH", f"/v1/spaces/{s.space}", {"name": None})
    ),
    "A19": Probe("create a space with a name of 256 characters", long_name),
    "A20": Probe("list spaces without the slash", lambda s: s.owner.get("/v1/spaces", **s.organization)),
    "A21": Probe("create three spaces", precision),
    "A22": Probe(
        "read a space by an id with a dot", lambda s: s.owner.get("/v1/spaces/contracts.calibration")
    ),
    "A23": Probe("read a space with another organization", foreign_organization),
    "A24": Probe("create a space", lambda s: post_space(s)),
    "A25": Probe("read an unknown space", trace_id),
    "A26": Probe("add a thread of the editor", whose_thread),
    "A27": Probe("delete a space as an editor", who_deletes),
    "A30": Probe(
        "create a space with an unknown field", lambda s: accepted(post_space(s, contracts_field=1))
    ),
    "A31": Probe("remove an unknown thread, and one that is not there", unknown_thread_removed),
    "A32": Probe(
        "list threads after an unknown one", lambda s: s.owner.get("/v1/threads", after=s.unknown("thrd"))
    ),
    "A35": Probe("list with an unknown token", lambda s: bad_token(s, None)),
    "A36": Probe(
        "read a thread of somebody else", lambda s: s.run.client("outsider").get(f"/v1/threads/{s.thread}")
    ),
    "A37": Probe(
        "list spaces of an unknown organization",
        lambda s: s.owner.get("/v1/spaces/", organization_id=s.unknown("org")),
    ),
    "A38": Probe(
        "change an unknown message",
        lambda s: s.owner.ask(
            "PATCH", f"/v1/threads/{s.thread}/messages/{s.unknown('msg')}", {"content": "x"}
        ),
    ),
    "A39": Probe(
        "change the access of a space as an editor",
        lambda s: s.run.client("editor").ask("PATCH", f"/v1/spaces/{s.editable}", {"access_mode": "private"}),
    ),
    "A40": Probe("create a space", first_activity),
    "A41": Probe("change nothing of a space, a second later", empty_patch),
    "A42": Probe("create a thread", new_metadata),
    "A43": Probe("list threads in each order, and without one", default_order),
    "A46": Probe(
        "read a space from another organization",
        lambda s: s.run.client("foreign").get(f"/v1/spaces/{s.space}"),
    ),
    "A47": Probe(
        "delete a space's own store",
        lambda s: s.owner.ask("DELETE", f"{s.owner.stores}/{s.run.ledger.allow(own_store(s))}"),
    ),
    "A48": Probe("list threads with a slash", lambda s: s.owner.get("/v1/threads/")),
    "A49": Probe(
        "create a space whose name has a lone surrogate", lambda s: raw_space(s, '{"name": "\\ud800"}')
    ),
    "A50": Probe("list 1.0 threads", lambda s: s.owner.get("/v1/threads", limit="1.0")),
    "A52": Probe("HEAD of a list", lambda s: s.owner.ask("HEAD", "/v1/threads")),
    "A54": Probe("create a space with a wrong item of a list", field_names),
    "A56": Probe("create a space with a body that is not JSON", lambda s: raw_space(s, "contracts")),
    "A58": Probe(
        "create a vector store", lambda s: s.owner.ask("POST", s.owner.stores, {"name": s.run.name("store")})
    ),
    "A59": Probe("list without a credential", challenge),
    "A61": Probe("set the metadata of a thread to null", cleared_metadata),
    "A63": Probe("list one thread", total),
    "A70": Probe(
        "ask in an unknown organization",
        lambda s: s.owner.ask_model("contracts", thread_id=s.thread, organization_id=s.unknown("org")),
    ),
    "A74": Probe(
        "read a private store of somebody else",
        lambda s: s.run.client("outsider").get(f"{s.owner.stores}/{s.store}"),
    ),
    "A81": Probe(
        "cancel where nothing streams", lambda s: s.owner.ask("POST", f"/v1/model/response/{s.thread}/cancel")
    ),
    "A82": Probe(
        "read a stream where none was", lambda s: s.owner.get(f"/v1/model/response/{s.thread}/stream")
    ),
    "A91": Probe("read an unknown file", lambda s: s.owner.get(f"{s.owner.files}/{s.unknown('file')}")),
    "A92": Probe(
        "read a file that is not in a store",
        lambda s: s.owner.get(f"{s.owner.stores}/{s.store}/files/{s.unknown('file')}"),
    ),
    "A100": Probe(
        "list with an empty cursor", lambda s: s.owner.get("/v1/spaces/", **s.organization, cursor="")
    ),
    "A101": Probe("list 101 vector stores", lambda s: s.owner.get(s.owner.stores, take=101)),
    "A102": Probe(
        "create a thread with a boolean as text",
        lambda s: s.owner.ask(
            "POST", "/v1/threads", {**s.organization, "title": s.run.name("thread"), "visible_in_ui": "yes"}
        ),
    ),
    "A103": Probe(
        "create a space for 1001 users", lambda s: accepted(post_space(s, access_users=["x"] * 1001))
    ),
    "A104": Probe(
        "upload a file without a name",
        lambda s: s.owner.ask(
            "POST",
            f"{s.owner.stores}/{s.store}/files/upload-base64",
            {"files": [{"filename": "", "content": "eA==", "mime_type": "text/plain"}]},
        ),
    ),
    "A112": Probe("list organizations", lambda s: page_size(s.owner.get("/v1/organizations"))),
    "A117": Probe("list assistants", lambda s: page_size(s.owner.get("/v1/assistants", **s.organization))),
    "A120": Probe("read a space without its organization", without_organization),
}
