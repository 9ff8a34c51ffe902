"""The siege's own database server, which can be killed and started again over the same folder."""

from pathlib import Path

from storage.engine.database import DatabaseError, connect, ping
from storage.engine.embedded import OPTIONS, SERVERS, free_port, server_command
from tests.support.processes.processes import Program


def uri_of(port: int) -> str:
    return f"mongodb://127.0.0.1:{port}/?{OPTIONS}"


class Database(Program):
    """The server of the embedded database, without its watchdog."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        super().__init__("database", folder, server_command(SERVERS, folder, self.port), {})

    async def ready(self) -> bool:
        db = connect(uri_of(self.port), "admin")
        try:
            await ping(db)
        except DatabaseError:
            return False
        finally:
            db.client.close()
        return True
