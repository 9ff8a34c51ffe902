"""The editor of a provider's template: what its provider would say of it, how it would look, and its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quart import render_template

from gateway.domain.api.request import RequestError, convert
from gateway.domain.channel.contract import TemplateApprovals, TemplateBounds
from gateway.domain.model.message_template import MessageTemplate
from gateway.messages.templates import approved
from gateway.messages.templates.approved import CHANGEABLE, ContentsInput, MessageTemplateRequest, approvals_of
from gateway.messages.templates.phone_page import Bubble, template_bubble
from gateway.runtime.runtime import account_key, all_channels
from webhooks.http.context import runtime
from webhooks.pages.forms.mistakes import told, told_of
from webhooks.pages.looks import template_state
from webhooks.pages.provided.contents import KINDS, MOST_BUTTONS, read_contents, read_draft
from webhooks.pages.words import gettext


@dataclass
class Wrong:
    """What went wrong with a form: the sentence, its HTTP status, and the newest contents if somebody changed them."""

    sentence: str
    status: int
    theirs: MessageTemplate | None = None


@dataclass(frozen=True)
class Room:
    """How much of what its provider allows a part of a template uses, in characters, or in buttons."""

    part: str
    used: int
    most: int


@dataclass(frozen=True)
class Look:
    """What is to be said of a template while it is written: the mistakes that its provider would refuse."""

    mistakes: Sequence[str] = ()
    rooms: Sequence[Room] = ()
    bubbles: Sequence[Bubble] = ()


def look(template: MessageTemplate | None, fields: Mapping[str, str]) -> Look:
    """Look at a form as saving it would. template: the one that the form changes; None for a new one."""
    try:
        draft = _unsaved(template, fields)
        mistakes = [told_of(name, words) for name, words in approved.mistakes(runtime(), draft) if name not in UNNAMED]
        _, approvals = approvals_of(runtime(), draft.channel, draft.account)
    except RequestError as error:
        return Look([told(error)])
    return Look(mistakes, _rooms(draft, approvals.template_bounds), [template_bubble(draft)])


UNNAMED = {"name", "language"}
"""Fields that are filled in for a preview, and told of when the draft is kept."""


def _unsaved(template: MessageTemplate | None, fields: Mapping[str, str]) -> MessageTemplate:
    """Return what a form holds. One that has no name yet gets one, so that it can be looked at. Raises RequestError."""
    if template:
        return approved.changed(template, convert(ContentsInput, read_contents(fields)))
    draft = read_draft(fields)
    named = {name: draft[name] or "en" for name in ("name", "language")}
    return approved.drafted(runtime(), convert(MessageTemplateRequest, draft | named))


def _rooms(draft: MessageTemplate, bounds: TemplateBounds) -> Sequence[Room]:
    longest = max((len(button.text) for button in draft.buttons), default=0)
    head = draft.header.text if draft.header else ""
    return [
        Room(gettext("Header"), len(head), bounds.header),
        Room(gettext("Text"), len(draft.body), bounds.body),
        Room(gettext("Footer"), len(draft.footer), bounds.footer),
        Room(gettext("Longest button"), longest, bounds.button),
        Room(gettext("Buttons"), len(draft.buttons), bounds.buttons),
    ]


async def editor(template: MessageTemplate | None, fields: Mapping[str, str], wrong: Wrong | None = None) -> str:
    """Return the page of a template, or of a new one, with what stands in its form."""
    buttons = sum(1 for number in range(MOST_BUTTONS) if fields.get(f"button-{number}"))
    changeable = template is None or state(template) in CHANGEABLE
    stored = Look(bubbles=[template_bubble(template)]) if template else Look()
    return await render_template(
        "provided_one.html",
        template=template,
        fields=fields,
        wrong=wrong,
        state_look=template_state(state(template)) if template else None,
        changeable=changeable,
        may_submit=template is not None and template.state == "draft",
        look=look(template, fields) if changeable and fields.get("body") else stored,
        accounts=accounts(),
        rows=min(buttons + 1, MOST_BUTTONS),
        kinds=KINDS,
    )


def accounts() -> list[str]:
    """Return the accounts whose providers approve templates."""
    return [account_key(each) for each in all_channels(runtime().channels) if isinstance(each, TemplateApprovals)]


def state(template: MessageTemplate) -> str:
    """Return the state of a template as people know it."""
    return "approved" if template.usable else template.state
