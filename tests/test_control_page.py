"""The page at /__admin/ in a real browser: what it shows, what it can do, and what it keeps to itself."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from mockserver.admin.control_page import FOLDER
from tests.running import FROZEN, ROOT, ready
from tests.tools import installed

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
TOKEN = "a-token-of-the-test"
HOSTILE = "<img src=x onerror=\"document.title='run'\">"
THREADS = "/v1/spaces/space_abc123/threads"
WITHOUT_CONTROL = {
    **dict.fromkeys(("health", "ready"), "for other tools than people"),
    **dict.fromkeys(("viewDocs", "getSpec"), "behind the link Try it"),
    **dict.fromkeys(("seed", "getFault", "changeFault", "getSnapshot"), "a form of its own would not pay"),
    **dict.fromkeys(("queueReply", "listReplies", "clearReplies"), "a test queues replies"),
    **dict.fromkeys(
        ("countRequests", "findRequests", "waitForRequests", "verify"), "the search does it here"
    ),
}
"""Operation of the control API that the page does not call -> reason."""
VIEWS = ("Requests", "Queue", "Data", "State", "Clock", "Faults", "Sandboxes", "Coverage")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium on the PATH")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ready("--quiet", "--freeze", FROZEN, "--admin-token", TOKEN, "--embedding-seconds", "20") as line:
        yield line["url"]


@pytest.fixture
def page(browser: Browser, url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Page of a sandbox of its own, with the token typed in; it fails on any error of the console."""
    with browser.new_context() as context:
        page, errors = context.new_page(), list[str]()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        sandbox = re.sub(r"\W+", "-", request.node.name)[:60]
        requests.post(f"{url}/__admin/sandboxes", json={"id": sandbox}, headers=admin(), timeout=60)
        page.goto(f"{url}/__admin/#/requests?sandbox={sandbox}")
        page.locator("input[type=password]").fill(TOKEN)
        page.get_by_role("button", name="Use it").click()
        expect(page.get_by_text("live")).to_be_visible()
        page.sandbox = sandbox  # type: ignore[attr-defined]
        errors.clear()  # the refusals that made it ask for the token
        yield page
        assert errors == []
        assert page.title() != "run"


def admin() -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKEN}"}


def ask(
    page: Page, url: str, method: str, path: str, key: str = "owner", body: Any = None
) -> requests.Response:
    """Call of the vendor's API in the page's sandbox."""
    headers = {"X-API-Key": f"ak_demo_{key}", "X-Mock-Sandbox": page.sandbox}  # type: ignore[attr-defined]
    return requests.request(method, url + path, headers=headers, json=body, timeout=60)


def view(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=2)).to_contain_text(name, ignore_case=True)


def press(page: Page, name: str, done: str) -> None:
    """Press a button, once more if it asks, and wait for what the foot of the page says."""
    page.get_by_role("button", name=name, exact=True).first.click()
    expect(page.locator("footer")).to_contain_text(done)


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """Tab of another person, whose console may tell of refused calls."""
    with browser.new_context() as context:
        yield context.new_page()


def open_at(other: Page, url: str, sandbox: str) -> None:
    other.goto(f"{url}/__admin/#/requests?sandbox={sandbox}")
    other.locator("input[type=password]").fill(TOKEN)
    other.get_by_role("button", name="Use it").click()
    expect(other.get_by_text("live")).to_be_visible()


@needs_browser
def test_a_request_appears_with_what_decided_it(page: Page, url: str) -> None:
    ask(page, url, "GET", THREADS, "outsider")
    row = page.get_by_role("row").filter(has_text="403")
    expect(row).to_contain_text("usr_outsider")
    row.get_by_role("link").click()
    panel = page.get_by_label("Exchange", exact=True)
    expect(panel).to_contain_text(
        "access refused: usr_outsider has no access by any rule of space_abc123, VIEW needed"
    )
    expect(panel).to_contain_text("View access required")
    press(page, "Fail the next like this", "The next one is answered with 403.")
    assert ask(page, url, "GET", THREADS).status_code == 403
    assert ask(page, url, "GET", THREADS).status_code == 200
    expect(page.get_by_label("Send again as")).to_have_value("ak_demo_outsider")
    page.get_by_label("Send again as").select_option("ak_demo_viewer")
    press(page, "Send again", "Sent again as ak_demo_viewer: 200.")
    expect(page.get_by_role("row").filter(has_text="usr_viewer")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="usr_viewer")).to_contain_text("sent from this page")
    page.get_by_role("button", name="Open the exchange").click()
    expect(panel).to_contain_text("the credential is one of usr_viewer")
    expect(panel).not_to_contain_text("Fail the next")
    row.get_by_role("button", name="403").first.click()
    expect(page.get_by_role("row")).to_have_count(3)
    assert "status=403" in page.url
    page.reload()
    expect(page.get_by_role("row")).to_have_count(3)
    panel.get_by_role("link", name="space_abc123").click()
    expect(page.get_by_label("Record", exact=True)).to_contain_text("organization_id")


