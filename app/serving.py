"""`isp serve`: the worker processes, and what is told to whoever started them."""

import gc
import http.client
import os
import signal
import sys
import tempfile
import threading
import time
from asyncio import AbstractServer, BaseProtocol
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket as Socket
from types import FrameType
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from app import logs
from app.jobs import asynchronous, clock, expiry, indexing, labelling, sealing
from app.main import create_app
from app.settings import Settings

JOBS = tuple(each.keep for each in (clock, indexing, labelling, sealing, asynchronous, expiry))
"""What every worker does beside answering."""

GRACE = 10
"""Seconds that requests in progress have to finish when the server stops."""


class EvenLoop(uvloop.Loop):
    """An event loop whose server has a socket of its own, at the address of the one that is bound.

    The kernel spreads connections evenly over sockets; of workers at one socket, the first to wake
    takes all that came at once. https://man7.org/linux/man-pages/man7/socket.7.html SO_REUSEPORT
    """

    async def create_server(  # type: ignore[override]  # as uvicorn calls it
        self, factory: Callable[[], BaseProtocol], *, sock: Socket, **options: Any
    ) -> AbstractServer:
        """As asyncio's, at the address of `sock`; raises OSError where that is taken."""
        host, port = sock.getsockname()[:2]
        return await super().create_server(factory, host, port, reuse_port=True, **options)


def application() -> ASGIApp:
    """The application of one worker process, which has its settings from the environment."""
    settings = Settings()
    logs.configure(settings)
    app = create_app(settings, jobs=JOBS)
    # What is here now stays as long as the process: no collection has to look at it again.
    gc.freeze()
    # A large Bundle makes some hundred thousand objects that live as long as its request: looking
    # through them again and again took a tenth of the time.
    gc.set_threshold(50_000, 20, 10)
    return app


def configuration(settings: Settings) -> uvicorn.Config:
    """How the workers serve."""
    return uvicorn.Config(
        "app.serving:application",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="app.serving:EvenLoop" if settings.workers > 1 else "uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=GRACE,
    )


def serve(settings: Settings, socket: Socket, welcome: str) -> bool:
    """Serve until SIGINT or SIGTERM; `welcome` is printed as soon as requests succeed.

    `socket` is bound already. Whether the server ever started.
    """
    config = configuration(settings)
    os.environ.update(settings.environment())
    with _shared_metrics(settings.workers), _address_recorded(settings):
        threading.Thread(target=_announce, args=(settings, welcome), daemon=True).start()
        if settings.workers > 1:
            Multiprocess(config, sockets=[socket]).run()
            return True
        server = uvicorn.Server(config)
        server.run(sockets=[socket])
        return server.started


def stop_on_sigterm() -> None:
    """End like Ctrl-C does, so that whatever was started is stopped on the way out."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


def ignore_signals() -> None:
    """Let nothing interrupt what is left to do: stopping the database."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def recorded_base_url(data_dir: Path) -> str | None:
    """The base URL of the server that runs on this data directory, for commands beside it."""
    try:
        return (data_dir / "base-url").read_text().strip() or None
    except FileNotFoundError:
        return None


@contextmanager
def _address_recorded(settings: Settings) -> Iterator[None]:
    file = settings.data_dir / "base-url"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{settings.base_url}\n")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


@contextmanager
def _shared_metrics(workers: int) -> Iterator[None]:
    """A directory in which several workers add up their counters."""
    if workers == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="isp-metrics-") as directory:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory
        yield


def _announce(settings: Settings, welcome: str) -> None:
    """Print the welcome when the server says that it is ready."""
    while not _is_ready(settings):
        time.sleep(0.02)
    sys.stdout.write(f"{welcome}\nReady: {settings.base_url}\n")
    sys.stdout.flush()


def _is_ready(settings: Settings) -> bool:
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    connection = http.client.HTTPConnection(
        anywhere.get(settings.host, settings.host), settings.port, timeout=2
    )
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
