"""A load generator: HTTP/1.1 keep-alive connections, each with one request in flight.

Written on asyncio's protocol layer because a general client costs more than the server measured.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

END = b"\r\n\r\n"
NO_CONTENT = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, its head unparsed."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of the first header of that name, or None."""
        wanted = name.lower().encode() + b":"
        for line in self.head.split(b"\r\n"):
            if line.lower().startswith(wanted):
                return line[len(wanted) :].strip().decode()
        return None


class Connection(asyncio.Protocol):
    """One connection; `ask` sends a request and waits for its whole answer."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._waiting: asyncio.Future[Response] | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._head: tuple[int, bytes, int | None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to write to."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail whoever waits for an answer."""
        self._transport = None
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(ConnectionError("closed by the server"))

    def ask(self, request: bytes) -> "asyncio.Future[Response]":
        """Send a request; ConnectionError when the server closes instead of answering."""
        if self._transport is None:
            raise ConnectionError("not connected")
        self._buffer.clear()
        self._head = None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._waiting

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Collect the answer and hand it over when it is complete."""
        self._buffer += data
        if self._head is None:
            self._parse_head()
        if self._head is not None and (body := self._whole_body(self._head[2])) is not None:
            waiting, self._waiting = self._waiting, None
            if waiting and not waiting.done():
                waiting.set_result(Response(self._head[0], self._head[1], body))

    def _parse_head(self) -> None:
        end = self._buffer.find(END)
        if end < 0:
            return
        head = bytes(self._buffer[:end])
        del self._buffer[: end + len(END)]
        status = int(head[9:12])
        length = Response(status, head, b"").header("content-length")
        if length is None and status in NO_CONTENT:
            length = "0"
        self._head = (status, head, None if length is None else int(length))

    def _whole_body(self, length: int | None) -> bytes | None:
        if length is None:
            return _chunks(self._buffer)
        return bytes(self._buffer) if len(self._buffer) >= length else None


def _chunks(buffer: bytearray) -> bytes | None:
    """The joined chunks of a chunked body, None while the last one is missing."""
    parts: list[bytes] = []
    start = 0
    while (end := buffer.find(b"\r\n", start)) >= 0:
        size = int(buffer[start:end].split(b";")[0], 16)
        if size == 0:
            return b"".join(parts)
        parts.append(bytes(buffer[end + 2 : end + 2 + size]))
        start = end + 2 + size + 2
        if start > len(buffer):
            return None
    return None


def request(
    method: str,
    url: str,
    host: str,
    token: str | None = None,
    body: bytes | None = None,
    **headers: str,
) -> bytes:
    """The bytes of one request; further headers by name, `_` for `-`."""
    lines = [f"{method} {url} HTTP/1.1", f"Host: {host}", "Accept: application/fhir+json"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines += ["Content-Type: application/fhir+json", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + END + (body or b"")


@dataclass(slots=True)
class Sample:
    """What a run of one workload observed: seconds of each answer, and wrong answers."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)

    @property
    def answered(self) -> int:
        """Right and wrong answers, at least one."""
        return max(1, len(self.latencies) + sum(self.errors.values()))

    def figures(self) -> dict[str, float]:
        """Requests a second and the latency percentiles in milliseconds."""
        ordered = sorted(self.latencies) or [0.0]
        at = {name: ordered[int(len(ordered) * part)] * 1e3 for name, part in PERCENTILES}
        rate = len(self.latencies) / self.seconds if self.seconds else 0.0
        return {
            "rps": rate,
            **at,
            "requests": len(self.latencies),
            "errors": sum(self.errors.values()),
        }

    def failed(self, reason: str) -> None:
        """Count one wrong answer."""
        self.errors[reason] = self.errors.get(reason, 0) + 1


PERCENTILES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
Step = Callable[[Connection], Awaitable[str | None]]
"""One request and the check of its answer; returns what was wrong with it, None when right."""


async def connect(host: str, port: int, count: int) -> list[Connection]:
    """Open `count` connections."""
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(Connection, host, port) for _ in range(count)]
    return [connection for _, connection in opened]


async def run(
    address: tuple[str, int], steps: Iterable[Step], clients: int, seconds: float
) -> Sample:
    """Let `clients` connections take steps one after the other until the time or the steps end."""
    sample, source = Sample(), iter(steps)
    connections = await connect(*address, clients)
    begin = time.perf_counter()
    await asyncio.gather(*(_client(c, source, sample, begin + seconds) for c in connections))
    sample.seconds = time.perf_counter() - begin
    for connection in connections:
        connection.close()
    return sample


async def _client(
    connection: Connection, steps: Iterable[Step], sample: Sample, end: float
) -> None:
    for step in steps:
        begin = time.perf_counter()
        if begin > end:
            return
        try:
            wrong = await step(connection)
        except (ConnectionError, ValueError) as error:
            sample.failed(type(error).__name__)
            return
        if wrong is None:
            sample.latencies.append(time.perf_counter() - begin)
        else:
            sample.failed(wrong)
