"""HTTP posts over kept connections, as cheap as Python can make them: all else shares the cores.

A client of the usual comfort costs several milliseconds of processor time a post; the load alone
would then take a quarter of a machine with two cores.
"""

from __future__ import annotations

import asyncio

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Posts:
    """Posts JSON to one server, at most `at_once` at a time."""

    def __init__(self, port: int, at_once: int, timeout_s: float) -> None:
        self._port = port
        self._places = asyncio.Semaphore(at_once)
        self._timeout_s = timeout_s
        self._kept: list[Connection] = []

    async def post(self, path: str, body: bytes) -> int:
        """Return the status, or 0: no answer came, and the server may have it or not.

        Raises
        ------
        OSError
            No connection: the server does not have it.
        """
        async with self._places:
            reader, writer = await self._connection()
            head = f"POST {path} HTTP/1.1\r\nHost: edge\r\nContent-Type: application/json\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            try:
                async with asyncio.timeout(self._timeout_s):
                    status, kept = await _answer(reader)
            except (OSError, EOFError, TimeoutError, ValueError):
                writer.transport.abort()
                return 0
            if kept:
                self._kept.append((reader, writer))
            else:
                writer.close()
            return status

    async def _connection(self) -> Connection:
        while self._kept:
            reader, writer = self._kept.pop()
            if not (reader.at_eof() or writer.is_closing()):
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)

    def close(self) -> None:
        """Let the connections go."""
        while self._kept:
            self._kept.pop()[1].close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """Read an answer; return its status, and whether the connection may be used again."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    headers = dict(line.partition(b": ")[::2] for line in lines)
    await reader.readexactly(int(headers[b"content-length"]))
    return int(first.split()[1]), headers.get(b"connection") != b"close"
