"""What people use today, from npm, each serving our openapi.yaml with the mock's own page as its example."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import yaml

from bench.rows import NotAvailable
from bench.servers import ROOT, Server, fetched, foreign, free_port, mock

CACHE = ROOT / ".venv" / "peers"
_LISTING = "/v1/spaces/{space_id}/threads"


class Peer(NamedTuple):
    """A package of npm, and how its command serves a spec."""

    package: str
    version: str
    command: str
    flags: tuple[str, ...]
    spec_flag: tuple[str, ...] = ()

    def serving(self, spec: Path, port: int) -> list[str]:
        """The command line; NotAvailable if the package can't be had."""
        program = _installed(self) / "node_modules" / ".bin" / self.command
        return [str(program), *self.flags, *self.spec_flag, str(spec), "--port", str(port)]


PEERS = {
    "Prism": Peer("@stoplight/prism-cli", "5.16.0", "prism", ("mock",)),
    "Mockoon": Peer(
        "@mockoon/cli",
        "9.9.0",
        "mockoon-cli",
        ("start", "--hostname", "127.0.0.1", "--disable-log-to-file", "--disable-admin-api"),
        ("--data",),
    ),
}


@cache
def _installed(peer: Peer) -> Path:
    """Where the package is, installed if it is not there yet."""
    if shutil.which("npm") is None:
        raise NotAvailable("missing: npm is not installed")
    folder = CACHE / f"{peer.command}-{peer.version}"
    if not (folder / "node_modules" / ".bin" / peer.command).exists():
        folder.mkdir(parents=True, exist_ok=True)
        print(f"installing {peer.package} {peer.version} …", flush=True)
        wanted = f"{peer.package}@{peer.version}"
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-save", "--prefix", str(folder), wanted]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        except subprocess.TimeoutExpired:
            raise NotAvailable(f"missing: npm did not install {wanted} in 300 s") from None
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[0]
            raise NotAvailable(f"missing: npm can't install {wanted}: {reason[:120]}")
    return folder


@cache
def page() -> bytes:
    """The page of 50 threads that the mock answers, which everybody serves."""
    with mock() as server:
        return fetched(server.url)


@contextmanager
def prepared() -> Iterator[tuple[Path, Path]]:
    """Files for the others: the spec with the page as its example, and the page alone."""
    with TemporaryDirectory() as folder:
        spec, answer = Path(folder) / "openapi.json", Path(folder) / "page.json"
        answer.write_bytes(page())
        spec.write_text(json.dumps(_with_example(json.loads(page()))), encoding="utf-8")
        yield spec, answer


def _with_example(example: Any) -> Any:
    """Our spec; the page stands where each of the peers looks for it."""
    spec = yaml.load((ROOT / "openapi.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    content = spec["paths"][_LISTING]["get"]["responses"]["200"]["content"]["application/json"]
    content.pop("examples", None)
    content["example"] = example
    named = content["schema"].get("$ref", "").rpartition("/")[2]
    schema = spec["components"]["schemas"][named] if named else content["schema"]
    content["schema"] = {**schema, "example": example}
    return spec


@contextmanager
def serving(name: str, spec: Path) -> Iterator[Server]:
    """A peer that serves the spec; NotAvailable unless it answers the page as it should."""
    port = free_port()
    with foreign(PEERS[name].serving(spec, port), port) as server:
        if json.loads(fetched(server.url)) != json.loads(page()):
            raise NotAvailable(f"{name} does not answer the page of its example")
        yield server


def versions() -> dict[str, str]:
    """What is measured beside us."""
    return {name: f"{peer.package} {peer.version}" for name, peer in PEERS.items()}
