"""Embedding in the background: texts from a queue, one after the other; search by shared words."""

from __future__ import annotations

import re
import threading
from queue import SimpleQueue

from tests.contracts.whole_server.state import Record, State

SECONDS = 0.005
"""Duration of one embedding."""


def words(text: str) -> set[str]:
    """Words of a text."""
    return set(re.findall(r"\w+", text.lower()))


class Embedder(threading.Thread):
    """Thread that embeds until it gets None."""

    def __init__(self, state: State) -> None:
        super().__init__(daemon=True)
        self.state = state
        self.queue: SimpleQueue[tuple[str, str, str] | None] = SimpleQueue()
        self.pause = threading.Event()

    def run(self) -> None:
        """Embed one text after the other."""
        while (job := self.queue.get()) is not None:
            store, id_, text = job
            self.pause.wait(SECONDS)
            self.state.vectors[store, id_] = words(text)
            if (record := self.state.stored.get(store, {}).get(id_)) is not None:
                now = self.state.now()
                done = {"processing_status": "completed", "chunk_count": 1, "processing_completed_at": now}
                record.update(done)

    def add_message(self, message: Record) -> None:
        """Embed a message into the stores of all spaces that its thread is in."""
        for space_id, threads in self.state.links.items():
            if message["thread_id"] in threads:
                self.embed(space_id, [message])

    def embed(self, space_id: str, messages: list[Record]) -> None:
        """Embed messages into the store of a space."""
        store: str = self.state.spaces[space_id]["vector_store_id"]
        for message in messages:
            self.queue.put((store, message["id"], message["content"]))

    def found(self, question: str, spaces: list[str]) -> list[Record]:
        """Messages that share words with the question, best first, of threads that are in the spaces now."""
        asked, state = words(question), self.state
        hits: dict[str, Record] = {}
        for space_id in spaces:
            store = state.spaces[space_id]["vector_store_id"]
            for thread_id in state.links[space_id]:
                for message in state.messages[thread_id]:
                    own = state.vectors.get((store, message["id"]), set())
                    if own != words(message["content"]) or own == asked or not own & asked:
                        continue
                    score = round(len(own & asked) / len(own | asked), 4)
                    names = {"thread_id": thread_id, "message_id": message["id"], "role": message["role"]}
                    hits[message["id"]] = {**names, "text": message["content"], "score": score}
        return sorted(hits.values(), key=lambda hit: -hit["score"])[:10]

    def found_in_files(self, question: str, stores: set[str]) -> list[Record]:
        """Files that share words with the question, best first."""
        asked, hits = words(question), []
        for store_id in stores:
            for file_id, record in self.state.stored[store_id].items():
                own = self.state.vectors.get((store_id, file_id), set())
                if own & asked and record["processing_status"] == "completed":
                    text = self.state.contents[file_id].decode("utf-8", "replace")
                    score = round(len(own & asked) / len(own | asked), 4)
                    names = {"file_id": file_id, "filename": record["file_name"]}
                    hits.append({**names, "score": score, "text": text})
        return sorted(hits, key=lambda hit: -hit["score"])[:10]
