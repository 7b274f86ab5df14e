"""A client that was generated from the vendor's own document parses every answer that both know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from freddy_client import AuthenticatedClient
from freddy_client.api.messages import (
    delete_message_v1_threads_thread_id_messages_message_id_delete as delete_message,
)
from freddy_client.api.messages import get_thread_messages_v1_threads_thread_id_messages_get as list_messages
from freddy_client.api.messages import (
    update_message_v1_threads_thread_id_messages_message_id_patch as update_message,
)
from freddy_client.api.responses import create_response_v1_model_response_post as create_response
from freddy_client.api.threads import create_thread_v1_threads_post as create_thread
from freddy_client.api.threads import delete_thread_v1_threads_thread_id_delete as delete_thread
from freddy_client.api.threads import get_thread_v1_threads_thread_id_get as get_thread
from freddy_client.api.threads import list_threads_v1_threads_get as list_threads
from freddy_client.api.threads import update_thread_v1_threads_thread_id_patch as update_thread
from freddy_client.api.vector_stores import (
    create_vector_store_v1_organizations_organization_id_vector_stores_post as create_store,
)
from freddy_client.api.vector_stores import (
    delete_vector_store_v1_organizations_organization_id_vector_stores_vector_store_id_delete as delete_store,
)
from freddy_client.api.vector_stores import (
    get_vector_store_v1_organizations_organization_id_vector_stores_vector_store_id_get as get_store,
)
from freddy_client.api.vector_stores import (
    list_vector_stores_v1_organizations_organization_id_vector_stores_get as list_stores,
)
from freddy_client.api.vector_stores import (
    update_vector_store_v1_organizations_organization_id_vector_stores_vector_store_id_patch as update_store,
)
from freddy_client.models import (
    ChatRequest,
    InputMessage,
    ThreadCreate,
    ThreadUpdate,
    UpdateMessageRequest,
    VectorStoreCreate,
    VectorStoreUpdate,
)

from tests.running import FROZEN, mock

ORGANIZATION = "org_abc123"


@pytest.fixture
def client() -> Iterator[AuthenticatedClient]:
    """The client of the demo's owner; an answer that it does not know is an error."""
    with (
        mock("--freeze", FROZEN) as url,
        AuthenticatedClient(url, token="ak_demo_owner", raise_on_unexpected_status=True) as client,
    ):
        yield client


def parsed(operation: Any, *ids: str, **fields: Any) -> Any:
    """What the operation returns, as plain values."""
    answer = operation.sync_detailed(*ids, **fields)
    assert answer.status_code < 300, answer.content
    return answer.parsed.to_dict() if hasattr(answer.parsed, "to_dict") else answer.parsed


def test_threads_and_messages(client: AuthenticatedClient) -> None:
    body = ThreadCreate(ORGANIZATION, title=None, assistant_id=None, visible_in_ui=None)
    thread = parsed(create_thread, client=client, body=body)["id"]
    ask = ChatRequest([InputMessage("user", "Hello")], thread_id=thread, include=None, output_mode=None)
    assert parsed(create_response, client=client, body=ask)["success"] is True
    question, said = parsed(list_messages, thread, client=client)["data"]
    assert (question["attachments"], question["metadata"]) == ([], {})
    edit = UpdateMessageRequest(content=" Bye ", metadata=None)
    assert parsed(update_message, thread, question["id"], client=client, body=edit)["content"] == "Bye"
    assert parsed(delete_message, thread, said["id"], client=client)["deleted"] is True
    changed = parsed(update_thread, thread, client=client, body=ThreadUpdate(title="x", visible_in_ui=None))
    assert parsed(get_thread, thread, client=client) == changed
    assert thread in [each["id"] for each in parsed(list_threads, client=client)["data"]]
    assert parsed(delete_thread, thread, client=client) is None


def test_vector_stores(client: AuthenticatedClient) -> None:
    made = parsed(create_store, ORGANIZATION, client=client, body=VectorStoreCreate(name="Papers"))
    store = made["data"]["id"]
    change = VectorStoreUpdate(name=None, access_mode=None, description="All of them")
    changed = parsed(update_store, ORGANIZATION, store, client=client, body=change)
    assert (changed["data"]["name"], changed["data"]["description"]) == ("Papers", "All of them")
    assert parsed(get_store, ORGANIZATION, store, client=client)["data"] == changed["data"]
    assert store in [each["id"] for each in parsed(list_stores, ORGANIZATION, client=client)["data"]]
    assert parsed(delete_store, ORGANIZATION, store, client=client) is None
