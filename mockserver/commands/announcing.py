"""What a mock, or a proxy, says when it is ready."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click
import orjson

from mockserver import __version__
from mockserver.commands.addresses import EVERY_ADDRESS, url_of, urls_to_open
from mockserver.settings import REVISIONS, Settings

if TYPE_CHECKING:
    from mockserver.proxy.options import ProxyOptions


def print_error(text: str) -> None:
    """Print one line to stderr."""
    click.echo("mockserver: " + " ".join(text.split()), err=True)


def announce_mock(
    settings: Settings,
    connections: int,
    port: int,
    second: int | None,
    keys: list[str],
    token: str | None,
    profile: str | None,
) -> None:
    """Print how a mock is reached.

    `token`: a generated one, which is printed nowhere else; `profile`: what is followed of it.
    """
    if settings.api_key and settings.api_key not in keys:
        print_error(f"FREDDY_API_KEY is not used: scenario {settings.scenario!r} has no usr_abc123")
    newer = None if settings.revision == REVISIONS[0] else settings.revision
    url, urls = url_of(settings.host, port), urls_to_open(settings.host, port)
    if not sys.stdout.isatty():
        ready: dict[str, Any] = {"url": url, "port": port, "pid": os.getpid(), "scenario": settings.scenario}
        ready |= {"connections": connections, "threads": settings.threads}
        wide = urls if settings.host in EVERY_ADDRESS else None
        more = {"urls": wide, "admin_token": token, "fault_port": second, "revision": newer}
        more["profile"] = profile
        click.echo(orjson.dumps(ready | {name: value for name, value in more.items() if value is not None}))
        return
    listed_keys = [key for key in keys if key != settings.api_key]
    shown, url = " and ".join(click.style(each, bold=True) for each in urls), urls[0]
    click.echo(f"{click.style('Freddy mock', bold=True)} {__version__} on {shown}")
    if newer is not None:
        click.echo(f"  revision  {newer}")
    if profile is not None:
        click.echo(f"  profile   {profile}")
    click.echo(f"  scenario  {settings.scenario}")
    click.echo(f"  keys      {', '.join(listed_keys)}{' and FREDDY_API_KEY' if settings.api_key else ''}")
    click.echo(f"  try       curl {url}/v1/spaces/space_abc123/threads -H 'X-API-Key: ak_demo_owner'")
    if second is not None:
        click.echo(f"  faults    {urls_to_open(settings.host, second)[0]} can reset connections")
    click.echo(f"  limits    {connections} connections, {settings.threads} threads")
    paths = "/health, /reset, /clock, /faults, /embeddings, /replies, /requests"
    click.echo(f"  control   {url}/__admin{paths}")
    if token is not None:
        click.echo(f"  token     {token}  (for /__admin, as Authorization: Bearer …)")
    click.echo(f"  page      {url}/__admin/")
    click.echo(f"  docs      {url}/__admin/docs, README.md and docs/; mockserver serve --help")


def announce_proxy(proxy: ProxyOptions, connections: int, threads: int, url: str, token: str | None) -> None:
    """Print how a proxy is reached."""
    if not sys.stdout.isatty():
        ready = {"url": url, "port": int(url.rpartition(":")[2]), "pid": os.getpid(), "mode": "proxy"}
        ready |= {"target": proxy.target, "connections": connections, "threads": threads}
        click.echo(orjson.dumps(ready | ({} if token is None else {"admin_token": token})))
        return
    click.echo(f"{click.style('Proxy', bold=True)} {__version__} on {click.style(url, bold=True)}")
    click.echo(f"  target    {proxy.target}")
    click.echo(f"  control   {url}/__admin/violations, /requests, /faults, /events, /coverage, /verify")
    if token is not None:
        click.echo(f"  token     {token}  (for /__admin, as Authorization: Bearer …)")
    click.echo(f"  page      {url}/__admin/")
    click.echo("  docs      docs/proxy.md; mockserver proxy --help")
