"""What docs/replicas.md gives to those who deploy replicas: files that their readers accept."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from mockserver.commands.running import read_flags
from mockserver.settings import Settings
from tests.replicas.cluster import Cluster, cluster, free_port
from tests.running import ROOT, eventually, mock

EXAMPLES = ROOT / "examples/replicas"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
KUBERNETES = "1.31"


def manifests() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((EXAMPLES / "kubernetes.yaml").read_text("utf-8")))


def of_kind(kind: str) -> dict[str, Any]:
    return next(each for each in manifests() if each["kind"] == kind)


@pytest.mark.parametrize("number", range(5))
def test_every_manifest_follows_the_schema_of_kubernetes(number: int) -> None:
    manifest = manifests()[number]
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    manifest["spec"]["unknown"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_the_variables_of_manifests_and_compose_are_settings_of_the_mock() -> None:
    (container,) = of_kind("Deployment")["spec"]["template"]["spec"]["containers"]
    named = {each["name"] for each in container["env"]} - {"POD_IP"}
    compose = yaml.safe_load((ROOT / "compose.replicas.yaml").read_text("utf-8"))
    for service in ("mock-1", "mock-2"):
        assert compose["services"][service]["environment"]["MOCK_ADVERTISE"] == f"http://{service}:4010"
        named |= compose["services"][service]["environment"].keys()
    assert named <= {f"MOCK_{name.upper()}" for name in Settings.model_fields}


def test_a_rolling_update_waits_for_readiness() -> None:
    spec = of_kind("Deployment")["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    (container,) = spec["template"]["spec"]["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/__admin/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/__admin/health"


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx_sends_the_requests_of_a_sandbox_to_one_replica(tmp_path: Path) -> None:
    assert NGINX is not None
    with cluster() as made:
        through_nginx(made, tmp_path, NGINX)


def through_nginx(made: Cluster, folder: Path, program: str) -> None:
    replicas, port = [made.replica(), made.replica()], free_port()
    ours = (EXAMPLES / "nginx.conf").read_text("utf-8").replace("listen 4010", f"listen 127.0.0.1:{port}")
    for number, replica in enumerate(replicas, 1):
        ours = ours.replace(f"mock-{number}:4010", replica.url.removeprefix("http://"))
    paths = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi"))
    paths += "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("uwsgi", "scgi"))
    whole = f"daemon off; pid {folder}/pid; error_log stderr; events {{}} "
    (folder / "nginx.conf").write_text(f"{whole} http {{ access_log off; {paths} {ours} }}", "utf-8")
    child = subprocess.Popen([program, "-p", str(folder), "-c", "nginx.conf"])
    try:
        url = replicas[0].url
        replicas[0].url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            try:
                return replicas[0].names("a").status_code == 200
            except OSError:
                return False

        assert eventually(answers)
        for name in "abcdefgh" * 3:
            assert replicas[0].names(name).status_code == 200
        replicas[0].url = url
        listed = replicas[0].call("GET", "/__admin/sandboxes").json()["sandboxes"]
        owners = [each["owner"] for each in listed]
        assert len(owners) == 8
        assert set(owners) == {url, replicas[1].url}  # each owns what it was asked for
    finally:
        child.terminate()
        child.wait()


def flags(**changed: Any) -> dict[str, Any]:
    given = {"store": "redis://127.0.0.1:1", "advertise": "http://127.0.0.1:2", "replica_token": "a-token-1"}
    return {**given, **changed}


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"advertise": None}, "--store: needs --advertise URL (or MOCK_ADVERTISE)"),
        ({"replica_token": None}, "--store: needs --replica-token TOKEN (or MOCK_REPLICA_TOKEN)"),
        ({"watch": True}, "--store: can't be used with --watch; leave one of them out"),
        ({"persist": Path("kept")}, "--store: can't be used with --persist; leave one of them out"),
        ({"store": None, "replica_token": None}, "--advertise: needs --store redis://HOST"),
        ({"advertise": "mock-1:4010"}, "--advertise (or MOCK_ADVERTISE): is a URL like http://mock-1:4010"),
    ],
)
def test_flags_that_do_not_fit_are_one_line(
    changed: dict[str, Any], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        read_flags(flags(**changed))
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"mockserver: {line}")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["--store", "redis://127.0.0.1:1"], "--store: Redis at 127.0.0.1:1 does not answer"),
        (["--store", "http://127.0.0.1"], "--store: Redis URL must specify one of the following schemes"),
        (["--host", "0.0.0.0"], "--store: needs --admin-token TOKEN, the same for all replicas"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_line(more: list[str], line: str, tmp_path: Path) -> None:
    said = tmp_path / "errors"
    every = ["--store", "redis://127.0.0.1:1", "--advertise", "http://127.0.0.1:2", *more]
    with pytest.raises(AssertionError), mock(*every, errors=said, MOCK_REPLICA_TOKEN="a-token-1"):
        pass
    assert said.read_text("utf-8").startswith(f"mockserver: {line}")
    assert said.read_text("utf-8").count("\n") == 1


def test_another_mock_and_an_old_redis_are_refused(tmp_path: Path) -> None:
    with cluster() as made:
        made.replica()
        every = ["--store", made.redis.url, "--advertise", "http://127.0.0.1:2"]
        said = tmp_path / "errors"
        with (
            pytest.raises(AssertionError),
            mock(*every, "--seed", "7", errors=said, MOCK_REPLICA_TOKEN="x" * 8),
        ):
            pass
        assert "of another mock: seed was 0, is 7; start that one" in said.read_text("utf-8")
        version = made.redis.client.info("server")["redis_version"]
        if tuple(map(int, re.findall(r"\d+", version)[:2])) >= (7, 2):
            made.replica("--store-sync").create()
            return
        with (
            pytest.raises(AssertionError),
            mock(*every, "--store-sync", errors=said, MOCK_REPLICA_TOKEN="x" * 8),
        ):
            pass
        assert f"is {version}, and only 7.2 and later waits for its disk" in said.read_text("utf-8")
