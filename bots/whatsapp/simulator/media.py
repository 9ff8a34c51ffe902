"""Files that are uploaded to Meta, to be sent by their id. Cloud API: Media."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from bots.whatsapp.simulator.components import Fault

MEGABYTE = 1024 * 1024
LARGEST: Mapping[str, int] = {
    "image/jpeg": 5 * MEGABYTE,
    "image/png": 5 * MEGABYTE,
    "image/webp": MEGABYTE // 2,
    "audio/aac": 16 * MEGABYTE,
    "audio/amr": 16 * MEGABYTE,
    "audio/mpeg": 16 * MEGABYTE,
    "audio/mp4": 16 * MEGABYTE,
    "audio/ogg": 16 * MEGABYTE,
    "video/mp4": 16 * MEGABYTE,
    "video/3gpp": 16 * MEGABYTE,
    "text/plain": 100 * MEGABYTE,
    "application/pdf": 100 * MEGABYTE,
    "application/msword": 100 * MEGABYTE,
    "application/vnd.ms-excel": 100 * MEGABYTE,
    "application/vnd.ms-powerpoint": 100 * MEGABYTE,
    **{
        f"application/vnd.openxmlformats-officedocument.{kind}": 100 * MEGABYTE
        for kind in ("wordprocessingml.document", "spreadsheetml.sheet", "presentationml.presentation")
    },
}
"""The types of files that Meta takes, and their most bytes."""


class Media(NamedTuple):
    """An uploaded file."""

    mime: str
    body: bytes

    @property
    def digest(self) -> str:
        """Return the SHA-256 of its bytes, in hex."""
        return sha256(self.body).hexdigest()

    @property
    def fault(self) -> Fault | None:
        """Return why Meta does not take the file; None where it does."""
        largest = LARGEST.get(self.mime.partition(";")[0].strip())
        if largest is None:
            return Fault(100, f"Param file must be a file with one of the following types: {', '.join(LARGEST)}")
        return Fault(131053, "the file is too large") if len(self.body) > largest else None


def media_view(key: str, media: Media, url: str) -> dict[str, Any]:
    """Return what Meta tells of a file; its bytes are at `url`, for the same token."""
    return {
        "messaging_product": "whatsapp",
        "url": url,
        "mime_type": media.mime,
        "sha256": media.digest,
        "file_size": len(media.body),
        "id": key,
    }