@needs_browser
def test_a_hostile_name_is_text_in_every_view(page: Page, url: str) -> None:
    body = {"name": HOSTILE, "organization_id": "org_abc123", "description": HOSTILE}
    assert ask(page, url, "POST", "/v1/spaces/", body=body).status_code == 201
    ask(page, url, "GET", f"/v1/{HOSTILE}?a={HOSTILE}", key=HOSTILE)
    expect(page.get_by_role("row").filter(has_text="404")).to_be_visible()
    view(page, "Data")
    expect(page.get_by_text(HOSTILE, exact=True)).to_be_visible()
    page.get_by_role("row").filter(has_text="onerror").get_by_role("button").click()
    expect(page.get_by_label("Record", exact=True)).to_contain_text("onerror")


@needs_browser
def test_the_queue_shows_what_will_happen_and_the_clock_moves(page: Page, url: str) -> None:
    ask(page, url, "POST", f"{THREADS}/thrd_def456")
    view(page, "Queue")
    expect(page.get_by_role("button", name="4 processing")).to_be_visible()
    expect(page.locator("svg rect:not(.grip)")).to_have_count(4)
    press(page, "Step", "One attempt has ended.")
    expect(page.get_by_role("button", name="3 processing")).to_be_visible()
    page.get_by_label("Move “now” forward").fill("30")
    press(page, "Move", "The clock moved by 30 seconds.")
    expect(page.get_by_role("button", name="0 processing")).to_be_visible()


@needs_browser
def test_a_space_shows_who_may_do_what_and_by_which_rule(page: Page, url: str) -> None:
    view(page, "Data")
    page.get_by_role("button", name="Who may do what").click()
    matrix = page.get_by_role("region", name="Who may do what")
    expect(matrix.get_by_role("columnheader", name="usr_viewer")).to_contain_text("VIEW by access_users")
    expect(matrix.get_by_role("columnheader", name="usr_outsider")).to_contain_text("no access by any rule")
    expect(matrix.get_by_role("row", name="getSpace").get_by_text("yes")).to_have_count(4)
    ask(page, url, "PATCH", "/v1/spaces/space_abc123", body={"access_mode": "organization"})
    expect(matrix.get_by_role("columnheader", name="usr_outsider")).to_contain_text("VIEW by access_mode")


@needs_browser
def test_what_changed_since_the_start_is_listed_with_its_fields(page: Page, url: str) -> None:
    view(page, "Data")
    page.get_by_role("button", name="Changed since the start").click()
    expect(page.get_by_text("Nothing has changed since the start.")).to_be_visible()
    ask(page, url, "PATCH", "/v1/spaces/space_abc123", body={"description": HOSTILE})
    row = page.get_by_role("row").filter(has_text="space_abc123")
    expect(row.locator("ins").filter(has_text="onerror")).to_be_visible()
    row.get_by_role("button", name="space_abc123").click()
    expect(page.get_by_label("Record", exact=True)).to_contain_text("onerror")


@needs_browser
def test_a_thread_is_added_to_a_space_from_either(page: Page, url: str) -> None:
    for kind, opened, label, other, in_space in (
        ("spaces", "space_abc123", "Add a thread", "thrd_def456", "space_abc123"),
        ("threads", "thrd_def456", "Add to the space", "space_team", "space_team"),
    ):
        view(page, "Data")
        page.get_by_label("Kind").select_option(kind)
        page.get_by_role("button", name=opened, exact=True).click()
        page.get_by_label(label).select_option(other)
        press(page, "Add it", f"thrd_def456 is in {in_space}.")
        expect(page.get_by_role("button", name="Watch its 4 messages")).to_be_visible()
    assert "thrd_def456" in ask(page, url, "GET", f"{THREADS}?limit=50").text


@needs_browser
@pytest.mark.parametrize(
    "kind", ["spaces", "threads", "messages", "stores", "files", "links", "users", "keys"]
)
def test_the_proposed_record_fits_and_can_be_duplicated(page: Page, kind: str) -> None:
    view(page, "Data")
    page.get_by_label("Kind").select_option(kind)
    page.get_by_text(f"Add or replace one of the {kind}").click()
    press(page, "Store", "is added.")
    expect(page.get_by_label("Record", exact=True)).to_contain_text("Copy id")
    if kind not in ("files", "links"):
        press(page, "Duplicate", "is stored.")


