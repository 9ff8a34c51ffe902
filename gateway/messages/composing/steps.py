"""Outlines of steps: what a step asks for is checked against its channel, before its texts are filled in."""

from dataclasses import dataclass
from datetime import timedelta

from msgspec.structs import replace

from gateway.domain.api.request import RequestError, StepInput
from gateway.domain.channel.contract import Channel
from gateway.domain.channel.web import is_address
from gateway.domain.model.attempt import Step
from gateway.domain.model.nouns import Progress
from gateway.runtime.runtime import Runtime

SHORTEST, LONGEST = timedelta(seconds=10), timedelta(hours=48)
"""The bounds of fallbackAfter."""


@dataclass(frozen=True)
class Outline:
    """A step without its texts, the account that it goes by, and warnings about what was changed in it."""

    step: Step
    channel: Channel
    warnings: list[str]


def outline(runtime: Runtime, request: StepInput, index: int) -> Outline:
    """Check a step against its channel and return its outline. Raises RequestError."""
    try:
        channel = runtime.channel(request.channel, request.account)
        if channel is None:
            raise _unknown(runtime, request)
        _check_parts(channel, request)
        success, warnings = _success(channel, request)
    except RequestError as error:
        raise error.within(f"channels[{index}]") from None
    intent = request.intent or next(iter(channel.facts.intents), "")
    step = Step(request.channel, channel.account, intent=intent, success=success, fallback_after=request.fallback_after)
    step = replace(step, required=request.required)
    if request.sender and channel.facts.may_send_as is None:
        warnings = [*warnings, f"people on {request.channel} see your account's own name, so `from` is not used"]
    unseen = [part for part in ("subject", "html") if getattr(request, part) and part not in channel.facts.shows]
    warnings = [*warnings, *(f"people on {request.channel} do not see `{part}`, so it is not used" for part in unseen)]
    return Outline(step, channel, [f"channels[{index}]: {warning}" for warning in warnings])


def _unknown(runtime: Runtime, request: StepInput) -> RequestError:
    if request.channel not in runtime.channels:
        names = ", ".join(runtime.channels) or "none"
        return RequestError("unknown_channel", f"no account of this channel is set up; there are: {names}", "channel")
    return RequestError("unknown_account", "this channel has no such account", "account")


def _check_parts(channel: Channel, request: StepInput) -> None:
    if not (request.text or request.media or request.template):
        raise RequestError("empty", "give a text, a media or a template", "text")
    if request.template and not channel.facts.templates:
        raise RequestError("no_templates", f"{request.channel} has no approved templates", "template")
    if request.intent and request.intent not in channel.facts.intents:
        names = ", ".join(channel.facts.intents) or "none"
        raise RequestError("unknown_intent", f"this account may write under the intents: {names}", "intent")
    if request.sender and channel.facts.may_send_as and not channel.facts.may_send_as(request.sender):
        raise RequestError("bad_sender", f"{request.channel} shows no such sender", "from")
    _check_media(request)
    _check_addresses(request)
    if request.buttons and not (request.text or request.media):
        raise RequestError("empty", "buttons need a text", "buttons")
    if not SHORTEST <= request.fallback_after <= LONGEST:
        raise RequestError("invalid", "from 10 seconds (PT10S) to 48 hours (PT48H)", "fallbackAfter")


def _check_media(request: StepInput) -> None:
    media = request.media
    if media and bool(media.url) == bool(media.id):
        raise RequestError("invalid", "give either the url of a file or the id of an uploaded one", "media")
    if media and media.url and media.type is None:
        raise RequestError("invalid", "with a url it is needed: image, video, audio or document", "media.type")


def _check_addresses(request: StepInput) -> None:
    """Raise RequestError for what looks like a web address, and is none."""
    urls = {f"buttons[{index}].url": button.url for index, button in enumerate(request.buttons)}
    if request.media:
        urls["media.url"] = request.media.url
    for path, url in urls.items():
        if url and not is_address(url):
            raise RequestError("bad_url", "this is no web address", path)


def _success(channel: Channel, request: StepInput) -> tuple[Progress, list[str]]:
    """Return the report to wait for, no more than the channel ever reports, or everyone would be messaged twice."""
    success, most = Progress[(request.success or "delivered").upper()], channel.facts.receipts
    if success <= most or not request.success:
        return min(success, most), []
    if success is Progress.READ:
        raise RequestError("no_receipts", f"{request.channel} does not report reading", "success")
    return most, [f"{request.channel} reports no more than {most.name.lower()}, so that is what counts as success"]
