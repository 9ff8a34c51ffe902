"""Uploads one file to VK, in three steps. VK API: Uploading files.

It asks for an address, posts the bytes there, and saves the result under a name that messages.send takes.
"""

from collections.abc import Mapping
from io import BytesIO
from typing import Any
from unicodedata import category

import aiohttp
import msgspec

from bots.vk.api import OK, SERVER_ERROR, TOO_MANY, Api
from bots.vk.errors import AccessDenied, RightMissing, too_many
from bots.vk.inbound import updates
from bots.vk.inbound.contents import attachment_name
from bots.wire import wire
from gateway.domain.channel.errors import Refused, Unavailable
from gateway.domain.channel.file import File

TIMEOUT = aiohttp.ClientTimeout(total=300, sock_connect=5)


class NotTaken(Refused):
    """Raised for a file that VK does not take."""


class Uploader:
    """Uploads files for one community's messages. Every method raises SendError."""

    def __init__(self, api: Api, http: aiohttp.ClientSession) -> None:
        self._api = api
        self._http = http

    async def photo(self, peer: str, file: File) -> str:
        """Upload a photo and return the name that VK gives it."""
        target = await self._call("photos.getMessagesUploadServer", {"peer_id": peer})
        receipt = await self._post(target, "photo", file)
        photos = await self._call("photos.saveMessagesPhoto", _fields_of(receipt, "photo", "server", "hash"))
        return _attachment_name("photo", photos[0] if isinstance(photos, list) and photos else None)

    async def document(self, peer: str, file: File, name: str) -> str:
        """Upload a document and return the name that VK gives it.

        `name`: what people read; if empty, the file's own.
        """
        target = await self._call("docs.getMessagesUploadServer", {"type": "doc", "peer_id": peer})
        receipt = await self._post(target, "file", file)
        title = _printable(name) or _file_name(file)
        document = await self._call("docs.save", {**_fields_of(receipt, "file"), "title": title})
        return _attachment_name("doc", document.get("doc") if isinstance(document, dict) else None)

    async def audio_message(self, peer: str, file: File) -> str:
        """Upload a recording and return the name that VK gives it. VK API: Uploading an audio message."""
        target = await self._call("docs.getMessagesUploadServer", {"type": "audio_message", "peer_id": peer})
        receipt = await self._post(target, "file", file)
        answer = await self._call("docs.save", _fields_of(receipt, "file"))
        return _attachment_name("audio_message", answer.get("audio_message") if isinstance(answer, dict) else None)

    async def _call(self, method: str, params: Mapping[str, str]) -> Any:
        """Call a method. A missing right to files refuses only this message, so that plain texts still go out."""
        try:
            return await self._api.call(method, params)
        except (RightMissing, AccessDenied) as error:
            right = method.partition(".")[0]
            raise Refused(f"files need an access token with the right to {right}: {error}") from None

    async def _post(self, target: Any, field: str, file: File) -> Mapping[str, Any]:
        """Post the bytes to VK's address; return the answer, which the call that saves the file needs."""
        url = target.get("upload_url") if isinstance(target, dict) else None
        if not isinstance(url, str):
            raise Unavailable("VK named no address for the file")
        form = aiohttp.FormData()
        form.add_field(field, BytesIO(file.body), filename=_file_name(file), content_type=_printable(file.content_type))
        reply = await wire.call(self._http, "POST", url, form=form, timeout=TIMEOUT)
        if reply.status == TOO_MANY:
            raise too_many("VK's file server", reply.retry_after)
        if reply.status >= SERVER_ERROR:
            raise Unavailable(f"VK's file server answers {reply.status}")
        answer = reply.json if isinstance(reply.json, dict) else {}
        if reply.status != OK or answer.get(field) in (None, "", "[]"):
            raise NotTaken(f"VK does not take the file: {answer.get('error', f'HTTP {reply.status}')}")
        return answer


def _file_name(file: File) -> str:
    return _printable(file.name) or "file"


def _printable(text: str) -> str:
    """Remove control characters, which a form's headers cannot have; callers and their servers may send some."""
    return "".join(character for character in text if category(character) != "Cc").strip()


def _fields_of(answer: Mapping[str, Any], *names: str) -> dict[str, str]:
    return {name: str(answer.get(name, "")) for name in names}


def _attachment_name(kind: str, fields: Any) -> str:
    try:
        file = updates.read(fields, updates.File)
    except msgspec.ValidationError:
        raise Unavailable("VK saved the file and named no id for it") from None
    return attachment_name(kind, file)
