"""Sets up, reads and deletes our callback server at VK. VK API: Callback API, groups.*CallbackServer."""

from collections.abc import Iterator, Sequence
from hmac import compare_digest
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from bots.vk.api import Api
from bots.vk.inbound.events import READERS
from gateway.domain.channel.contract import Binding
from gateway.domain.channel.errors import Ambiguous, Misconfigured
from gateway.domain.channel.secret import Secret

TITLE = "gateway"
"""Our name in the community's settings; VK takes 14 characters."""

T = TypeVar("T")


class CallbackServer(Struct):
    """One of the community's servers, 10 at most. `status`: ok, wait, failed or unconfigured."""

    id: int
    url: str
    title: str = ""
    secret_key: str = ""
    status: str = "ok"


class Servers(Struct):
    items: list[CallbackServer] = []


class AddedServer(Struct):
    server_id: int


class Code(Struct):
    code: str


class CallbackSettings(Struct):
    """Which events are sent to a server: 1 for every event that is switched on."""

    api_version: str = ""
    events: dict[str, Any] = {}


class Callbacks:
    """The callback server of one account. Every method raises SendError."""

    def __init__(self, api: Api, group_id: int, secret: Secret, confirmation: str, version: str) -> None:
        self._api = api
        self._group = {"group_id": str(group_id)}
        self._secret = secret
        self._confirmation = confirmation
        self._version = version

    async def bind(self, url: str) -> None:
        """Add or correct our server and its settings. VK asks for the confirmation at once, so our web server must be
        up.
        """
        if (code := await self._code()) != self._confirmation:
            raise Misconfigured(f'VK wants to hear another string from us now: set confirmation = "{code}" first')
        server = await self._find(url)
        params = {**self._group, "url": url, "title": TITLE, "secret_key": self._secret.reveal()}
        if server is None:
            added_server = _convert(await self._api.call("groups.addCallbackServer", params), AddedServer)
            id_ = str(added_server.server_id)
        else:
            id_ = str(server.id)
            if not self._knows_secret(server) or server.status != "ok":
                await self._api.call("groups.editCallbackServer", {**params, "server_id": id_})
        events = dict.fromkeys(READERS, "1")
        settings = {**self._group, "server_id": id_, "api_version": self._version, **events}
        await self._api.call("groups.setCallbackSettings", settings)

    async def binding(self, url: str) -> Binding:
        servers = await self._servers()
        server = next((candidate for candidate in servers if candidate.url == url), None)
        others = [candidate.url for candidate in servers if candidate.title == TITLE and candidate.url != url]
        if server is None:
            return Binding(note=" ".join(_leftover_problems(others)))
        params = {**self._group, "server_id": str(server.id)}
        settings = _convert(await self._api.call("groups.getCallbackSettings", params), CallbackSettings)
        confirmation_notes = self._confirmation_notes(await self._code())
        confirmed = server.status == "ok"
        problems = [
            *self._problems(server, settings),
            *([] if confirmed else confirmation_notes),
            *_leftover_problems(others),
        ]
        return Binding(server.url, problems, note=" ".join(confirmation_notes) if confirmed else "")

    async def unbind(self, url: str) -> None:
        if server := await self._find(url):
            await self._api.call("groups.deleteCallbackServer", {**self._group, "server_id": str(server.id)})

    async def _code(self) -> str:
        return _convert(await self._api.call("groups.getCallbackConfirmationCode", self._group), Code).code

    async def _find(self, url: str) -> CallbackServer | None:
        return next((server for server in await self._servers() if server.url == url), None)

    async def _servers(self) -> Sequence[CallbackServer]:
        return _convert(await self._api.call("groups.getCallbackServers", self._group), Servers).items

    def _knows_secret(self, server: CallbackServer) -> bool:
        return compare_digest(server.secret_key.encode(), self._secret.reveal().encode())

    def _problems(self, server: CallbackServer, settings: CallbackSettings) -> Iterator[str]:
        if server.status == "wait":
            yield "VK has not asked the callback server for its confirmation yet; look again: gateway webhooks show"
        elif server.status != "ok":
            yield f"the callback server is {server.status}: VK sends it nothing"
        if not self._knows_secret(server):
            yield "the callback server has another secret key than the account: its calls are refused"
        if missing := [event for event in READERS if not settings.events.get(event)]:
            yield f"the callback server leaves out {', '.join(missing)}"
        if settings.api_version != self._version:
            yield f"the callback server speaks version {settings.api_version or '?'}, the account {self._version}"

    def _confirmation_notes(self, code: str) -> Sequence[str]:
        """Return a note if VK asks for another confirmation now. A confirmed server stays so until VK asks again."""
        if code == self._confirmation:
            return []
        return [f'confirmation is "{self._confirmation}"; to be confirmed again, VK wants to hear "{code}"']


def _leftover_problems(others: Sequence[str]) -> Sequence[str]:
    """Return a problem if VK also calls other gateways: one that has moved leaves its old server behind."""
    if not others:
        return []
    return [f"VK also calls {', '.join(others)}: where that is a gateway too, people are answered twice"]


def _convert(answer: Any, kind: type[T]) -> T:
    """Convert an answer. Raises Ambiguous where VK answers something else than it documents."""
    try:
        return msgspec.convert(answer, kind)
    except msgspec.ValidationError as error:
        raise Ambiguous(f"VK's answer cannot be read: {error}") from None
