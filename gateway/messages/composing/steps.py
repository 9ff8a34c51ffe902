"""The steps of a message before its texts are filled in: what the channels named can do, and what we changed in it."""

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


def outlined(runtime: Runtime, asked: StepInput, index: int) -> tuple[Step, list[str]]:
    """A step without its texts, and what we changed in it. Raises RequestError."""
    try:
        channel = runtime.channel(asked.channel, asked.account)
        if channel is None:
            raise _no_way(runtime, asked)
        _check_parts(channel, asked)
        success, warnings = _success(channel, asked)
    except RequestError as error:
        raise error.within(f"channels[{index}]") from None
    intent = asked.intent or next(iter(channel.facts.intents), "")
    step = Step(asked.channel, channel.account, intent=intent, success=success, fallback_after=asked.fallback_after)
    step = replace(step, required=asked.required)
    if asked.sender and channel.facts.may_send_as is None:
        warnings = [*warnings, f"people on {asked.channel} see your account's own name, so `from` is not used"]
    unseen = [part for part in ("subject", "html") if getattr(asked, part) and part not in channel.facts.shows]
    warnings = [*warnings, *(f"people on {asked.channel} do not see `{part}`, so it is not used" for part in unseen)]
    return step, [f"channels[{index}]: {warning}" for warning in warnings]


def _no_way(runtime: Runtime, asked: StepInput) -> RequestError:
    if asked.channel not in runtime.channels:
        known = ", ".join(runtime.channels) or "none"
        return RequestError("unknown_channel", f"no account of this channel is set up; there are: {known}", "channel")
    return RequestError("unknown_account", "this channel has no such account", "account")


def _check_parts(channel: Channel, asked: StepInput) -> None:
    if not (asked.text or asked.media or asked.template):
        raise RequestError("empty", "give a text, a media or a template", "text")
    if asked.template and not channel.facts.templates:
        raise RequestError("no_templates", f"{asked.channel} has no approved templates", "template")
    if asked.intent and asked.intent not in channel.facts.intents:
        known = ", ".join(channel.facts.intents) or "none"
        raise RequestError("unknown_intent", f"this account may write under the intents: {known}", "intent")
    if asked.sender and channel.facts.may_send_as and not channel.facts.may_send_as(asked.sender):
        raise RequestError("bad_sender", f"{asked.channel} shows no such sender", "from")
    _check_addresses(asked)
    if asked.buttons and not (asked.text or asked.media):
        raise RequestError("empty", "buttons need a text", "buttons")
    if not SHORTEST <= asked.fallback_after <= LONGEST:
        raise RequestError("invalid", "from 10 seconds (PT10S) to 48 hours (PT48H)", "fallbackAfter")


def _check_addresses(asked: StepInput) -> None:
    """Raises RequestError for what looks like a web address, and is none."""
    named = {f"buttons[{index}].url": button.url for index, button in enumerate(asked.buttons)}
    if asked.media:
        named["media.url"] = asked.media.url
    for path, url in named.items():
        if url and not is_address(url):
            raise RequestError("bad_url", "this is no web address", path)


def _success(channel: Channel, asked: StepInput) -> tuple[Progress, list[str]]:
    """What to wait for: no more than the channel can ever report, or everyone would be messaged twice."""
    wanted, most = Progress[(asked.success or "delivered").upper()], channel.facts.receipts
    if wanted <= most or not asked.success:
        return min(wanted, most), []
    if wanted is Progress.READ:
        raise RequestError("no_receipts", f"{asked.channel} does not report reading", "success")
    return most, [f"{asked.channel} reports no more than {most.name.lower()}, so that is what counts as success"]
