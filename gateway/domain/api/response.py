"""The API's responses about messages, as the web layer writes them and the client reads them."""

from msgspec import UNSET, Struct, UnsetType

from gateway.domain.model.nouns import Media
from gateway.domain.terms.price import Price


class View(Struct, rename="camel", kw_only=True):
    """The base of all responses and their parts."""


class MediaView(View):
    """A file, picture, video or recording in a message. What is unknown is "".

    type: image, video, audio, voice, document, sticker… url: where its provider or its sender has it. id: the
    messenger's own. fileId: ours, for GET /api/v1/media/{id}. link: where it can be had for a day without a key.
    """

    type: str
    url: str
    name: str
    id: str
    file_id: str
    link: str


def media_view(media: Media) -> MediaView:
    """Return a file as answers and callbacks show it: with every field, whatever is known of it."""
    return MediaView(type=media.type, url=media.url, name=media.name, id=media.id, file_id=media.file, link=media.link)


class UploadedFileView(View):
    """A file that was uploaded, to be sent as `media: {id}` until expiresAt.

    type: image, video, audio or document, as which it is sent. contentType: told by its bytes. size: in bytes.
    """

    id: str
    type: str
    name: str
    content_type: str
    size: int
    expires_at: str | None


class ErrorView(View):
    """A stable `code`, a sentence, and the path of the field, as in `messages[0].channels[0].text`."""

    code: str
    message: str
    field: str


class StepView(View):
    """A step as it was understood.

    parts: short messages that its text is charged as. price: of all parts. fallbackAfter: a duration in ISO 8601.
    explanation: what would be done now, and why. text: as this person would read it. The last two are given by
    POST /messages/validate only.
    """

    channel: str
    account: str | None
    success: str
    fallback_after: str
    parts: int
    price: Price | UnsetType | None = UNSET
    required: bool | UnsetType = UNSET
    explanation: str | UnsetType = UNSET
    text: str | UnsetType | None = UNSET


class ItemView(View):
    """One message to one destination: accepted, or `error`.

    timezone: that of its quiet hours. channel: the one that it would go by first, given by POST /messages/validate
    only. warnings: what was changed in it.
    """

    id: str | UnsetType = UNSET
    group_id: str | UnsetType | None = UNSET
    bulk_id: str | UnsetType | None = UNSET
    status: str | UnsetType = UNSET
    channel: str | UnsetType | None = UNSET
    send_at: str | UnsetType | None = UNSET
    timezone: str | UnsetType | None = UNSET
    plan: list[StepView] | UnsetType = UNSET
    warnings: list[str] | UnsetType = UNSET
    error: ErrorView | UnsetType = UNSET


class BulkResponse(View):
    """The response to a bulk: one item for each message and destination, in order."""

    bulk_id: str | None
    messages: list[ItemView]


class RecipientView(View):
    """The recipient as the caller named them. identifiers: all of them, as `kind:value`."""

    phone: str | None
    contact_id: str | None
    external_id: str | None
    chat_session_id: str | None
    identifiers: list[str]


class CallRequestView(View):
    method: str
    url: str
    body: str


class CallAnswerView(View):
    status: int
    retry_after: str | None
    body: str


class CallView(View):
    """A call to a provider. error: how the connection broke, if it did."""

    at: str | None
    request: CallRequestView
    answer: CallAnswerView | None
    error: str | None
    milliseconds: int


class AttemptView(View):
    """An attempt to send one step.

    address: the provider's id of the person. success: the report that counts as success. late: the success was reported
    after another step had taken over. price: of the parts that the provider has accepted, or may have.
    """

    channel: str
    account: str | None
    address: str | None
    template: str | None
    intent: str | None
    status: str
    reason: str | None
    cause: str | None
    success: str
    sent_at: str | None
    changed_at: str | None
    retry_at: str | None
    late: bool
    recalled_at: str | None
    text: str | None
    part_count: int
    price: Price | None
    provider_ids: list[str]
    calls: list[CallView]


class DecisionView(View):
    at: str | None
    text: str


class LinkView(View):
    """A short link, its target and its clicks. previews: fetches by machines, which are nobody's clicks."""

    code: str
    url: str
    target: str
    message_id: str
    created_at: str | None
    expires_at: str | None
    clicks: int
    previews: int
    first_click_at: str | None
    last_click_at: str | None


class StoryResponse(View):
    """A message's whole story. Its status only moves forward. nextAt: when it is worked on again."""

    id: str
    group_id: str | None
    bulk_id: str | None
    job_id: str | None
    callback_data: str | None
    recipient: RecipientView
    status: str
    reason: str | None
    priority: str
    created_at: str | None
    send_at: str | None
    timezone: str | None
    expires_at: str | None
    next_at: str | None
    cancelled_at: str | None
    finished_at: str | None
    replay_of: str | None
    attempts: list[AttemptView]
    short_links: list[LinkView]
    decisions: list[DecisionView]


class CancellationView(View):
    """The result of cancelling one message: `cancelled` (it is never sent), or `tooLate` with the reason."""

    id: str
    result: str
    reason: str | None


class CancellationsResponse(View):
    messages: list[CancellationView]


class MessageView(View):
    """A message in a list. channel: that of its last attempt; text: the beginning of what it sent, or would send first.

    text: of a file its name, of a provider's template its name and its values.
    phone, externalId, identifiers: as the caller named the person, or else those of their contact.
    """

    id: str
    group_id: str | None
    bulk_id: str | None
    job_id: str | None
    phone: str | None
    external_id: str | None
    identifiers: list[str]
    status: str
    channel: str | None
    reason: str | None
    created_at: str | None
    sent_at: str | None
    finished_at: str | None
    part_count: int
    text: str | None = None


class MessagesResponse(View):
    """A page of messages, the newest first. While there is a cursor there may be more, even if this page is short."""

    messages: list[MessageView]
    cursor: str | None


class Fault(View):
    """A mistake in a row of a file. column: the heading of its column, or "" for the row as a whole."""

    row: int
    column: str
    message: str


class UploadResponse(View):
    """columns: what each heading was taken for. faults: the first 1,000 of the rows that were refused.

    warnings: the first 1,000 rows that are for a person of a row before.
    """

    accepted: int
    refused: int
    total: int
    columns: dict[str, str]
    faults: list[Fault]
    warnings: list[Fault] = []