@needs_browser
def test_a_thread_is_made_by_a_small_form(page: Page, url: str) -> None:
    view(page, "Data")
    page.get_by_label("Kind").select_option("threads")
    page.get_by_text("Add or replace one of the threads").click()
    page.get_by_role("textbox", name="Title", exact=True).fill("Of last week")
    page.get_by_label("Created").select_option("1 week ago")
    page.get_by_label("Pinned").check()
    page.get_by_label("In the space").select_option("space_team")
    press(page, "Add the thread", "is added to space_team.")
    panel = page.get_by_label("Record", exact=True)
    expect(panel).to_contain_text('"created_at": "2026-02-19T10:30:00Z"')
    expect(panel).to_contain_text('"is_pinned": true')


@needs_browser
def test_a_record_that_exists_is_replaced_and_its_panel_is_drawn_again(page: Page) -> None:
    view(page, "Data")
    page.get_by_label("Kind").select_option("keys")
    page.get_by_text("Add or replace one of the keys").click()
    field, panel = page.get_by_label("Id", exact=True), page.get_by_label("Record", exact=True)
    first = field.input_value()
    press(page, "Store", f"{first} is added.")
    expect(field).not_to_have_value(first)
    field.fill(first)
    page.get_by_role("textbox", name="Fields", exact=True).fill(
        '{"user_id": "usr_viewer", "state": "paused"}'
    )
    press(page, f"Replace {first}", f"{first} is replaced.")
    expect(panel).to_contain_text("paused")


@needs_browser
def test_data_keeps_its_choices_while_the_page_is_open(page: Page) -> None:
    view(page, "Data")
    page.get_by_label("Kind").select_option("threads")
    expect(page.get_by_role("button", name="thrd_def456")).to_be_visible()
    page.get_by_label("Search").fill("thrd_def")
    expect(page.get_by_role("button", name="thrd_abc123")).to_have_count(0)
    view(page, "Clock")
    view(page, "Data")
    expect(page.get_by_label("Kind")).to_have_value("threads")
    expect(page.get_by_label("Search")).to_have_value("thrd_def")


@needs_browser
def test_values_are_looked_through_and_the_newest_is_first(page: Page, url: str) -> None:
    ask(page, url, "POST", "/v1/threads", body={"organization_id": "org_abc123", "title": "Newest of all"})
    view(page, "Data")
    page.get_by_label("Kind").select_option("threads")
    expect(page.get_by_role("row").nth(2)).to_contain_text("Newest of all")
    page.get_by_label("Search").fill("organization_id")
    expect(page.get_by_text("No record fits.")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_label("Search")).to_have_value("")
    expect(page.get_by_role("row").filter(has_text="thrd_def456")).to_be_visible()


@needs_browser
def test_a_file_is_loaded_into_a_new_sandbox_that_can_be_opened(page: Page) -> None:
    view(page, "State")
    page.get_by_label("named", exact=True).fill("fair")
    with page.expect_download() as saved:
        press(page, "Save as scenario", "Saved as fair.scenario.json.")
    page.get_by_label("into a new sandbox").fill("fair-2")
    page.get_by_label("Load a file").set_input_files(saved.value.path())
    press(page, "Create", "in fair-2.")
    page.get_by_role("button", name="Open it").click()
    expect(page.locator("header select")).to_have_value("fair-2")


@needs_browser
def test_what_is_lost_is_asked_for_and_can_be_kept(page: Page, url: str) -> None:
    ask(page, url, "GET", THREADS)
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_text("Clear the journal?")).to_be_visible()
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("Clear the journal?")).to_have_count(0)
    expect(page.get_by_role("row")).to_have_count(2)


@needs_browser
def test_a_har_is_recognized_before_it_replaces_anything(page: Page) -> None:
    view(page, "State")
    with page.expect_download() as har:
        page.get_by_role("button", name="Download HAR").click()
    page.get_by_label("Load a file").set_input_files(har.value.path())
    expect(page.locator("footer")).to_contain_text(
        "This is a HAR: open it in the network panel of a browser."
    )
    expect(page.get_by_role("button", name="Replace", exact=True)).to_have_count(0)


@needs_browser
def test_the_start_of_a_scenario_asks_first(page: Page) -> None:
    view(page, "State")
    page.locator("select[name=name]").select_option("empty")
    page.get_by_role("button", name="Start it").click()
    expect(page.get_by_text("Scenario demo, started from")).to_be_visible()
    press(page, "Start it", "Scenario empty is loaded.")


