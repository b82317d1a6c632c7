"""An API server of Kubernetes that stores what is posted: kmock's emulator on a port of its own."""

import asyncio
import sys

import kmock


async def main(port: int) -> None:
    async with kmock.KubernetesEmulator() as emulator, kmock.Server(emulator, host="127.0.0.1", port=port):
        await asyncio.Event().wait()


asyncio.run(main(int(sys.argv[1])))
