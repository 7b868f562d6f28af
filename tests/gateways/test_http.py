"""The listening socket, as an event loop takes it over."""

from __future__ import annotations

import asyncio
import socket

from gateways.http import listen


async def test_no_part_of_an_answer_is_held_back_until_the_one_before_it_is_confirmed():
    held_back = asyncio.get_running_loop().create_future()

    def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found = writer.get_extra_info("socket")
        held_back.set_result(not found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listener = listen("127.0.0.1", 0)
    async with await asyncio.start_server(accepted, sock=listener):
        _, writer = await asyncio.open_connection(*listener.getsockname())
        assert not await asyncio.wait_for(held_back, 5)
        writer.close()
