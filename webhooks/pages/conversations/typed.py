"""What somebody has typed into the forms of a conversation, with the file that goes along."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from secrets import token_urlsafe

from quart import g, request

from gateway.messages.media import uploading
from storage import files
from webhooks.http.context import runtime
from webhooks.pages.forms.mistakes import Mistake
from webhooks.pages.words import gettext, size

OWN_FIELDS = frozenset({"text", "template", "by", "key", "form_token", "act", "message", "file", "uploaded"})
"""The forms' fields that are no template's."""


@dataclass(frozen=True)
class Typed:
    """What was typed, and what is wrong with it. by: another channel by which it is to go. key: sends it once.

    uploaded, name: the id and the name of a file that was uploaded with it.
    """

    text: str = ""
    template: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    by: str = ""
    uploaded: str = ""
    name: str = ""
    wrong: str = ""
    at: str = ""
    key: str = field(default_factory=lambda: token_urlsafe(12))

    @property
    def said(self) -> dict[str, object]:
        """Return the text and the file as the API's request has them."""
        return {"text": self.text, **({"media": {"id": self.uploaded}} if self.uploaded else {})}

    def refused(self, words: str, at: str = "") -> "Typed":
        """Return it with what is wrong. What is corrected is another message, with a key of its own."""
        return replace(self, wrong=words, at=at, key=token_urlsafe(12))


async def read_typed() -> Typed:
    """Return what the request's form has, but for its file."""
    form = await request.form
    values = {name: value for name, value in form.items() if name not in OWN_FIELDS and value}
    typed = Typed(form.get("text", ""), form.get("template", ""), values, form.get("by", ""))
    if uploaded := form.get("uploaded", ""):
        stored = await files.get(runtime().db, uploaded)
        typed = replace(typed, uploaded=uploaded, name=stored.name if stored else "")
    return replace(typed, key=form.get("key") or typed.key)


async def with_file(typed: Typed) -> Typed:
    """Return what was typed with the file of the request's form, which is stored with that. Raises RequestError.

    The same form with the same file is the same message: its file is stored once.
    """
    given = (await request.files).get("file")
    if given is None or not given.filename:
        return typed
    length = given.stream.seek(0, 2)
    if length > uploading.LARGEST:
        words = gettext("This file has %(size)s. Up to %(most)s may be sent.")
        raise Mistake(words % {"size": size(length), "most": size(uploading.LARGEST)}, "file")
    if not length:
        raise Mistake(gettext("This file is empty."), "file")
    file = await uploading.upload(runtime(), given.filename, given.stream, once=f"{g.caller}:{typed.key}")
    return replace(typed, uploaded=file.id, name=file.name)
