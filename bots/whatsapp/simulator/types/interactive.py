"""Messages with buttons, a list or a link. Cloud API: Interactive messages."""

from typing import Annotated, Literal

from msgspec import Meta

from bots.whatsapp.simulator.types.common import Document, Id, Image, Strict, Title, Url, Video

RowTitle = Annotated[str, Meta(min_length=1, max_length=24)]


class Body(Strict):
    text: Annotated[str, Meta(min_length=1, max_length=1024)]


class Footer(Strict):
    text: Annotated[str, Meta(min_length=1, max_length=60)]


class TextHeader(Strict, tag="text"):
    text: Annotated[str, Meta(min_length=1, max_length=60)]


Header = TextHeader | Image | Video | Document


class Reply(Strict):
    id: Id
    title: Title


class ReplyButton(Strict):
    type: Literal["reply"]
    reply: Reply


class ReplyButtons(Strict):
    buttons: Annotated[list[ReplyButton], Meta(min_length=1, max_length=3)]


class Row(Strict):
    id: Annotated[str, Meta(min_length=1, max_length=200)]
    title: RowTitle
    description: Annotated[str, Meta(max_length=72)] = ""


class Section(Strict):
    rows: Annotated[list[Row], Meta(min_length=1, max_length=10)]
    title: RowTitle | None = None


class Rows(Strict):
    button: Title
    sections: Annotated[list[Section], Meta(min_length=1, max_length=10)]

    @property
    def rows(self) -> list[Row]:
        """Return the rows of all sections; Meta takes ten of them."""
        return [row for section in self.sections for row in section.rows]


class Link(Strict):
    display_text: Title
    url: Url


class LinkAction(Strict):
    name: Literal["cta_url"]
    parameters: Link


class LocationAction(Strict):
    name: Literal["send_location"]


class Choice(Strict, tag="button"):
    body: Body
    action: ReplyButtons
    header: Header | None = None
    footer: Footer | None = None


class ListChoice(Strict, tag="list"):
    body: Body
    action: Rows
    header: TextHeader | None = None
    footer: Footer | None = None


class LinkChoice(Strict, tag="cta_url"):
    body: Body
    action: LinkAction
    header: Header | None = None
    footer: Footer | None = None


class LocationRequest(Strict, tag="location_request_message"):
    body: Body
    action: LocationAction


Interactive = Choice | ListChoice | LinkChoice | LocationRequest
