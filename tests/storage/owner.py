"""A process that owns an embedded database until it is killed: `python -m tests.storage.owner FOLDER SERVER`.

It prints the database's URI once a document is stored. Ctrl-C does not end it, as it does not end a gateway at once.
"""

import asyncio
import signal
import sys
from pathlib import Path

from storage.engine import embedded
from storage.engine.database import connect


def allow_only(server: str) -> None:
    """Let no other server be found."""
    find_program = embedded._program
    embedded._program = lambda name: find_program(name) if name == server else None


async def own(folder: Path) -> None:
    """Start the database in this folder, store a document, print the URI, and run for ever."""
    async with embedded.embedded(folder) as uri:
        await connect(uri, "test")["letters"].insert_one({"_id": "from the owner"})
        sys.stdout.write(f"{uri}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: None)
    allow_only(sys.argv[2])
    asyncio.run(own(Path(sys.argv[1])))
