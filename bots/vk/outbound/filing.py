"""One file's way to VK, in three steps. VK API: Uploading files.

An address is asked for, the bytes go there, and what comes back is saved under a name that messages.send takes.
"""

from collections.abc import Mapping
from typing import Any
from unicodedata import category

import aiohttp
import msgspec

from bots.vk.api import OK, SERVER_ERROR, TOO_MANY, Api
from bots.vk.errors import AccessDenied, RightMissing, too_many
from bots.vk.inbound import updates
from bots.vk.inbound.contents import attachable
from bots.wire import wire
from bots.wire.files import File
from gateway.domain.channel.errors import Refused, Unavailable

TIMEOUT = aiohttp.ClientTimeout(total=300, sock_connect=5)


class Filing:
    """Files for one community's messages, each under the name that VK gives it. Raises SendError."""

    def __init__(self, api: Api, http: aiohttp.ClientSession) -> None:
        self._api = api
        self._http = http

    async def photo(self, peer: str, file: File) -> str:
        target = await self._ask("photos.getMessagesUploadServer", {"peer_id": peer})
        taken = await self._post(target, "photo", file)
        saved = await self._ask("photos.saveMessagesPhoto", _texts(taken, "photo", "server", "hash"))
        return _name("photo", saved[0] if isinstance(saved, list) and saved else None)

    async def document(self, peer: str, file: File, name: str) -> str:
        """`name`: what people read; the file's own if it is empty."""
        target = await self._ask("docs.getMessagesUploadServer", {"type": "doc", "peer_id": peer})
        taken = await self._post(target, "file", file)
        title = _printable(name) or _file_name(file)
        saved = await self._ask("docs.save", {**_texts(taken, "file"), "title": title})
        return _name("doc", saved.get("doc") if isinstance(saved, dict) else None)

    async def _ask(self, method: str, params: Mapping[str, str]) -> Any:
        """A right to files that is missing is this message's trouble: plain texts go on."""
        try:
            return await self._api.call(method, params)
        except (RightMissing, AccessDenied) as error:
            right = method.partition(".")[0]
            raise Refused(f"files need an access token with the right to {right}: {error}") from None

    async def _post(self, target: Any, field: str, file: File) -> Mapping[str, Any]:
        """Hand the bytes over; what VK answers goes into the call that saves them."""
        url = target.get("upload_url") if isinstance(target, dict) else None
        if not isinstance(url, str):
            raise Unavailable("VK named no address for the file")
        form = aiohttp.FormData()
        form.add_field(field, file.body, filename=_file_name(file), content_type=_printable(file.content_type))
        reply = await wire.call(self._http, "POST", url, form=form, timeout=TIMEOUT)
        if reply.status == TOO_MANY:
            raise too_many("VK's file server", reply.retry_after)
        if reply.status >= SERVER_ERROR:
            raise Unavailable(f"VK's file server answers {reply.status}")
        answer = reply.json if isinstance(reply.json, dict) else {}
        if reply.status != OK or answer.get(field) in (None, "", "[]"):
            raise Refused(f"VK does not take the file: {answer.get('error', f'HTTP {reply.status}')}")
        return answer


def _file_name(file: File) -> str:
    return _printable(file.name) or "file"


def _printable(text: str) -> str:
    """Without control characters, which a form's headers cannot have; callers and their servers may send some."""
    return "".join(character for character in text if category(character) != "Cc").strip()


def _texts(answer: Mapping[str, Any], *names: str) -> dict[str, str]:
    return {name: str(answer.get(name, "")) for name in names}


def _name(kind: str, fields: Any) -> str:
    try:
        file = updates.read(fields, updates.File)
    except msgspec.ValidationError:
        raise Unavailable("VK saved the file and named no id for it") from None
    return attachable(kind, file)
