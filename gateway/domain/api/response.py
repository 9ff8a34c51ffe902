"""What callers are told of their messages: the API's answers, and what its client reads."""

from msgspec import UNSET, Struct, UnsetType

from gateway.domain.terms.price import Price


class View(Struct, rename="camel", kw_only=True):
    """The base of all that callers are told."""


class ErrorView(View):
    """A stable `code`, a sentence, and the path of the field, as in `messages[0].channels[0].text`."""

    code: str
    message: str
    field: str


class StepView(View):
    """A step as it was understood. parts: short messages that its text is charged as; price: of all of them.

    fallbackAfter: ISO 8601. explanation: what would be done now, and why; text: as this person would read it (both only
    where it was asked for).
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

    timezone: that of its quiet hours. channel: where it would go first, if it was only asked for. warnings: what we
    changed in it.
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
    """One item for each message and destination, in order."""

    bulk_id: str | None
    messages: list[ItemView]


class RecipientView(View):
    """Whom the caller named. identifiers: all of them, as `kind:value`."""

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
    """A call to a provider; `error`: how the wire broke."""

    at: str | None
    request: CallRequestView
    answer: CallAnswerView | None
    error: str | None
    milliseconds: int


class AttemptView(View):
    """One try of a step. success: what has to be reported before it counts as one. address: the provider's id of the
    person. late: heard of after another step had taken over. price: of what the provider has taken, or may have.
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
    part_count: int
    price: Price | None
    provider_ids: list[str]
    calls: list[CallView]


class DecisionView(View):
    at: str | None
    text: str


class LinkView(View):
    """A short link: where it leads, and who has followed it. previews: by machines, which are nobody's clicks."""

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
    """All that became of a message. Statuses only move forward; nextAt: when it is looked at again."""

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
    """result: cancelled (it never leaves), or tooLate, and why."""

    id: str
    result: str
    reason: str | None


class CancellationsResponse(View):
    messages: list[CancellationView]


class MessageView(View):
    """A message on one line. channel: that of its last attempt."""

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


class MessagesResponse(View):
    """A page, the newest first. While there is a cursor there may be more, even if this page is short."""

    messages: list[MessageView]
    cursor: str | None
