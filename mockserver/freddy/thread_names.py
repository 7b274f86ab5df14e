"""generateThreadName: a title from what the user has asked, always the same for the same messages."""

from __future__ import annotations

import re

from mockserver.freddy.lookup import Call, own_thread
from mockserver.http.calls import Reply, handles
from mockserver.sandbox.sandbox import Record, Sandbox

CONTEXT = 10
"""Messages that a name is made of, counted from the end."""
WORDS, CHARACTERS = 5, 50
"""Longest name."""
UNNAMED = "New conversation"
"""Name of a thread in which nothing was said (A83)."""


@handles("generateThreadName")
def generate_thread_name(call: Call, sandbox: Sandbox) -> Reply:
    """Name a thread after the messages in the body, else after its own (A83)."""
    thread = own_thread(call, sandbox)
    messages = (call.body or {}).get("messages")
    if messages is None:
        keys = list(sandbox.messages.keys("thread", thread["id"]))[-CONTEXT:]
        messages = sandbox.messages.records(key[-1] for key in keys)
    thread = {**thread, "title": name_of(messages[-CONTEXT:]), "updated_at": sandbox.now()}
    sandbox.threads.put(thread["id"], thread)
    return Reply(200, {name: thread[name] for name in ("id", "title", "updated_at")})


def name_of(messages: list[Record]) -> str:
    """First words of the first message of the user, else of the first message that has any."""
    of_user = [message for message in messages if message["role"] == "user"]
    for message in [*of_user, *messages]:
        words = re.findall(r"\w\S*", message["content"])[:WORDS]
        if name := " ".join(words)[:CHARACTERS].strip(" .,:;!?\"'"):
            return name
    return UNNAMED