@needs_browser
@pytest.mark.parametrize("key", ["owner", "expired", "paused"])
def test_an_exchange_is_sent_again_with_its_own_key(page: Page, url: str, key: str) -> None:
    ask(page, url, "GET", THREADS, key)
    link = page.get_by_role("row").filter(has_text="listSpaceThreads").get_by_role("link")
    link.click()
    keys = page.get_by_label("Send again as")
    expect(keys).to_have_value(f"ak_demo_{key}")
    expect(keys.locator("option").nth(-1)).to_have_text("ak_demo_paused (usr_abc123, paused)")
    keys.select_option("ak_demo_viewer")
    page.get_by_role("button", name="Close").last.click()
    link.click()
    expect(keys).to_have_value(f"ak_demo_{key}")


@needs_browser
def test_another_exchange_is_shown_from_its_top(page: Page, url: str) -> None:
    for limit in (1, 2):
        ask(page, url, "GET", f"{THREADS}?limit={limit}")
    panel = page.get_by_label("Exchange", exact=True)
    for limit in (1, 2):
        page.get_by_role("row").filter(has_text=f"limit={limit}").get_by_role("link").click()
        expect(panel.get_by_role("heading", level=3)).to_contain_text(f"limit={limit}")
        expect(panel.get_by_role("heading", name="Answer")).to_be_attached()
        assert panel.evaluate("each => each.scrollTop") == 0
        assert panel.evaluate("each => (each.scrollTop = 200, each.scrollTop)") > 0


@needs_browser
def test_an_answer_that_a_page_may_not_read_says_so(page: Page, url: str) -> None:
    headers = {"X-API-Key": "ak_demo_owner", "X-Mock-Sandbox": page.sandbox, "Origin": "https://app.example"}  # type: ignore[attr-defined]
    requests.get(url + THREADS, headers=headers, timeout=60)
    expect(page.get_by_text("200 unreadable")).to_have_class("status unreadable")


@needs_browser
def test_a_preflight_is_part_of_its_request_and_a_refused_one_has_a_row(page: Page, url: str) -> None:
    headers = {"Access-Control-Request-Method": "GET"}
    for origin in ("http://localhost:5173", "https://app.example"):
        requests.options(url + THREADS, headers={**headers, "Origin": origin}, timeout=60)
    refused = page.get_by_role("row").filter(
        has_text="start the mock with --cors-origins https://app.example to allow it"
    )
    expect(refused).to_contain_text("pages of https://app.example may not send it")
    expect(refused).to_contain_text("OPTIONS")
    expect(refused).to_contain_text("preflight for GET")
    page.reload()
    expect(refused).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="no request followed yet")).to_be_visible()
    ask(page, url, "GET", THREADS)
    expect(page.get_by_text("after a preflight of http://localhost:5173")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="no request followed yet")).to_have_count(0)


@needs_browser
def test_an_exchange_shows_what_differs_from_the_last_of_its_operation(page: Page, url: str) -> None:
    ask(page, url, "GET", f"{THREADS}?limit=1")
    ask(page, url, "GET", f"{THREADS}?limit=2", "viewer")
    page.get_by_role("row").filter(has_text="limit=1").get_by_role("link").click()
    expect(page.get_by_text("It is the first call of this operation in the journal.")).to_be_visible()
    page.get_by_role("row").filter(has_text="limit=2").get_by_role("link").click()
    page.get_by_text(
        re.compile(r"\d+ differences from the call of usr_abc123 at .* \(no earlier call by usr_viewer\)")
    ).click()
    expect(page.locator("ins").filter(has_text="limit=2")).to_be_visible()
    expect(page.locator("del").filter(has_text="usr_abc123")).to_be_visible()
    ask(page, url, "POST", f"{THREADS}/thrd_def456")
    ask(page, url, "GET", f"{THREADS}?limit=3")
    page.get_by_role("row").filter(has_text="limit=3").get_by_role("link").first.click()
    page.get_by_text(re.compile(r"differences from the call of usr_abc123 at [\d:]+$")).click()
    added = page.locator("ins").filter(has_text="thrd_")
    expect(added.first).to_have_text(re.compile(r'^"thrd_\w+ \(.*\)"$'))
    press(page, "Answer the next with this", "The next one has the same answer.")
    first, second = (ask(page, url, "GET", f"{THREADS}?limit=1", "outsider") for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 403)


