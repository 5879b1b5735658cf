"""A server that speaks as the test tells it to, for what a real Redis does only on bad days."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from hiredis import Reader

Command = list[bytes]
Answer = Callable[[Command, asyncio.StreamWriter], Awaitable[bytes | None]]


class ScriptedRedis:
    """`answer` is asked for each command after the greeting's; None: it says nothing. `chunks` are the commands of
    each read from the socket, so that a test sees what came in one go.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.port = 0
        self.connections = 0
        self.commands: list[Command] = []
        self.chunks: list[int] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        parser = Reader()
        greeted = False
        try:
            while data := await reader.read(1 << 20):
                parser.feed(data)
                count = 0
                while (command := parser.gets()) is not False:
                    if not greeted:
                        greeted = command[0] == b"PING"
                        writer.write(b"+OK\r\n")
                        continue
                    count += 1
                    self.commands.append(command)
                    if (reply := await self._answer(command, writer)) is not None:
                        writer.write(reply)
                if count:
                    self.chunks.append(count)
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def scripted_redis(answer: Answer) -> AsyncIterator[ScriptedRedis]:
    script = ScriptedRedis(answer)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    script.port = server.sockets[0].getsockname()[1]
    async with server:
        yield script
