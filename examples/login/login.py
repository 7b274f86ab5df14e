"""A login that the vendor's API does not have: e-mail in, session and API key out."""

from flask import Blueprint, abort, g, request

login = Blueprint("login", __name__)
USERS = {"owner@example.com": "usr_abc123", "viewer@example.com": "usr_viewer"}


@login.post("/login")
def log_in():
    """Open a session for the user with this e-mail."""
    user = USERS.get(request.get_json().get("email"))
    keys = g.sandbox.directory.credentials.items()
    key = next((k for k, held in keys if held.caller.user_id == user and held.state == "active"), None)
    if key is None:
        abort(401, "Nobody has this e-mail")
    with g.sandbox.transaction():
        session = g.sandbox.ids.new("sess")
        record = {"user_id": user, "api_key": key, "since": g.sandbox.now()}
        g.sandbox.extension_records.put(session, record)
    return {"session": session, **record}, 201


@login.get("/session")
def show_session():
    """The session that the header X-Session names."""
    record = g.sandbox.extension_records.get(request.headers.get("X-Session", ""))
    if record is None:
        abort(401, "No such session")
    return record


@login.delete("/session")
def log_out():
    """End the session."""
    with g.sandbox.transaction():
        g.sandbox.extension_records.remove(request.headers.get("X-Session", ""))
    return "", 204
