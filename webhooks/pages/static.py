"""The pages' files: styles, scripts, icons. Each has its digest in its address, and is kept for a year."""

from functools import cache
from hashlib import sha256
from importlib.resources import files
from mimetypes import guess_type

from quart import Blueprint, Response, abort
from quart.typing import ResponseReturnValue
from quart_schema import hide

blueprint = Blueprint("static", __name__, url_prefix="/static")


@blueprint.get("/<digest>/<path:name>")
@hide
async def file(digest: str, name: str) -> ResponseReturnValue:
    """Return a file. One of another version is not here."""
    if name not in _names() or digest != _digest(name):
        abort(404)
    response = Response(_contents(name), content_type=guess_type(name)[0] or "application/octet-stream")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def address(name: str) -> str:
    """Return the address of a file. Raises FileNotFoundError if there is none."""
    return f"/ui/static/{_digest(name)}/{name}"


@cache
def _names() -> frozenset[str]:
    folder = files("webhooks.pages") / "static"
    vendored = (f"vendor/{file.name}" for file in (folder / "vendor").iterdir())
    return frozenset([*(file.name for file in folder.iterdir() if file.is_file()), *vendored])


@cache
def _contents(name: str) -> bytes:
    return (files("webhooks.pages") / "static" / name).read_bytes()


@cache
def _digest(name: str) -> str:
    return sha256(_contents(name)).hexdigest()[:16]
