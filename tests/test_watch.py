"""--watch: a changed scenario or spec is served at once, and a bad one leaves the last good one."""

from __future__ import annotations

import shutil
from pathlib import Path

import requests

from tests.running import ROOT, eventually, mock

DEMO = ROOT / "mockserver/scenarios/demo.yaml"
OWNER = {"X-API-Key": "ak_demo_owner"}


def name_of_the_space(url: str) -> str:
    answer = requests.get(f"{url}/v1/spaces/space_abc123", headers=OWNER, timeout=60)
    name: str = answer.json()["name"]
    return name


def test_a_changed_scenario_is_served_and_a_bad_one_is_not(tmp_path: Path) -> None:
    world, errors = tmp_path / "world.yaml", tmp_path / "stderr"
    whole = DEMO.read_text("utf-8")
    world.write_text(whole, "utf-8")
    with mock("--scenario", str(world), "--watch", errors=errors) as url:
        before = name_of_the_space(url)
        requests.post(
            f"{url}/v1/spaces/", headers=OWNER, json={"organization_id": "org_abc123", "name": "Mine"}
        )
        world.write_text(whole.replace(before, "Osaka"), "utf-8")
        assert eventually(lambda: name_of_the_space(url) == "Osaka")
        world.write_text("organizations: 7\n", "utf-8")
        assert eventually(lambda: "the old one stays" in errors.read_text("utf-8"))
        assert name_of_the_space(url) == "Osaka"
        world.write_text(whole, "utf-8")
        assert eventually(lambda: name_of_the_space(url) == before)


def test_only_sandboxes_of_a_changed_scenario_restart(tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copy(DEMO, tmp_path / f"{name}.yaml")
    new, errors = {"organization_id": "org_abc123", "name": "Mine"}, tmp_path / "stderr"
    with mock("--scenarios", str(tmp_path), "--watch", errors=errors) as url:
        for name in ("one", "two"):
            requests.post(f"{url}/__admin/sandboxes", json={"id": f"of-{name}", "scenario": name}, timeout=60)
        for prefix in ("", "/__sandbox/of-one", "/__sandbox/of-two"):
            requests.post(f"{url}{prefix}/v1/spaces/", headers=OWNER, json=new, timeout=60)
        (tmp_path / "one.yaml").write_text(DEMO.read_text("utf-8") + "\n", "utf-8")
        assert eventually(lambda: "one.yaml changed; restarted: of-one" in errors.read_text("utf-8"))
        listed = requests.get(f"{url}/__admin/sandboxes", timeout=60).json()["sandboxes"]
        assert {each["id"]: each["counts"]["spaces"] for each in listed} == {"default": 6, "of-two": 6}
        events = requests.get(
            f"{url}/__admin/events?sandbox=*&timeout=0", headers={"Last-Event-ID": "0"}, timeout=60
        ).text
        assert '"event":"reload","sandbox":null' in events


def test_a_changed_spec_is_served(tmp_path: Path) -> None:
    spec = tmp_path / "openapi.yaml"
    shutil.copy(ROOT / "openapi.yaml", spec)
    with mock("--spec", str(spec), "--watch") as url:
        page = f"{url}/v1/spaces/space_team/threads"
        assert len(requests.get(page, headers=OWNER, timeout=60).json()["data"]) == 50
        text = spec.read_text("utf-8")
        assert "maximum: 100, default: 50" in text
        spec.write_text(text.replace("maximum: 100, default: 50", "maximum: 100, default: 7"), "utf-8")
        assert eventually(lambda: len(requests.get(page, headers=OWNER, timeout=60).json()["data"]) == 7)


def test_nothing_to_watch_is_said(tmp_path: Path) -> None:
    errors = tmp_path / "stderr"
    with mock("--watch", errors=errors):
        assert eventually(lambda: "nothing to watch" in errors.read_text("utf-8"))
