"""A process that owns an embedded database until it is killed: `python -m tests.storage.owner FOLDER SERVER`.

It prints the database's URI once a document is stored. Ctrl-C does not end it, as it does not end a gateway at once.
"""

import asyncio
import signal
import sys
from pathlib import Path

from storage.engine.database import connect
from storage.engine.embedded import embedded


async def own(folder: Path, server: str) -> None:
    """Start this database server in this folder, store a document, print the URI, and run for ever."""
    async with embedded(folder, servers=[server]) as uri:
        await connect(uri, "test")["letters"].insert_one({"_id": "from the owner"})
        sys.stdout.write(f"{uri}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: None)
    asyncio.run(own(Path(sys.argv[1]), sys.argv[2]))
