"""Providers' templates: drafts of ours, changed, submitted to be approved, and deleted."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, field
from msgspec.structs import asdict, replace

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import Input, Name, RequestError, Version
from gateway.domain.channel.contract import Channel, TemplateApprovals, Verdict
from gateway.domain.channel.errors import SendError
from gateway.domain.model.message_template import Category, Choice, Examples, Head, MessageTemplate, Text
from gateway.runtime.runtime import Runtime, account_key
from storage.accounts import states
from storage.templates import approved

CHANGEABLE = ("draft", "rejected")


class ContentsInput(Input):
    """What people will see. body_examples: a value for each variable of the body."""

    category: Category
    body: Annotated[Text, Meta(min_length=1)]
    body_examples: Examples = field(default_factory=dict)
    header: Head | None = None
    footer: Text = ""
    buttons: Annotated[tuple[Choice, ...], Meta(max_length=20)] = ()


class MessageTemplateRequest(ContentsInput, kw_only=True):
    """A draft to be made. Without an `account` it is the channel's first."""

    channel: Name
    account: Name | None = None
    name: Name
    language: Name


class ChangedContentsRequest(ContentsInput, kw_only=True):
    """A draft's contents anew. `version` is the one that was read."""

    version: Version


async def create(runtime: Runtime, asked: MessageTemplateRequest) -> MessageTemplate:
    """A new draft. Raises RequestError, and Clash where there is one of this name and language."""
    channel, _ = desk_of(runtime, asked.channel, asked.account)
    now, fields = runtime.clock(), asdict(asked) | {"account": channel.account}
    fields["language"] = asked.language.replace("-", "_")
    draft = MessageTemplate(**fields, created_at=now, changed_at=now)
    _check(runtime, draft)
    if why := await states.template_state(runtime.db, draft.id):
        raise Conflict(
            f"There is a template of this name and language: it is {why}. sync fetches what the provider has."
        )
    await heard(runtime, draft, Verdict("", "draft", usable=False), now)
    if not await approved.put(runtime.db, draft):
        raise Conflict("There is a template of this name and language.")
    return replace(draft, version=1)


async def change(runtime: Runtime, key: str, asked: ChangedContentsRequest) -> MessageTemplate | None:
    """The draft as it is then; None if there is no such template. Raises RequestError, Clash."""
    old = await approved.get(runtime.db, key)
    if old is None:
        return None
    if old.state not in CHANGEABLE:
        raise Conflict(f"Only a draft, or what was rejected, can be changed; this is {old.state}.")
    new = replace(old, **{name: value for name, value in asdict(asked).items() if name != "version"})
    new = replace(new, state="draft", changed_at=runtime.clock())
    _check(runtime, new)
    if old.version != asked.version or not await approved.put(runtime.db, new):
        raise Conflict("Somebody has changed this template meanwhile: read it again.")
    await heard(runtime, new, Verdict("", "draft", usable=False), runtime.clock())
    return await approved.get(runtime.db, key)


async def submit(runtime: Runtime, key: str) -> MessageTemplate | None:
    """Hand a draft over to be approved. Raises SendError where the provider does not take it, and Clash."""
    draft = await approved.get(runtime.db, key)
    if draft is None:
        return None
    if draft.state != "draft":
        raise Conflict(f"Only a draft is submitted; this is {draft.state}.")
    _, desk = desk_of(runtime, draft.channel, draft.account)
    began = runtime.clock()
    # Before the call, since the provider's decision may be faster than its answer.
    await heard(runtime, draft, Verdict("", "pending", usable=False), began)
    if not await approved.put(runtime.db, draft):
        raise Conflict("Somebody submits or changes this template at this moment.")
    draft = replace(draft, version=draft.version + 1)
    try:
        verdict = await desk.submit_template(draft)
    except SendError as error:
        await heard(runtime, draft, Verdict("", "draft", usable=False, reason=str(error)), began)
        raise
    await approved.put(runtime.db, replace(draft, provider_id=verdict.provider_id))
    if verdict.state != "pending":
        await heard(runtime, draft, verdict, began)
    return await approved.get(runtime.db, key)


async def delete(runtime: Runtime, key: str) -> bool:
    """Take it away, at the provider too. False if there is no such template. Raises SendError."""
    template = await approved.get(runtime.db, key)
    if template is None:
        return False
    if template.provider_id and template.state != "deleted":
        _, desk = desk_of(runtime, template.channel, template.account)
        await desk.delete_template(template)
    await heard(runtime, template, Verdict("", "deleted", usable=False), runtime.clock())
    await approved.remove(runtime.db, template)
    return True


async def heard(runtime: Runtime, template: MessageTemplate, verdict: Verdict, at: datetime) -> None:
    """Keep the provider's word, or ours.

    Providers tell the second at which a state changed, so that is as exact as ours may be.
    """
    await states.save_template_state(
        runtime.db,
        template.id,
        usable=verdict.usable,
        state=verdict.state,
        reason=verdict.reason,
        at=at.replace(microsecond=0),
    )


def desk_of(runtime: Runtime, name: str, account: str | None) -> tuple[Channel, TemplateApprovals]:
    """The account, and itself as a desk. Raises RequestError."""
    channel = runtime.channel(name, account)
    if name not in runtime.channels:
        raise RequestError("unknown_channel", "no account of this channel is set up", "channel")
    if channel is None:
        raise RequestError("unknown_account", "this channel has no such account", "account")
    if not isinstance(channel, TemplateApprovals):
        raise RequestError("no_templates", f"{account_key(channel)} has no approved templates", "channel")
    return channel, channel


def _check(runtime: Runtime, draft: MessageTemplate) -> None:
    _, desk = desk_of(runtime, draft.channel, draft.account)
    for name, words in desk.template_mistakes(draft):
        raise RequestError("invalid", words, name)
