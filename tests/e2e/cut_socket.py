"""A unix socket in front of another one, for a test that takes the engine away: usage: cut_socket.py OURS THEIRS"""
import asyncio
import sys


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


async def serve(reader, writer):
    theirs, to_theirs = await asyncio.open_unix_connection(sys.argv[2])
    await asyncio.gather(pump(reader, to_theirs), pump(theirs, writer))


async def main():
    server = await asyncio.start_unix_server(serve, sys.argv[1])
    print("listening", flush=True)
    await server.serve_forever()


asyncio.run(main())
