"""The processes of a measurement: the service, the bare ceiling, and what memory they hold."""

import asyncio
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

READY_SECONDS = 120


class NotReady(RuntimeError):
    """A process ended, or did not say that it is ready, before its time was up."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens and the path its resources live under."""

    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        """host:port."""
        return f"{self.host}:{self.port}"


def address(base_url: str) -> Address:
    """The address of an http base URL. Raises ValueError for anything else."""
    match = re.fullmatch(r"http://([^:/]+):(\d+)(/.*)?", base_url.rstrip("/"))
    if match is None:
        raise ValueError("a base URL is written http://host:port/path")
    return Address(match[1], int(match[2]), match[3] or "")


def free_port() -> int:
    """A TCP port of the loopback interface that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running(
    command: Sequence[str], environment: Mapping[str, str], ready: str
) -> AsyncIterator[int]:
    """The process id of a command, from its line that matches `ready` until it is told to stop.

    Raises NotReady.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_SECONDS):
            await _until(process.stdout, re.compile(ready))
        drain = asyncio.create_task(_drain(process.stdout))
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    await drain


async def _until(output: asyncio.StreamReader, ready: re.Pattern[str]) -> None:
    said: list[str] = []
    while line := (await output.readline()).decode(errors="replace"):
        said.append(line)
        if ready.search(line):
            return
    raise NotReady("".join(said[-20:]))


async def _drain(output: asyncio.StreamReader) -> None:
    while await output.read(65536):
        pass


@asynccontextmanager
async def service(
    data: Path, workers: int, extra: Mapping[str, str]
) -> AsyncIterator[tuple[str, int]]:
    """`isp serve` on a free port; its base URL and its process id."""
    port = free_port()
    environment = {"ISP_DATA_DIR": str(data), "ISP_LOG_LEVEL": "warning", **extra}
    command = [sys.executable, "-m", "app", "serve", "--port", str(port), "--workers", str(workers)]
    async with running(command, environment, r"Ready: http") as process:
        yield f"http://127.0.0.1:{port}/fhir", process


@asynccontextmanager
async def bare(
    database_url: str, workers: int, module: str = "bench.bare"
) -> AsyncIterator[tuple[str, int]]:
    """bench/bare.py, or what is like it, under the same server and event loop as the service."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", f"{module}:app", "--port", str(port)]
    command += ["--workers", str(workers), "--loop", "uvloop", "--http", "httptools"]
    command += ["--no-access-log"]
    environment = {"BENCH_DATABASE_URL": database_url}
    # Every worker says so once it is complete.
    async with running(command, environment, "Application startup complete") as process:
        yield f"http://127.0.0.1:{port}/fhir", process


async def command(arguments: Sequence[str], data: Path) -> str:
    """What `isp …` prints, run beside the server. Raises NotReady when it fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app",
        *arguments,
        env={**os.environ, "ISP_DATA_DIR": str(data)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    if process.returncode:
        raise NotReady(f"isp {arguments[0]}: {err.decode(errors='replace')[-2000:]}")
    return out.decode()


def resident(pid: int) -> list[int]:
    """Resident bytes of the Python processes of a server, the largest first, PostgreSQL aside."""
    sizes = [_resident(member) for member in _family(pid) if _is_worker(member)]
    return sorted(sizes, reverse=True)


def processor_seconds(pid: int) -> float:
    """Processor time that a process and its descendants have used, unlike elapsed time the same on
    a machine that is busy with something else."""
    return sum(_processor_seconds(member) for member in _family(pid))


def _processor_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # it ended meanwhile, as backends of PostgreSQL do
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def postmaster(data: Path) -> int:
    """The process id of the PostgreSQL of a data directory."""
    return int((data / "postgres" / "postmaster.pid").read_text().split()[0])


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return
    for child in children:
        yield from _family(child)


def _is_worker(pid: int) -> bool:
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    return b"python" in command and b"resource_tracker" not in command


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
