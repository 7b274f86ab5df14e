"""A proxy beside none and beside nginx: `python -m bench.proxied [SECONDS]`.

The target is nginx with one answer that the document allows, which takes as little time as possible, or a
mock. Measured are the median of an answer over the direct one (one client), the rate with 16 clients, and by
how much each event of 8 streams is later than directly.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from mockserver.client.child import Child

PATH, KEY = "/v1/threads?limit=1", {"X-API-Key": "ak_demo_owner"}
EVENTS, STREAMS = 200, 8
NGINX = """
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; keepalive_requests 1000000;
  upstream target {{ server 127.0.0.1:{target}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{target};
    location / {{
      default_type application/json; add_header x-request-id 516734eb-4475-45f2-86bb-f7a0a4b97c10;
      return 200 '{body}';
    }}
  }}
  upstream mock {{ server 127.0.0.1:{mock}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{proxy};
    location / {{ proxy_pass http://target; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
  server {{
    listen 127.0.0.1:{before_mock};
    location / {{ proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


def free_port() -> int:
    """Port that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def nginx(body: str, mock: int) -> Iterator[tuple[int, int, int]]:
    """Ports of a target that always answers this, of a proxy before it, and of one before a mock."""
    binary = shutil.which("nginx")
    assert binary is not None, "nginx is not installed"
    with TemporaryDirectory() as folder:
        target, proxy, before_mock = free_port(), free_port(), free_port()
        file = Path(folder) / "nginx.conf"
        file.write_text(
            NGINX.format(
                folder=folder, target=target, proxy=proxy, before_mock=before_mock, mock=mock, body=body
            )
        )
        process = subprocess.Popen([binary, "-c", str(file), "-e", f"{folder}/error.log"])
        try:
            while not _accepts(proxy):
                time.sleep(0.05)
            yield target, proxy, before_mock
        finally:
            process.terminate()
            process.wait()


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def median(port: int, seconds: float) -> float:
    """Median milliseconds of an answer for one client."""
    connection, times = http.client.HTTPConnection("127.0.0.1", port), list[float]()
    until = time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        connection.request("GET", PATH, headers=KEY)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def rate(port: int, seconds: float) -> float:
    """Answers per second for 16 clients (wrk)."""
    command = ["wrk", "-t1", "-c16", f"-d{seconds:g}s", "-H", f"X-API-Key: {KEY['X-API-Key']}"]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{PATH}"], capture_output=True, text=True, check=True
    )
    return float(done.stdout.partition("Requests/sec:")[2].split()[0])


def delays(ask: Callable[[int], int], target: socket.socket) -> list[float]:
    """Milliseconds by which each event is late: the target writes into it when it was sent."""
    late: list[float] = []

    def serve(connection: socket.socket) -> None:
        with connection:
            while b"{}" not in connection.recv(65536):
                pass
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
            )
            for _number in range(EVENTS):
                connection.sendall(
                    b'data: {"event":"response.heartbeat","at":%d}\n\n' % time.perf_counter_ns()
                )
                time.sleep(0.02)

    def read(port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("POST", "/v1/model/response", b"{}", {**KEY, "Content-Type": "application/json"})
        answer = connection.getresponse()
        while line := answer.readline():
            if line.startswith(b"data:"):
                late.append((time.perf_counter_ns() - json.loads(line[5:])["at"]) / 1e6)

    readers = [threading.Thread(target=read, args=(ask(number),)) for number in range(STREAMS)]
    for reader in readers:
        reader.start()
        threading.Thread(target=serve, args=(target.accept()[0],), daemon=True).start()
    for reader in readers:
        reader.join()
    return sorted(late)


@contextmanager
def proxied(port: int) -> Iterator[int]:
    """Port of our proxy in front of a port."""
    child = Child("--target", f"http://127.0.0.1:{port}", "--quiet", command="proxy")
    assert child.ready is not None
    try:
        yield int(urlsplit(child.ready["url"]).port or 0)
    finally:
        child.end()


@contextmanager
def served() -> Iterator[tuple[int, str]]:
    """Port of a mock, and its answer."""
    child = Child("--quiet")
    assert child.ready is not None
    port = int(child.ready["port"])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", PATH, headers=KEY)
    text = connection.getresponse().read().decode()
    connection.close()
    try:
        yield port, text
    finally:
        child.end()


def compared(name: str, ours: int, nginx_: int, seconds: float) -> None:
    """Print the best of three rates of each, measured in turns."""
    found = [(rate(ours, seconds), rate(nginx_, seconds)) for _ in range(3)]
    best = [max(each) for each in zip(*found, strict=True)]
    print(f"rate {name}: ours {best[0]:.0f}/s, nginx {best[1]:.0f}/s, 1/{best[1] / best[0]:.1f}")


def main(seconds: float) -> None:
    """Measure and print."""
    with (
        served() as (mock, body),
        nginx(body, mock) as (target, beside, before_mock),
        proxied(target) as ours,
    ):
        direct, ours_p50, theirs = (median(port, seconds) for port in (target, ours, beside))
        print(
            f"p50: direct {direct:.2f} ms, ours {ours_p50:.2f} (+{ours_p50 - direct:.2f}), nginx {theirs:.2f}"
        )
        compared("before nginx", ours, beside, seconds)
        with proxied(mock) as ours_before_mock:
            compared("before a mock", ours_before_mock, before_mock, seconds)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
        plain = delays(lambda _: port, listener)
        with proxied(port) as ours:
            late = delays(lambda _: ours, listener)
    for name, times in (("direct", plain), ("ours", late)):
        print(
            f"events: {name} p50 {times[len(times) // 2]:.2f} ms, p99 {times[len(times) * 99 // 100]:.2f} ms"
        )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 5)
