"""``python -m tests.integration.tls_front PORT BEHIND FOLDER``: TLS before a server that was built without it."""

import asyncio
import ssl
import sys
from contextlib import suppress
from pathlib import Path

BUFFER_BYTES = 65536


async def serve(port: int, behind: int, folder: Path) -> None:
    """Passes on what is said at ``port`` to ``behind``, and back, until this process is ended."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inside_reader, inside_writer = await asyncio.open_connection("127.0.0.1", behind)
        except OSError:
            writer.close()  # what is not there yet answers nobody
            return
        await asyncio.gather(copy(reader, inside_writer), copy(inside_reader, writer))

    async with await asyncio.start_server(pass_on, "127.0.0.1", port, ssl=context) as server:
        await server.serve_forever()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Passes on one direction until it ends."""
    with suppress(OSError):
        while data := await reader.read(BUFFER_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
