"""An export and an address in, a server on it until it is told to stop: what `gendsl serve` does."""

import errno
import ipaddress
import logging
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gendsl.lower.errors import UserError
from gendsl.serve.finding import Found, found
from gendsl.serve.limits import Limits

_EXTRA = "pip install 'gendsl[serve]'"
_BACKLOG = 4096
_LATEST = 30.0  # seconds in which a connection has to say what it wants
_PATIENCE = 3  # seconds for requests that are under way when the server is stopped
_FILES = 65_536  # a connection is one
_CARD_BYTES = 16 * 1024**2


def serve(
    export: str | Path,
    *,
    host: str,
    port: int,
    limits: Limits,
    say: Callable[[str], None],
    warn: Callable[[str], None],
    failed: Callable[[Exception], None],
) -> None:
    """Serves an export until SIGINT; `say` hears where, `warn` what a person should know, `failed` our own mistakes.

    Raises UserError: no export, a damaged one, a port that is taken, a package that is missing."""
    model_found = found(export)
    _need_packages()
    listening = _listening(host, port)
    try:
        _serve(model_found, listening, host, limits, say, warn, failed)
    finally:
        listening.close()


def _serve(
    model_found: Found,
    listening: socket.socket,
    host: str,
    limits: Limits,
    say: Callable[[str], None],
    warn: Callable[[str], None],
    failed: Callable[[Exception], None],
) -> None:
    from gendsl.run.folder import read_json
    from gendsl.serve.application import application
    from gendsl.serve.description import described
    from gendsl.serve.drawing import Drawing, sheets_of
    from gendsl.serve.guard import Guard
    from gendsl.serve.marking import origin_in
    from gendsl.serve.model import SavedModel
    from gendsl.serve.page import page_of
    from gendsl.serve.rest import Rest
    from gendsl.serve.worker import Worker

    folder = model_found.folder
    faults = _faults(folder)
    for fault in faults:
        warn(f"{folder}: {fault}")
    loopback = _is_loopback(listening)
    if not loopback:
        warn(f"on {host} everyone who reaches this machine can ask this server: it has no passwords and no encryption")
    say(f"loading {model_found.name}, version {model_found.version}, from {folder}…")
    model = SavedModel(folder)
    record = read_json(folder / "gendsl.json") or {}
    signatures = described(model.signatures, record)
    worker = Worker(waiting=limits.waiting, seconds=limits.seconds)
    rest = Rest(model_found, model, signatures, worker, limits)
    sheets = sheets_of(signatures, folder)
    experiment = record.get("experiment")
    origin = origin_in(folder, experiment if isinstance(experiment, str) else model_found.name)
    drawing = Drawing(rest, sheets, limits, origin)
    card = _card(folder)
    page = page_of(model_found, record, sheets, limits, card=card is not None, faults=faults)
    app = application(model_found.name, rest, drawing, page, card)
    guard = Guard(app, limits, loopback=loopback, failed=failed)
    for line in _told(listening, host, model_found, model.signatures):
        say(line)
    try:
        _run(guard, listening)
    finally:
        worker.stop(patience=_PATIENCE)
    say(f"stopped after {guard.answered:,} answers")


def _need_packages() -> None:
    for package in ("starlette", "uvicorn", "orjson"):
        try:
            __import__(package)
        except ImportError:
            raise UserError(f"`gendsl serve` needs the package {package}, which is not installed", _EXTRA) from None


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens: those who call while the model is loaded wait for it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise UserError(f"`{host}` is no address of this machine", "leave --host out for 127.0.0.1") from None
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise _refused(host, port, error) from None
    return made


def _refused(host: str, port: int, error: OSError) -> UserError:
    match error.errno:
        case errno.EADDRINUSE:
            help = f"give another, `--port {port + 1 if port < 65_535 else 8501}`, or `--port 0` for any that is free"
            return UserError(f"port {port} of {host} is taken by another program", help)
        case errno.EACCES:
            return UserError(f"port {port} is not for everyone", "give one above 1023, `--port 8501`")
        case _:
            return UserError(f"nothing can listen on {host}: {error.strerror}", "leave --host out for 127.0.0.1")


def _is_loopback(listening: socket.socket) -> bool:
    return ipaddress.ip_address(listening.getsockname()[0]).is_loopback


def _faults(folder: Path) -> list[str]:
    """What is wrong with the chain of an export."""
    from gendsl.export.chain import faults

    return faults(folder)


def _card(folder: Path) -> bytes | None:
    path = folder / "card.html"
    try:
        if path.is_symlink() or path.stat().st_size > _CARD_BYTES:
            return None
        return path.read_bytes()
    except OSError:
        return None


def _told(listening: socket.socket, host: str, model_found: Found, signatures: Mapping[str, Any]) -> list[str]:
    """What a person needs to begin: the page, a line for curl, how to stop."""
    own, port = listening.getsockname()[:2]
    shown = "localhost" if ipaddress.ip_address(own).is_unspecified else host
    address = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
    lines = [
        f"page       {address}/",
        f"API        {address}/v1/models/{quote(model_found.name)}",
        f"signatures {', '.join(signatures)}",
    ]
    default = signatures.get("serving_default")
    if default is not None and set(default.inputs) == {"n", "seed"}:
        data = '{"inputs": {"n": 4, "seed": 1}}'
        lines.append(f"try        curl -d '{data}' {address}/v1/models/{quote(model_found.name)}:predict")
    return [
        *lines,
        "Ctrl-C stops it; it is for trying a model, and production is TensorFlow Serving's (docs/serving.md)",
    ]


def _run(app: Any, listening: socket.socket) -> None:
    import uvicorn

    _allow_connections()
    # What goes wrong with a request is told to who sent it; a line for each of 10,000 would help nobody here.
    for name in ("uvicorn", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        app,
        http=_protocol(),
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_PATIENCE,
    )
    try:
        uvicorn.Server(config).run([listening])
    except KeyboardInterrupt:  # how a server ends
        return


def _protocol() -> Any:
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Protocol(H11Protocol):
        """HTTP/1.1 for those who say what they want: a connection that stays silent is closed."""

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._silent = self.loop.call_later(_LATEST, self._close_if_silent)

        def connection_lost(self, exc: Exception | None) -> None:
            self._silent.cancel()  # it would hold this connection in memory
            super().connection_lost(exc)

        def _close_if_silent(self) -> None:
            if self.cycle is None and not self.transport.is_closing():
                self.transport.close()

    return Protocol


def _allow_connections() -> None:
    """As many open files as the system lets us have, within reason."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
