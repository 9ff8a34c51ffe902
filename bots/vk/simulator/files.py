"""The stand-in's file uploads: where files are posted, and what they are saved as. VK API: Uploading files."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from hashlib import md5
from itertools import count
from typing import Any

import msgspec
from msgspec import Struct

from bots.vk.simulator.rules import VkError, invalid_parameter

FIELDS = {"photo": ("photo", "file"), "doc": ("file",), "audio_message": ("file",)}
"""The names that a form may give a file; a number may follow."""

NOT_TAKEN = (".exe", ".mp3")
SOUND = b"OggS"
MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")


class StoredFile(Struct):
    """A file that VK has, under the name that messages take."""

    name: str
    title: str
    body: bytes


class FileStore:
    """The files of a community. `url`: of the stand-in's own upload page. `stored` holds the saved files by name.

    shared: files that people sent, by the end of their addresses.
    """

    def __init__(self, group_id: int, url: str) -> None:
        self.stored: dict[str, StoredFile] = {}
        self.shared: dict[str, bytes] = {}
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

    def has(self, attachment: str) -> bool:
        """Tell whether there is such a file. The key may be missing, and a voice message is a document."""
        names = [attachment, attachment.replace("doc-", "audio_message-")]
        return any(f"{stored}_".startswith(f"{name}_") for stored in self.stored for name in names)

    def share(self, user: int, body: bytes, name: str, content_type: str) -> dict[str, Any]:
        """Keep a person's file, and return its attachment. VK API: objects of attachments."""
        key, file = secrets.token_hex(12), {"id": next(self._ids), "owner_id": user, "access_key": secrets.token_hex(9)}
        self.shared[key] = body
        url = f"{self.url.removesuffix('/upload')}/files/{key}"
        if content_type.startswith("image/"):
            sizes = [{"type": "x", "url": url, "width": 604, "height": 604}]
            return {"type": "photo", "photo": {**file, "sizes": sizes}}
        if content_type.startswith("audio/"):
            sound = {**file, "duration": 7, "link_ogg": url, "link_mp3": url}
            return {"type": "audio_message", "audio_message": sound}
        return {"type": "doc", "doc": {**file, "title": name, "size": len(body), "url": url}}

    def post(self, kind: str, form_files: Mapping[str, tuple[str, bytes]]) -> dict[str, Any]:
        """Take a form's files by field, as the upload page does; return what the save method wants."""
        files = [file for name, file in form_files.items() if name.rstrip("0123456789") in FIELDS[kind]]
        if not files or any(not _is_taken(kind, *file) for file in files):
            word = "AUDIO_MESSAGE_" if kind == "audio_message" else ""
            return {"error": f"ERR_UPLOAD_BAD_{word}FILE", "error_descr": "Bad file"}
        if kind == "photo" and not all(body.startswith(MAGIC) for _, body in files):
            return {"server": 626627, "photo": "[]", "hash": secrets.token_hex(8)}
        tickets = [secrets.token_hex(8) for _ in files]
        self._posted.update(zip(tickets, files, strict=True))
        if kind != "photo":
            return {"file": f"{self._group_id}|0|0|{len(files[0][1])}|{kind}|{tickets[0]}"}
        photo = msgspec.json.encode([{"photo": ticket} for ticket in tickets]).decode()
        return {"server": 626627, "photo": photo, "hash": _hash(photo)}

    async def _photo_server(self, params: Mapping[str, str]) -> dict[str, Any]:  # noqa: ARG002
        return {"upload_url": f"{self.url}/photo?{_proof()}", "album_id": -64, "group_id": self._group_id}

    async def _doc_server(self, params: Mapping[str, str]) -> dict[str, str]:
        kind = params.get("type", "doc")
        if kind not in FIELDS or kind == "photo" or "peer_id" not in params:
            raise invalid_parameter("type or peer_id is invalid")
        return {"upload_url": f"{self.url}/{kind}?{_proof()}"}

    async def _save_photo(self, params: Mapping[str, str]) -> list[dict[str, Any]]:
        photo = params.get("photo", "")
        if params.get("hash") != _hash(photo) or params.get("server") != "626627":
            raise VkError(129, "Invalid photo")
        files = [self._store("photo", item["photo"]) for item in msgspec.json.decode(photo)]
        size = {"type": "x", "url": "https://sun9-1.userapi.com/x.jpg", "width": 604, "height": 604}
        return [{**file, "album_id": -64, "sizes": [size]} for file in files]

    async def _save_doc(self, params: Mapping[str, str]) -> dict[str, Any]:
        *_, kind, ticket = ("", "", *params.get("file", "").split("|"))
        file = self._store(kind or "doc", ticket, params.get("title", ""))
        if kind == "audio_message":
            return {"type": kind, kind: {**file, "duration": 7, "link_ogg": self.url, "link_mp3": self.url}}
        return {"type": "doc", "doc": {**file, "title": params.get("title", "")}}

    def _store(self, kind: str, ticket: str, title: str = "") -> dict[str, Any]:
        if ticket not in self._posted:
            raise VkError(105, "Couldn't save file")
        filename, body = self._posted.pop(ticket)
        id_, key = next(self._ids), secrets.token_hex(9)
        name = f"{kind}-{self._group_id}_{id_}_{key}"
        self.stored[name] = StoredFile(name, title or filename, body)
        return {"id": id_, "owner_id": -self._group_id, "access_key": key}


def _is_taken(kind: str, filename: str, body: bytes) -> bool:
    """Tell whether VK takes the file; a voice message is Ogg."""
    return bool(body) and not filename.endswith(NOT_TAKEN) and (kind != "audio_message" or body.startswith(SOUND))


def _proof() -> str:
    """Return a query such as VK's own addresses have: a caller has to use it unchanged."""
    return f"act=do_add&hash={secrets.token_hex(16)}"


def _hash(photo: str) -> str:
    return md5(photo.encode(), usedforsecurity=False).hexdigest()