@needs_browser
def test_a_held_stream_is_released_where_it_is_looked_at(page: Page, url: str) -> None:
    view(page, "Faults")
    press(page, "Hold the stream", "The stream is held after 2 events: the next one.")
    expect(page.get_by_role("row").filter(has_text="the next request to createResponse")).to_be_visible()
    asked = {"thread_id": "thrd_abc123", "stream": True, "inputs": [{"role": "user", "content": "Hello"}]}
    with ThreadPoolExecutor() as pool:
        held = pool.submit(ask, page, url, "POST", "/v1/model/response", body=asked)
        view(page, "Requests")
        page.get_by_role("row").filter(has_text="/v1/model/response").get_by_role("link").click()
        panel = page.get_by_label("Exchange", exact=True)
        expect(panel).to_contain_text("200, held after 2 events")
        row = page.get_by_role("row").filter(has_text="/v1/model/response")
        expect(row.locator(".status")).to_have_text("held")
        expect(row.locator(".reason")).to_have_text("held after 2 events")
        press(page, "Release", "What waited goes on.")
        assert "[DONE]" in held.result().text
    expect(panel.get_by_text(re.compile(r"held after 2 events for \d+\.\d s"))).to_be_visible()
    expect(row.locator(".status")).to_have_text("200")


@needs_browser
def test_a_held_answer_says_so_and_keeps_its_time(page: Page, tab: Page, url: str) -> None:
    """The time of a row is that of the start: while it is open, after it, and after a reload."""
    view(page, "Faults")
    press(page, "Hold the answer", "Hold the answer: the next one.")
    open_at(tab, url, page.sandbox)  # type: ignore[attr-defined]
    row = tab.get_by_role("row").filter(has_text=THREADS)
    with ThreadPoolExecutor() as pool:
        held = pool.submit(ask, page, url, "GET", THREADS)
        expect(row.locator(".status")).to_have_text("held")
        expect(row.locator(".reason")).to_have_text("held before its answer")
        time = row.locator("time").text_content()
        view(tab, "Clock")
        view(tab, "Requests")
        expect(row.locator(".status")).to_have_text("held")
        row.get_by_role("link").click()
        press(tab, "Release", "What waited goes on.")
        assert held.result().status_code == 200
    expect(row.locator(".status")).to_have_text("200")
    assert row.locator("time").text_content() == time
    tab.reload()
    assert row.locator("time").text_content() == time


@needs_browser
def test_a_reset_says_which_requests_go_and_later_ones_stay(page: Page, url: str) -> None:
    for _ in range(2):
        ask(page, url, "GET", THREADS)
    view(page, "State")
    page.get_by_role("button", name="Empty", exact=True).click()
    expect(page.get_by_text("Remove all records and the 2 requests?")).to_be_visible()
    press(page, "Empty", "Only people and organizations are left.")
    ask(page, url, "GET", "/v1/threads")
    view(page, "Faults")
    press(page, "503", "503: the next one.")
    view(page, "Requests")
    expect(page.get_by_role("row")).to_have_count(2)


@needs_browser
def test_a_sandbox_that_is_gone_is_told(tab: Page, url: str) -> None:
    requests.post(f"{url}/__admin/sandboxes", json={"id": "soon-gone"}, headers=admin(), timeout=60)
    open_at(tab, url, "soon-gone")
    requests.delete(f"{url}/__admin/sandboxes/soon-gone", headers=admin(), timeout=60)
    expect(tab.get_by_text("Sandbox soon-gone no longer exists.")).to_be_visible()
    tab.get_by_role("button", name="Go to default").click()
    expect(tab.get_by_label("Sandbox")).to_have_value("default")
    expect(tab.get_by_text("no longer exists")).to_have_count(0)


@needs_browser
def test_a_retried_job_stays_visible_under_a_filter(page: Page, url: str) -> None:
    ask(page, url, "POST", f"{THREADS}/thrd_def456")
    view(page, "Queue")
    expect(page.get_by_text("runs now: completes").first).to_be_visible()
    press(page, "Fail", "The job has failed.")
    page.get_by_role("button", name="1 failed").click()
    expect(page.get_by_role("row")).to_have_count(2)
    row = page.get_by_role("row").filter(has_text="space_abc123")
    expect(row.get_by_role("button", name="Fail")).to_have_count(0)
    press(page, "Retry", "queued again")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(row.get_by_role("listitem")).to_have_text(["failed", "to come: completes"])
    expect(row.get_by_role("button", name="Retry")).to_have_count(0)
    requests.post(f"{url}/__admin/reset", headers={**admin(), "X-Mock-Sandbox": page.sandbox}, timeout=60)  # type: ignore[attr-defined]
    expect(page.get_by_text("No job fits the filters.")).to_be_visible()


@needs_browser
@pytest.mark.parametrize("kind", ["malformed", "truncate"])
def test_an_answer_that_a_fault_has_broken_is_shown(page: Page, url: str, kind: str) -> None:
    headers = {"X-API-Key": "ak_demo_owner", "X-Mock-Sandbox": page.sandbox, "X-Mock-Fault": kind}  # type: ignore[attr-defined]
    with suppress(requests.exceptions.ChunkedEncodingError):
        requests.get(url + THREADS, headers=headers, timeout=60)
    page.get_by_role("row").filter(has_text=kind).get_by_role("link").click()
    expect(page.get_by_label("Exchange", exact=True)).to_contain_text("Copy curl")


