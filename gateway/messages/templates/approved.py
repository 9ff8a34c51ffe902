"""Providers' templates: drafts are created, changed, submitted for approval, and deleted."""

from collections.abc import Sequence
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
"""States in which a template may be changed."""


class ContentsInput(Input):
    """The contents of a template. body_examples: a value for each variable of the body."""

    category: Category
    body: Annotated[Text, Meta(min_length=1)]
    body_examples: Examples = field(default_factory=dict)
    header: Head | None = None
    footer: Text = ""
    buttons: Annotated[tuple[Choice, ...], Meta(max_length=20)] = ()


class MessageTemplateRequest(ContentsInput, kw_only=True):
    """A draft to create. account: the channel's first one, if it is not given."""

    channel: Name
    account: Name | None = None
    name: Name
    language: Name


class ChangedContentsRequest(ContentsInput, kw_only=True):
    """New contents of a draft. version: the one that was read."""

    version: Version


async def create(runtime: Runtime, request: MessageTemplateRequest) -> MessageTemplate:
    """Create a draft and return it. Raises RequestError, and Conflict if this name and language are in use."""
    draft = drafted(runtime, request)
    now = draft.created_at or runtime.clock()
    _check(runtime, draft)
    if state := await states.template_state(runtime.db, draft.id):
        raise Conflict(
            f"There is a template of this name and language: it is {state}. Fetch the provider's list to see it."
        )
    await record_verdict(runtime, draft, Verdict("", "draft", usable=False), now)
    if not await approved.put(runtime.db, draft):
        raise Conflict("There is a template of this name and language.")
    return replace(draft, version=1)


def drafted(runtime: Runtime, request: MessageTemplateRequest) -> MessageTemplate:
    """Return the draft that a request describes, whether or not its provider would take it. Raises RequestError."""
    channel, _ = approvals_of(runtime, request.channel, request.account)
    now, fields = runtime.clock(), asdict(request) | {"account": channel.account}
    fields["language"] = request.language.replace("-", "_")
    return MessageTemplate(**fields, created_at=now, changed_at=now)


def changed(old: MessageTemplate, contents: ContentsInput) -> MessageTemplate:
    """Return a template with new contents. Pure."""
    return replace(old, **{name: getattr(contents, name) for name in ContentsInput.__struct_fields__})


def mistakes(runtime: Runtime, draft: MessageTemplate) -> Sequence[tuple[str, str]]:
    """Return what its provider would refuse in a draft, as pairs of a field and words. Raises RequestError."""
    _, approvals = approvals_of(runtime, draft.channel, draft.account)
    return approvals.template_mistakes(draft)


async def change(runtime: Runtime, key: str, request: ChangedContentsRequest) -> MessageTemplate | None:
    """Change a draft. Returns the new one, or None if there is no such template. Raises RequestError, Conflict."""
    old = await approved.get(runtime.db, key)
    if old is None:
        return None
    if old.state not in CHANGEABLE:
        raise Conflict(f"Only a draft, or what was rejected, can be changed; this is {old.state}.")
    new = replace(changed(old, request), state="draft", changed_at=runtime.clock())
    _check(runtime, new)
    if old.version != request.version or not await approved.put(runtime.db, new):
        raise Conflict("Somebody has changed this template meanwhile: read it again.")
    await record_verdict(runtime, new, Verdict("", "draft", usable=False), runtime.clock())
    return await approved.get(runtime.db, key)


async def submit(runtime: Runtime, key: str) -> MessageTemplate | None:
    """Submit a draft for approval. Returns the template, or None if there is no such one.

    Raises SendError if the provider does not accept it, and Conflict if it is no draft or changes at the same time.
    """
    draft = await approved.get(runtime.db, key)
    if draft is None:
        return None
    if draft.state != "draft":
        raise Conflict(f"Only a draft is submitted; this is {draft.state}.")
    _, approvals = approvals_of(runtime, draft.channel, draft.account)
    began = runtime.clock()
    # Before the call, since the provider's decision may be faster than its answer.
    await record_verdict(runtime, draft, Verdict("", "pending", usable=False), began)
    if not await approved.put(runtime.db, draft):
        raise Conflict("Somebody submits or changes this template at this moment.")
    draft = replace(draft, version=draft.version + 1)
    try:
        verdict = await approvals.submit_template(draft)
    except SendError as error:
        await record_verdict(runtime, draft, Verdict("", "draft", usable=False, reason=str(error)), began)
        raise
    await approved.put(runtime.db, replace(draft, provider_id=verdict.provider_id))
    if verdict.state != "pending":
        await record_verdict(runtime, draft, verdict, began)
    return await approved.get(runtime.db, key)


async def delete(runtime: Runtime, key: str) -> bool:
    """Delete a template, at the provider too. Returns False if there is no such template. Raises SendError."""
    template = await approved.get(runtime.db, key)
    if template is None:
        return False
    if template.provider_id and template.state != "deleted":
        _, approvals = approvals_of(runtime, template.channel, template.account)
        await approvals.delete_template(template)
    await record_verdict(runtime, template, Verdict("", "deleted", usable=False), runtime.clock())
    await approved.remove(runtime.db, template)
    return True


async def record_verdict(runtime: Runtime, template: MessageTemplate, verdict: Verdict, at: datetime) -> None:
    """Store a verdict on a template, the provider's or our own, that was given at `at`.

    Moments are cut to the second, since providers report those of theirs to the second.
    """
    await states.save_template_state(
        runtime.db,
        template.id,
        usable=verdict.usable,
        state=verdict.state,
        reason=verdict.reason,
        at=at.replace(microsecond=0),
    )


def approvals_of(runtime: Runtime, name: str, account: str | None) -> tuple[Channel, TemplateApprovals]:
    """Return the account, twice: as a channel, and as what approves templates. Raises RequestError."""
    channel = runtime.channel(name, account)
    if name not in runtime.channels:
        raise RequestError("unknown_channel", "no account of this channel is set up", "channel")
    if channel is None:
        raise RequestError("unknown_account", "this channel has no such account", "account")
    if not isinstance(channel, TemplateApprovals):
        raise RequestError("no_templates", f"{account_key(channel)} has no approved templates", "channel")
    return channel, channel


def _check(runtime: Runtime, draft: MessageTemplate) -> None:
    for name, words in mistakes(runtime, draft):
        raise RequestError("invalid", words, name)
