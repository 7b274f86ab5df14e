"""Replicas over one Redis answer as one mock would, whichever of them is stopped; broken ones are found."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from bench.replicas.__main__ import arguments, measured
from bench.replicas.clients import Client, Told
from bench.replicas.history import History
from bench.replicas.linearizable import by_positions, by_search
from bench.replicas.log import LogReader
from bench.replicas.patches import PATCHES
from bench.replicas.processes import Cluster
from tests.running import eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed"),
]


@pytest.mark.parametrize("without", ["", "lease", "both"])
def test_an_owner_that_wakes_tells_nothing_old_and_a_broken_one_is_found(
    tmp_path: Path, without: str
) -> None:
    history = History()
    with Cluster(tmp_path, 2, patch=PATCHES.get(without, "")) as cluster:
        owner, other = cluster.replicas
        client, log = Client(0, ["s"], cluster.replicas, history, Told()), LogReader(cluster.redis.url)
        log.start()
        assert eventually(lambda: client.call(owner, "s", read=False))
        assert client.call(owner, "s", read=True)  # the first read of a sandbox reserves ids
        owner.pause()
        assert eventually(lambda: client.call(other, "s", read=True))
        assert eventually(lambda: client.call(other, "s", read=False))
        owner.wake()
        for replica, read in ((owner, True), (owner, False), (other, True)):
            assert eventually(partial(client.call, replica, "s", read=read))
        client.close()
        log.finish()
    (operations,) = history.registers().values()
    found = [*by_positions(operations, log.positions), *by_search(operations)]
    assert bool(found) == bool(without), found


def test_under_faults_every_answer_is_explained_by_one_order(tmp_path: Path) -> None:
    words = ["--seconds", "12", "--clients", "8", "--sandboxes", "4", "--longest", "4"]
    result = measured(arguments(words), tmp_path)
    assert not any(result["violations"].values()), result
    assert result["answers"]
