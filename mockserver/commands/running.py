"""A mock from its settings to its end."""

from __future__ import annotations

import ctypes
import gc
import os
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from mockserver.commands.addresses import url_of
from mockserver.commands.announcing import announce_mock, announce_proxy, print_error
from mockserver.files import require_writable, write_whole
from mockserver.openapi.yaml_document import DocumentError
from mockserver.settings import Settings, SettingsError, read_settings, variable

if TYPE_CHECKING:
    from mockserver.app import MockServer
    from mockserver.http.log import RequestLog
    from mockserver.proxy.options import ProxyOptions

NOT_GIVEN = (None, ())
"""Values of a flag that was not given; () of one that may be repeated."""
UNUSABLE = 2
"""Exit code for an invalid flag, setting, spec or scenario, and for a port in use."""


def run(settings: Settings, proxy: ProxyOptions | None = None) -> NoReturn:
    """Serve until a signal, and exit; with `proxy` in front of another server."""
    # Imported here, so that --help and an invalid flag answer at once.
    from mockserver.app import create_app
    from mockserver.commands.reload import reload_on_change
    from mockserver.http.log import RequestLog
    from mockserver.server import fault_port, listeners, process_limits
    from mockserver.server import granian_server as server

    log, stopping, serving = (
        RequestLog(quiet=settings.quiet, probes=settings.log_probes),
        threading.Event(),
        threading.Event(),
    )
    if settings.end_with_stdin:
        threading.Thread(target=_end_with_stdin, args=(stopping, serving), name="stdin", daemon=True).start()
    try:
        capacity = process_limits.capacity_of_process()
        limits = process_limits.fitting(
            settings.threads, capacity, fault_port=settings.fault_port is not None
        )
        settings = settings.model_copy(update={"threads": limits.threads})
        app = create_app(settings, log=log, stopping=stopping, proxy=proxy)
        _require_writable(settings.export_on_exit)
        main_port, second_port = _listeners(settings)
    except (DocumentError, listeners.PortTaken, OSError) as error:
        fail(error)
    _log_foreign(app, log)
    _release_memory()
    gc.freeze()  # everything alive now stays: scanning it takes seconds for large data
    gc.enable()  # __main__ disables it
    port: int = main_port[0].getsockname()[1]
    second: int | None = second_port[0].getsockname()[1] if second_port else None
    timeouts = server.Timeouts(settings.body_timeout, settings.keep_alive)

    def announce() -> None:
        if settings.port_file is not None:
            write_whole(settings.port_file, str(port))
        generated = app.admin_token if settings.admin_token is None else None
        if proxy is not None:
            announce_proxy(
                proxy, limits.connections, settings.threads, url_of(settings.host, port), generated
            )
            return
        announce_mock(
            settings,
            limits.connections,
            port,
            second,
            sorted(app.sandboxes.default.directory.credentials),
            generated,
            app.profile.words,
        )

    most = limits.fault_connections
    fault_port.start(app, second_port, most=most, timeouts=timeouts, body_limit=app.body_limit)
    if settings.watch:
        reload_on_change(app, settings, log)
    serving.set()
    try:
        server.serve(
            app,
            main_port,
            stopping=app.stopping,
            limits=limits,
            timeouts=timeouts,
            body_limit=app.body_limit,
            on_ready=announce,
            notice=log.notice,
        )
    except OSError as error:
        print_error(f"cannot write the port file: {error}")
        server.leave(UNUSABLE)
    if not _kept(app, settings):
        server.leave(UNUSABLE)
    code = 0 if app.front is None else app.front.end()
    log.flush()
    server.leave(code)


def read_flags(flags: dict[str, Any]) -> Settings:
    """Settings of the flags that were given, and of the environment."""
    values = {name: value for name, value in flags.items() if value not in NOT_GIVEN}
    if "port" not in values and not os.environ.get("MOCK_PORT") and os.environ.get("PORT"):
        values["port"] = os.environ["PORT"]
    try:
        settings = read_settings(values)
        if settings.watch and settings.persist is not None:
            raise SettingsError("--persist: can't be used with --watch; leave one of them out")
        _require_fitting_store(settings)
        return settings
    except SettingsError as error:
        fail(error)


def _require_fitting_store(settings: Settings) -> None:
    """SettingsError for flags that `--store` lacks, or can't be used with."""
    if settings.store is None:
        for flag in ("advertise", "replica_token", "strict_reads", "store_sync"):
            if getattr(settings, flag):
                raise SettingsError(f"--{flag.replace('_', '-')}: needs --store redis://HOST")
        return
    for flag in ("watch", "persist", "export_on_exit"):
        if getattr(settings, flag):
            raise SettingsError(
                f"--store: can't be used with --{flag.replace('_', '-')}; leave one of them out"
            )
    for flag, value in (("advertise", "URL"), ("replica_token", "TOKEN")):
        if not getattr(settings, flag):
            raise SettingsError(f"--store: needs --{flag.replace('_', '-')} {value} (or {variable(flag)})")


def _kept(app: MockServer, settings: Settings) -> bool:
    """Write the state of a mock that ends, where the settings say so: whether it could be written."""
    if app.keeper is not None:
        app.keeper.close()
    if settings.export_on_exit is not None:
        default = app.sandboxes.default
        try:
            with default.transaction():
                session = default.session()
            app.states.write(settings.export_on_exit, session, dict(app.sandboxes.snapshots.listed()))
        except OSError as error:
            print_error(f"cannot export the state: {error}")
            return False
    return True


def _log_foreign(app: MockServer, log: RequestLog) -> None:
    """Log what the mock does not understand of documents of `--also`."""
    for foreign in app.foreign:
        for line in foreign.lines(whole=False):
            log.notice(line)


def _release_memory() -> None:
    """Release memory that only the start needed: a tenth of it, if the C library can."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def fail(error: Exception) -> NoReturn:
    """Exit because of unusable input."""
    print_error(str(error))
    sys.exit(UNUSABLE)


def _listeners(settings: Settings) -> tuple[list[socket.socket], list[socket.socket]]:
    """Those of the main port and of the fault port, or none of them; without a fault port it has none."""
    from mockserver.server import listeners

    main = listeners.bind(settings.host, settings.port)
    if settings.fault_port is None:
        return main, []
    try:
        return main, listeners.bind(settings.host, settings.fault_port)
    except listeners.PortTaken as error:
        for each in main:
            each.close()
        raise listeners.PortTaken(str(error).replace("--port", "--fault-port")) from None


def _require_writable(file: Path | None) -> None:
    """Fail at the start rather than on exit, when the state would be lost."""
    if file is None:
        return
    try:
        require_writable(file)
    except OSError as error:
        raise OSError(
            f"--export-on-exit: {file} {error.strerror}; give a file in a writable folder"
        ) from error


def _end_with_stdin(stopping: threading.Event, serving: threading.Event) -> None:
    """Stop at the end of standard input; before the mock serves there is nothing to save."""
    with suppress(OSError):
        while os.read(0, 65536):
            pass
    if not serving.is_set():
        os._exit(0)
    stopping.set()