@needs_browser
def test_now_is_dragged_forward_and_refuses_to_go_back(page: Page, url: str) -> None:
    ask(page, url, "POST", f"{THREADS}/thrd_def456")
    view(page, "Queue")
    now = page.get_by_role("slider", name="Now in space_abc123")
    now.press("ArrowLeft")
    expect(page.locator("footer")).to_contain_text("can't be moved backward")
    box, chart = now.bounding_box(), page.locator("svg").bounding_box()
    assert box is not None
    assert chart is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(chart["x"] + chart["width"] - 2, box["y"] + 20, steps=4)
    page.mouse.up()
    expect(page.locator("footer")).to_contain_text("The clock moved by")
    expect(page.get_by_role("button", name="0 processing")).to_be_visible()


@needs_browser
def test_the_main_ways_need_no_mouse(page: Page, url: str) -> None:
    """Tab, arrows, Enter and space alone: to a request, a fault, the mark of now, and the clock."""
    ask(page, url, "GET", THREADS, "outsider")
    ask(page, url, "POST", f"{THREADS}/thrd_def456")
    expect(page.get_by_role("row")).to_have_count(3)
    tab_to(page, page.get_by_role("row").filter(has_text="403").get_by_role("link"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Fail the next like this"))
    page.keyboard.press("Enter")
    expect(page.locator("footer")).to_contain_text("The next one is answered with 403.")
    tab_to(page, page.get_by_role("link", name="Queue", exact=True), "Shift+Tab")
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("slider", name="Now in space_abc123"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("footer")).to_contain_text("The clock moved by 20 seconds.")
    tab_to(page, page.get_by_role("link", name="Data", exact=True), "Shift+Tab")
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Who may do what"))
    page.keyboard.press("Space")
    expect(page.get_by_role("region", name="Who may do what")).to_be_visible()
    tab_to(page, page.get_by_role("link", name="Faults", exact=True), "Shift+Tab")
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="429"))
    page.keyboard.press("Enter")
    expect(page.locator("footer")).to_contain_text("429: the next one.")


