"""What all kinds of messages share. Cloud API: Messages, Media."""

from typing import Annotated

from msgspec import Meta, Struct

Id = Annotated[str, Meta(min_length=1, max_length=256)]
Title = Annotated[str, Meta(min_length=1, max_length=20)]
Url = Annotated[str, Meta(pattern="^https?://")]


class Strict(Struct, forbid_unknown_fields=True, kw_only=True):
    """An object without other parameters: Meta refuses those that it does not know."""


class File(Strict):
    id: Id | None = None
    link: Url | None = None
    caption: Annotated[str, Meta(max_length=1024)] = ""
    filename: str = ""


class Sound(Strict):
    """A sound or a sticker. `voice`: shown as a voice message."""

    id: Id | None = None
    link: Url | None = None
    voice: bool = False


class Point(Strict):
    latitude: float | str
    longitude: float | str
    name: str = ""
    address: str = ""


class Image(Strict, tag="image"):
    image: File


class Video(Strict, tag="video"):
    video: File


class Document(Strict, tag="document"):
    document: File


class Location(Strict, tag="location"):
    location: Point
