"""The web server's second door: passes connections to [::1] on to 127.0.0.1, as granian listens at one address only.

So `localhost` answers whichever way a program reads it.
"""

import asyncio
import sys
from contextlib import suppress


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def serve(port: int) -> None:
    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            web_reader, web_writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(pump(reader, web_writer), pump(web_reader, writer))
            web_writer.close()
        writer.close()

    server = await asyncio.start_server(pass_on, "::1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(int(sys.argv[1])))
