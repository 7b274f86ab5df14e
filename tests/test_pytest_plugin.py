"""The pytest plugin: a sandbox for each test, and what it says of a failure."""

from __future__ import annotations

import pytest

from tests.fences import blocks
from tests.running import ROOT

pytestmark = pytest.mark.slow

PASSING = """
    import pytest

    def test_it_is_alone_here(mock):
        client = mock.client()
        made = client.post("/v1/spaces/", json={"organization_id": "org_abc123", "name": "Osaka"})
        assert made.status_code == 201
        assert mock.requests.count(operation="createSpace") == 1

    def test_nobody_else_was_here(mock):
        assert mock.requests.count(operation="createSpace") == 0

    @pytest.mark.mock(scenario="empty", freeze="2026-02-26T10:30:00Z")
    def test_it_begins_as_it_is_told_to(mock):
        assert mock.clock.get() == {"now": "2026-02-26T10:30:00Z", "frozen": True}
        assert mock.client().get("/v1/spaces/space_abc123").status_code == 404

    def test_roles_faults_clock_and_queue(mock):
        thread = "/v1/spaces/space_abc123/threads/thrd_def456"
        assert mock.client("viewer").post(thread).status_code == 403
        mock.faults.add(operation="addThreadToSpace", times=1, error={"status": 503})
        owner = mock.client("owner")
        assert [owner.post(thread).status_code for _ in range(2)] == [503, 201]
        mock.embeddings.policy(mode="manual")
        assert mock.embeddings.step(2)["ended"] == 2
        mock.clock.advance("PT1H")
        assert mock.verify(request={"operation": "addThreadToSpace"}, exactly=3)["verified"]

    def test_no_socket_is_needed(mock_client):
        assert mock_client.get("/v1/spaces/space_abc123").status_code == 200
"""


@pytest.fixture
def written(pytester: pytest.Pytester) -> pytest.Pytester:
    """A test file that passes; each run is a process of its own, as a user's is."""
    pytester.makepyfile(PASSING)
    return pytester


def test_each_test_has_a_sandbox_of_its_own(written: pytest.Pytester) -> None:
    written.runpytest_subprocess("-q").assert_outcomes(passed=5)


def test_the_example_of_the_docs_passes(pytester: pytest.Pytester) -> None:
    (shown,) = (block for block in blocks(ROOT / "docs/pytest.md") if block.label == "test_sharing.py")
    pytester.makepyfile(shown.text)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_a_failed_test_shows_what_was_asked_and_what_was_injected(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_fails(mock):
            mock.faults.add(operation="getSpace", error={"status": 503})
            assert mock.client().get("/v1/spaces/space_abc123").status_code == 200
    """)
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*freddy-mock journal*", "503 GET /v1/spaces/space_abc123*injected*"])
    result.stdout.no_fnmatch_line("*ak_demo_owner*")


def test_an_answer_that_breaks_the_spec_fails_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_looks_away(mock):
            mock.violations = lambda: {"violations": [{"pointer": "/name"}]}
    """)
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the mock violated its own spec*"])


def test_flags_of_the_mock_come_from_the_ini_file(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmock_flags = --freeze 2026-02-26T10:30:00Z --scenario empty\n")
    pytester.makepyfile("""
        def test_it(mock):
            assert mock.clock.get()["frozen"]
            assert mock.client().get("/v1/spaces/space_abc123").status_code == 404
    """)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_mock_that_does_not_start_is_one_line(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmock_flags = --freeze yesterday\n")
    pytester.makepyfile("def test_it(mock):\n    pass\n")
    result = pytester.runpytest_subprocess()
    assert "is not an instant" in result.stderr.str() + result.stdout.str()
    assert result.ret != 0


def test_with_xdist_all_workers_share_one_mock(written: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    written.makeconftest("""
        import os
        import pytest

        @pytest.fixture(autouse=True)
        def told(mock_server, tmp_path_factory):
            place = tmp_path_factory.getbasetemp().parent
            new = place / f"new-{os.getpid()}"
            new.write_text(mock_server.url)
            new.rename(place / f"url-{os.getpid()}")
            urls = {file.read_text() for file in place.glob("url-*")}
            assert len(urls) == 1
    """)
    written.runpytest_subprocess("-n", "2").assert_outcomes(passed=5)