def tab_to(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Move the focus by the keyboard until it is there."""
    expect(wanted).to_be_visible()
    for _ in range(80):
        if wanted.evaluate("each => each === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not reach {wanted}")


@needs_browser
def test_every_field_has_a_label(page: Page, url: str) -> None:
    ask(page, url, "GET", THREADS)
    page.get_by_role("row").filter(has_text="200").get_by_role("link").click()
    expect(page.get_by_label("Send again as")).to_be_visible()
    for name in VIEWS:
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=2)).to_be_visible()
        page.wait_for_timeout(100)
        fields = page.locator("input, select, textarea")
        assert (
            fields.evaluate_all("all => all.filter(each => !each.labels.length).map(each => each.name)") == []
        ), name


@needs_browser
def test_every_operation_has_a_control_or_a_reason(page: Page, url: str) -> None:
    """Uses each control once, and looks which operations were called."""
    called = set[str]()
    routes = routes_of_control()
    page.on("request", lambda sent: called.add(operation_of(sent.method, sent.url, routes)))
    ask(page, url, "GET", THREADS)
    page.reload()
    page.get_by_role("row").filter(has_text="200").get_by_role("link").click()
    press(page, "Delay the next by 3 s", "waits for 3 seconds")
    with page.expect_download():
        page.get_by_role("button", name="Download HAR").click()
    page.get_by_role("button", name="Clear", exact=True).click()
    press(page, "Clear", "The journal is empty.")
    view(page, "Faults")
    press(page, "Remove", "The rule is removed.")
    page.get_by_label("How long").select_option("until removed")
    press(page, "Hold the answer", "Hold the answer: until removed.")
    with ThreadPoolExecutor() as pool:
        held = pool.submit(ask, page, url, "GET", THREADS)
        expect(page.get_by_role("row").filter(has_text="holds")).to_be_visible()
        press(page, "Release", "What waited goes on.")
        press(page, "Remove all", "No rule is left.")
        assert held.result().status_code == 200
    page.get_by_label("How long").select_option("the next one")
    press(page, "503", "503: the next one.")
    press(page, "Profile slow", "Profile slow is on.")
    press(page, "Remove all", "No rule is left.")
    page.get_by_label("Requests a minute").fill("90")
    press(page, "Set", "The limit is set.")
    view(page, "Clock")
    press(page, "Forward 1 day", "The clock moved by 1 day.")
    press(page, "Resume", "The clock ticks.")
    press(page, "Freeze here", "The clock stands still.")
    view(page, "Data")
    page.get_by_role("button", name="Who may do what").click()
    expect(page.get_by_role("region", name="Who may do what")).to_be_visible()
    page.get_by_role("button", name="Changed since the start").click()
    expect(page.get_by_text("differ from the start")).to_be_visible()
    page.get_by_role("button", name="Records", exact=True).click()
    page.get_by_label("Thread", exact=True).fill("thrd_abc123")
    page.get_by_label("Text", exact=True).fill("A word.")
    press(page, "Add", "The message is in the thread.")
    page.get_by_label("Kind").select_option("keys")
    page.get_by_text("Add or replace one of the keys").click()
    page.get_by_label("Id", exact=True).fill("ak_demo_viewer")
    page.get_by_role("textbox", name="Fields", exact=True).fill('{"user_id": "usr_viewer"}')
    press(page, "Replace ak_demo_viewer", "ak_demo_viewer is replaced.")
    page.get_by_label("Fields to change").fill('{"state": "expired"}')
    press(page, "Change", "The record is changed.")
    assert ask(page, url, "GET", THREADS, "viewer").json()["error"]["code"] == "API_KEY_EXPIRED"
    page.get_by_role("button", name="Delete", exact=True).click()
    press(page, "Delete", "The record is deleted.")
    view(page, "Queue")
    press(page, "Pause", "Nothing ends")
    press(page, "Complete", "The job is completed.")
    expect(page.get_by_role("button", name="0 pending")).to_be_visible()
    ask(page, url, "POST", f"{THREADS}/thrd_def456")
    expect(page.get_by_role("button", name="4 pending")).to_be_visible()
    press(page, "Fail", "The job has failed.")
    expect(page.get_by_role("button", name="1 failed")).to_be_visible()
    page.get_by_role("row").filter(has_text="failed").get_by_role("button", name="Retry").click()
    expect(page.locator("footer")).to_contain_text("queued again")
    press(page, "Set", "The policy is set")
    press(page, "Step", "One attempt")
    press(page, "Drain", "All jobs have ended.")
    view(page, "State")
    page.get_by_label("Name", exact=True).fill("before")
    press(page, "Save", "Snapshot before is saved.")
    page.get_by_role("button", name="Restore").click()
    press(page, "Restore", "The snapshot is restored.")
    page.get_by_role("button", name="Delete", exact=True).click()
    press(page, "Delete", "The snapshot is deleted.")
    press(page, "Reset, keep the journal", "as at its start")
    name = page.sandbox  # type: ignore[attr-defined]
    with page.expect_download() as scenario:
        press(page, "Save as scenario", f"Saved as {name}.scenario.json.")
    with page.expect_download() as state:
        press(page, "Download the state", f"Saved as {name}.state.json: data, snapshots, queue and faults")
    for download, done in ((scenario, "Started from"), (state, "as in the file.")):
        page.get_by_label("Load a file").set_input_files(download.value.path())
        press(page, "Replace", done)
    view(page, "Coverage")
    view(page, "Sandboxes")
    page.get_by_label("Name", exact=True).fill(f"{page.sandbox}-2")  # type: ignore[attr-defined]
    press(page, "Create", "is created")
    name = page.get_by_role("button", name=f"{page.sandbox}-2", exact=True)  # type: ignore[attr-defined]
    row = page.get_by_role("row").filter(has=name)
    row.get_by_role("button", name="Fork").click()
    expect(page.locator("footer")).to_contain_text("A copy exists.")
    row.get_by_role("button", name="Delete").click()
    row.get_by_role("button", name="Delete").click()
    expect(page.locator("footer")).to_contain_text("is deleted")
    called.add("streamEvents")  # by the shared worker, which tells no page
    assert {name for name, _, _ in routes} - called == WITHOUT_CONTROL.keys()


def routes_of_control() -> list[tuple[str, str, re.Pattern[str]]]:
    """(operationId, method, pattern of the path) of the control API; fixed paths first."""
    document = yaml.safe_load((ROOT / "mockserver/admin/admin.yaml").read_text("utf-8"))
    return [
        (operation["operationId"], method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path)))
        for path, item in sorted(document["paths"].items(), key=lambda each: "{" in each[0])
        for method, operation in item.items()
    ]


def operation_of(method: str, url: str, routes: list[tuple[str, str, re.Pattern[str]]]) -> str:
    path = re.sub(r"^https?://[^/]+", "", url).split("?")[0]
    return next((name for name, of, at in routes if of == method and at.fullmatch(path)), "")


@needs_browser
@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_view_is_in_the_way_of_a_screen_reader(page: Page, url: str, scheme: Any) -> None:
    """By axe, with what each view has to show, also on a phone."""
    axe = installed.npm("newman").parent.parent / "axe-core" / "axe.min.js"
    ask(page, url, "GET", THREADS, "outsider")
    ask(page, url, "POST", f"{THREADS}/thrd_def456")
    page.emulate_media(color_scheme=scheme)
    page.get_by_role("row").filter(has_text="403").get_by_role("link").click()
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        for name in VIEWS:
            page.get_by_role("link", name=name, exact=True).click()
            expect(page.get_by_role("heading", level=2)).to_be_visible()
            assert_open(page, axe, (name, width))
            for more in ("Who may do what", "Changed since the start") if name == "Data" else ():
                page.get_by_role("button", name=more).click()
                expect(
                    page.get_by_role("region", name=more).or_(page.get_by_role("region", name="Changes"))
                ).to_be_visible()
                assert_open(page, axe, (more, width))


def assert_open(page: Page, axe: Path, place: object) -> None:
    found = page.evaluate(axe.read_text("utf-8") + "; axe.run().then(found => found.violations)")
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], place


@pytest.mark.slow
def test_the_scripts_have_no_error_of_types() -> None:
    """By tsc, but for the library, which is made smaller than tsc can follow."""
    words = "--noEmit --allowJs --checkJs --target es2022 --module esnext --moduleResolution bundler"
    command = [installed.npm("tsc"), *words.split(), "--lib", "dom,dom.iterable,es2024"]
    found = subprocess.run(
        [*map(str, command), *map(str, sorted(FOLDER.glob("*.js")))],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    ).stdout
    errors = [line for line in found.splitlines() if ": error " in line]
    assert [line for line in errors if "preact-htm.js(" not in line] == []
    assert errors  # the library's: it has looked


@needs_browser
def test_seven_tabs_share_one_stream(browser: Browser) -> None:
    """Four threads allow one stream at a time."""
    with ready("--quiet", "--threads", "4") as line, browser.new_context() as context:
        pages = [context.new_page() for _ in range(7)]
        for page in pages:
            page.goto(f"{line['url']}/__admin/")
        for page in pages:
            expect(page.get_by_text("live")).to_be_visible()
        requests.get(line["url"] + THREADS, headers={"X-API-Key": "ak_demo_owner"}, timeout=60)
        for page in pages:
            expect(page.get_by_role("row").filter(has_text="listSpaceThreads")).to_be_visible()


@needs_browser
def test_the_page_says_when_the_mock_is_gone_and_goes_on_when_it_is_back(browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        with ready("--quiet") as line:
            page.goto(f"{line['url']}/__admin/")
            expect(page.get_by_text("live")).to_be_visible()
        expect(page.get_by_text("The mock does not answer; trying again.")).to_be_visible()
        with ready("--quiet", "--port", str(line["port"])):
            expect(page.get_by_text("live")).to_be_visible(timeout=60_000)


@needs_browser
def test_it_works_below_the_address_of_a_sandbox(browser: Browser) -> None:
    with ready("--quiet") as line, browser.new_context() as context:
        page = context.new_page()
        requests.post(f"{line['url']}/__admin/sandboxes", json={"id": "ci-7"}, timeout=60)
        page.goto(f"{line['url']}/__sandbox/ci-7/__admin/")
        expect(page.get_by_label("Sandbox")).to_have_value("ci-7")
        headers = {"X-API-Key": "ak_demo_owner", "X-Mock-Sandbox": "ci-7"}
        requests.get(line["url"] + THREADS, headers=headers, timeout=60)
        expect(page.get_by_role("row").filter(has_text="listSpaceThreads")).to_be_visible()


@needs_browser
def test_the_token_is_in_no_address_and_in_no_other_tab(page: Page, url: str) -> None:
    sent = list[str]()
    page.on("request", lambda request: sent.append(request.url))
    view(page, "State")
    assert sent
    assert not any(TOKEN in each for each in sent)
    assert TOKEN not in page.url
    other = page.context.new_page()
    other.goto(f"{url}/__admin/")
    expect(other.get_by_role("heading", name="Token")).to_be_visible()


def test_the_library_is_the_one_that_was_reviewed() -> None:
    """htm 3.1.1 with Preact in one file."""
    found = hashlib.sha256((FOLDER / "preact-htm.js").read_bytes()).hexdigest()
    assert found == "72284e8e9079c87817145df1110f74e8a2aa040b2fc384922e18dfcb46fc1fd7"


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.js")), ids=lambda file: Path(file).name)
def test_no_script_makes_markup_or_code_of_text(file: Path) -> None:
    words = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|dangerously"
    if file.name != "preact-htm.js":
        assert not re.search(words, file.read_text("utf-8"))
