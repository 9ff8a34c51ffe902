"""The stand-in's file uploads: where files are posted, and what they are saved as. VK API: Uploading files."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from hashlib import md5
from itertools import count
from typing import Any

import msgspec
from msgspec import Struct

from bots.vk.simulator.rules import VkError, invalid_parameter

FIELDS = {"photo": "photo", "doc": "file", "audio_message": "file"}
NOT_TAKEN = (".exe", ".mp3")
MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")


class StoredFile(Struct):
    """A file that VK has, under the name that messages take."""

    name: str
    title: str
    body: bytes


class FileStore:
    """The files of a community. `url`: of the stand-in's own upload page. `stored` holds the saved files by name."""

    def __init__(self, group_id: int, url: str) -> None:
        self.stored: dict[str, StoredFile] = {}
        self._group_id = group_id
        self.url = url
        self._ids = count(457_239_001)
        self._posted: dict[str, tuple[str, bytes]] = {}
        self.methods: dict[str, Callable[[Mapping[str, str]], Awaitable[Any]]] = {
            "photos.getMessagesUploadServer": self._photo_server,
            "photos.saveMessagesPhoto": self._save_photo,
            "docs.getMessagesUploadServer": self._doc_server,
            "docs.save": self._save_doc,
        }

    def post(self, kind: str, form_files: Mapping[str, tuple[str, bytes]]) -> dict[str, Any]:
        """Take a form's files by field, as the upload page does; return what the save method wants."""
        filename, body = form_files.get(FIELDS[kind], ("", b""))
        if not body or filename.endswith(NOT_TAKEN):
            return {"error": "ERR_UPLOAD_BAD_FILE", "error_descr": "Bad file"}
        if kind == "audio_message" and not body.startswith(b"OggS"):
            return {"error": "ERR_UPLOAD_BAD_AUDIO_MESSAGE_FILE", "error_descr": "Bad file"}
        if kind == "photo" and not body.startswith(MAGIC):
            return {"server": 626627, "photo": "[]", "hash": secrets.token_hex(8)}
        ticket = secrets.token_hex(8)
        self._posted[ticket] = filename, body
        if kind != "photo":
            return {"file": f"{self._group_id}|{kind}|0|{len(body)}|{ticket}"}
        photo = msgspec.json.encode([{"photo": ticket}]).decode()
        return {"server": 626627, "photo": photo, "hash": _hash(photo)}

    async def _photo_server(self, params: Mapping[str, str]) -> dict[str, Any]:  # noqa: ARG002
        return {"upload_url": f"{self.url}/photo?{_proof()}", "album_id": -64, "group_id": self._group_id}

    async def _doc_server(self, params: Mapping[str, str]) -> dict[str, str]:
        kind = params.get("type", "doc")
        if kind not in ("doc", "audio_message") or "peer_id" not in params:
            raise invalid_parameter("type or peer_id is invalid")
        return {"upload_url": f"{self.url}/{kind}?{_proof()}"}

    async def _save_photo(self, params: Mapping[str, str]) -> list[dict[str, Any]]:
        photo = params.get("photo", "")
        if params.get("hash") != _hash(photo) or params.get("server") != "626627":
            raise VkError(129, "Invalid photo")
        file = self._store("photo", msgspec.json.decode(photo)[0]["photo"])
        return [{**file, "album_id": -64, "sizes": [{"type": "x", "url": "https://sun9-1.userapi.com/x.jpg"}]}]

    async def _save_doc(self, params: Mapping[str, str]) -> dict[str, Any]:
        kind = "audio_message" if "|audio_message|" in params.get("file", "") else "doc"
        file = self._store(kind, params.get("file", "").rpartition("|")[2], params.get("title", ""))
        return {"type": kind, kind: {**file, "title": params.get("title", "")}}

    def _store(self, kind: str, ticket: str, title: str = "") -> dict[str, Any]:
        if ticket not in self._posted:
            raise VkError(105, "Couldn't save file")
        filename, body = self._posted.pop(ticket)
        id_, key = next(self._ids), secrets.token_hex(9)
        name = f"{kind}-{self._group_id}_{id_}_{key}"
        self.stored[name] = StoredFile(name, title or filename, body)
        return {"id": id_, "owner_id": -self._group_id, "access_key": key}


def _proof() -> str:
    """Return a query such as VK's own addresses have: a caller has to use it unchanged."""
    return f"act=do_add&hash={secrets.token_hex(16)}"


def _hash(photo: str) -> str:
    return md5(photo.encode(), usedforsecurity=False).hexdigest()
