"""The community's callback servers, as its settings keep them. VK API: Callback API, Configuration via API."""

from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any

from msgspec import Struct, to_builtins

from bots.vk.inbound.events import READERS
from bots.vk.simulator.rules import VkError, invalid_parameter, number

MAX_SERVERS, MAX_TITLE, MAX_SECRET = 10, 14, 50
EVENTS = (*READERS, "message_edit", "message_read", "message_typing_state", "group_join")


class Server(Struct):
    """A callback server. It gets events once it is confirmed: status "ok"."""

    id: int
    url: str
    title: str
    secret_key: str
    status: str = "unconfigured"
    creator_id: int = 1
    api_version: str = "5.199"
    events: dict[str, int] = {}


ConfirmationCheck = Callable[[Server], Awaitable[bool]]


class CallbackServers:
    """The callback servers and the methods for them. `check_confirmation` asks a server for the string `code`."""

    def __init__(self, group_id: int, code: str, check_confirmation: ConfirmationCheck) -> None:
        self.code = code
        self.servers: list[Server] = []
        self._group_id = group_id
        self._check_confirmation = check_confirmation
        self._ids = count(1)
        self.methods: dict[str, Callable[[Mapping[str, str]], Awaitable[Any]]] = {
            "groups.getCallbackConfirmationCode": self._get_code,
            "groups.getCallbackServers": self._get_servers,
            "groups.addCallbackServer": self._add,
            "groups.editCallbackServer": self._edit,
            "groups.deleteCallbackServer": self._delete,
            "groups.getCallbackSettings": self._get_settings,
            "groups.setCallbackSettings": self._set_settings,
        }

    def add_confirmed(self, url: str, secret: str, version: str) -> None:
        """Add a server that was set up and confirmed before."""
        events = dict.fromkeys(EVENTS, 0) | dict.fromkeys(READERS, 1)
        self.servers.append(Server(next(self._ids), url, "gateway", secret, "ok", api_version=version, events=events))

    def servers_for(self, event: str) -> list[Server]:
        """Return the confirmed servers that want this event."""
        return [server for server in self.servers if server.status == "ok" and server.events.get(event)]

    async def _get_code(self, params: Mapping[str, str]) -> dict[str, str]:
        self._check_group(params)
        return {"code": self.code}

    async def _get_servers(self, params: Mapping[str, str]) -> dict[str, Any]:
        self._check_group(params)
        items = [to_builtins(server) for server in self.servers]
        for item in items:
            del item["api_version"], item["events"]
        return {"count": len(items), "items": items}

    async def _add(self, params: Mapping[str, str]) -> dict[str, int]:
        self._check_group(params)
        if len(self.servers) >= MAX_SERVERS:
            raise VkError(2000, "Servers number limit is reached")
        server = Server(next(self._ids), "", "", "", events=dict.fromkeys(EVENTS, 0))
        _set_fields(server, params)
        self.servers.append(server)
        await self._confirm(server)
        return {"server_id": server.id}

    async def _edit(self, params: Mapping[str, str]) -> int:
        server = self._server(params)
        _set_fields(server, params)
        await self._confirm(server)
        return 1

    async def _delete(self, params: Mapping[str, str]) -> int:
        self.servers.remove(self._server(params))
        return 1

    async def _get_settings(self, params: Mapping[str, str]) -> dict[str, Any]:
        server = self._server(params)
        return {"api_version": server.api_version, "events": server.events}

    async def _set_settings(self, params: Mapping[str, str]) -> int:
        server = self._server(params)
        server.api_version = params.get("api_version", server.api_version)
        server.events |= {event: int(params[event] == "1") for event in EVENTS if event in params}
        return 1

    async def _confirm(self, server: Server) -> None:
        server.status = "wait"
        server.status = "ok" if await self._check_confirmation(server) else "failed"

    def _server(self, params: Mapping[str, str]) -> Server:
        self._check_group(params)
        id_ = number(params, "server_id")
        match = next((server for server in self.servers if server.id == id_), None)
        if match is None:
            raise invalid_parameter("server_id is invalid")
        return match

    def _check_group(self, params: Mapping[str, str]) -> None:
        if number(params, "group_id") != self._group_id:
            raise VkError(203, "Access to group denied")


def _set_fields(server: Server, params: Mapping[str, str]) -> None:
    """Set the fields with which a server is added or edited. Raises VkError."""
    url, title, secret = params.get("url", ""), params.get("title", ""), params.get("secret_key", "")
    if not url.startswith(("http://", "https://")):
        raise invalid_parameter("url is invalid")
    if not title or len(title) > MAX_TITLE:
        raise invalid_parameter("title is invalid")
    if len(secret) > MAX_SECRET or not (secret.isascii() and secret.isalnum()):
        raise invalid_parameter("secret_key is invalid")
    server.url, server.title, server.secret_key = url, title, secret
