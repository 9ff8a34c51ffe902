"""The first step of a job: its kind, its message as an own template or as it is written here, its name and hours."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from werkzeug.datastructures import MultiDict

from gateway.domain.api.jobs import JobRequest
from gateway.domain.api.request import HeaderInput, StepInput, TemplateInput, convert
from gateway.domain.channel.facts import Facts
from gateway.domain.model.job import Job
from gateway.domain.model.message_template import MessageTemplate, places
from gateway.messages.templates import own
from gateway.runtime.paging import PageQuery
from gateway.runtime.runtime import Runtime, all_channels
from storage.templates import approved
from webhooks.http.context import runtime
from webhooks.pages.forms.mistakes import Mistake
from webhooks.pages.jobs.hours import WEEK
from webhooks.pages.looks import channel_title
from webhooks.pages.words import gettext

STEPS = 3
"""Steps that can be written on the page; a template may have more."""

TEMPLATES = 200
"""Own templates that are offered, the newest ones."""


class Kind(NamedTuple):
    """A kind of job. word: its name for people; sentence: who gets the message, and what it needs."""

    name: str
    word: str
    sentence: str


def kinds() -> list[Kind]:
    """Return the kinds that are offered: those of single channels only where the channel is set up."""
    everybody = Kind(
        "universal", gettext("Universal"), gettext("Everybody whom the file names, by any channels, one after another.")
    )
    general = [
        everybody,
        Kind(
            "advertising",
            gettext("Advertising"),
            gettext("People who have written to us. Each gets one message, and who has opted out gets none."),
        ),
        Kind("sessions", gettext("Start of chats"), gettext("One step by a messenger, which begins a conversation.")),
    ]
    facts = {channel.facts.name: channel.facts for channel in all_channels(runtime().channels)}
    return [*general, *(kind for each in facts.values() for kind in _alone(each))]


def _alone(facts: Facts) -> Iterator[Kind]:
    """Yield the kind of jobs by this channel alone, if it is one that reaches people who have never written."""
    title = {"channel": facts.title}
    if facts.parts:
        sentence = gettext("By %(channel)s only. Each row needs a phone number.") % title
        yield Kind(facts.name, facts.title, sentence)
    elif facts.templates:
        sentence = gettext("By %(channel)s only, by a template that is approved.") % title
        yield Kind(facts.name, gettext("%(channel)s by template") % title, sentence)


async def choices(gateway: Runtime) -> dict[str, Any]:
    """Return what the form offers: channels, own templates, and the providers' templates that can be sent."""
    templates = await own.page(gateway, PageQuery(limit=TEMPLATES))
    provided = [
        template
        for channel in all_channels(gateway.channels)
        for template in await approved.of_account(gateway.db, channel.facts.name, channel.account)
        if template.usable
    ]
    return {
        "channels": [(name, channel_title(name)) for name in gateway.channels],
        "templates": [(each.entry.id, each.structure.name) for each in templates.templates],
        "provided": [(each.id, f"{each.name}/{each.language} · {channel_title(each.channel)}") for each in provided],
    }


def typed(job: Job | None) -> dict[str, Any]:
    """Return what the form shows at first: nothing, or what a draft has."""
    if job is None:
        return {"kind": "universal", "source": "here", "steps": [{}] * STEPS}
    message = msgspec.json.decode(job.message)
    ranges = message.get("allowedTimeRanges") or [("", "")]
    steps = [{"channel": step["channel"], "text": step.get("text", "")} for step in message["channels"]]
    return {
        "name": job.name,
        "kind": job.kind,
        "source": "keep",
        "from": ranges[0][0],
        "to": ranges[0][1],
        "weekdays": message.get("weekdays") or [],
        "timezone": message.get("timezone", ""),
        "steps": [*steps, *[{}] * STEPS][:STEPS],
    }


def filled(form: MultiDict[str, str]) -> dict[str, Any]:
    """Return what somebody has typed, to be shown again."""
    steps = [{name: form.get(f"{name}{number}", "") for name in ("channel", "text", "provided")} for number in range(3)]
    names = ("name", "kind", "source", "template", "from", "to", "timezone")
    return {name: form.get(name, "") for name in names} | {"steps": steps, "weekdays": _weekdays(form)}


async def read_request(gateway: Runtime, form: MultiDict[str, str], job: Job | None) -> JobRequest:
    """Return the job that a form describes. Raises RequestError, whose field is one of the form's."""
    kind, source = form.get("kind", ""), form.get("source", "")
    fields: dict[str, Any] = {"name": form.get("name", "").strip() or _unnamed(), "kind": kind}
    if source == "keep" and job:
        kept = msgspec.json.decode(job.message)
        fields = {name: kept[name] for name in KEPT if name in kept} | fields
    elif source == "template":
        if not form.get("template"):
            raise Mistake(gettext("Choose a template."), "template")
        fields["templateId"] = form["template"]
    else:
        fields["channels"] = msgspec.to_builtins(await written_steps(gateway, form, kind))
    return convert(JobRequest, fields | _hours(form))


KEPT = ("channels", "validityPeriod", "useShortLinks", "callbackUrl", "callbackEvents", "callbackData")


def _unnamed() -> str:
    raise Mistake(gettext("Give the job a name."), "name")


def _weekdays(form: MultiDict[str, str]) -> list[int]:
    return [int(day) for day in form.getlist("weekday") if day in {*"1234567"}]


def _hours(form: MultiDict[str, str]) -> dict[str, Any]:
    start, end = form.get("from", ""), form.get("to", "")
    if bool(start) != bool(end):
        raise Mistake(gettext("Hours have a beginning and an end."), "hours")
    hours: dict[str, Any] = {"allowedTimeRanges": [[start, end]]} if start else {}
    hours |= {"weekdays": days} if len(days := _weekdays(form)) < WEEK else {}
    return hours | ({"timezone": form["timezone"].strip()} if form.get("timezone", "").strip() else {})


async def written_steps(gateway: Runtime, form: Mapping[str, str], kind: str) -> list[StepInput]:
    """Return the steps that were written. Raises RequestError. A job of one channel needs no channel to be chosen."""
    steps = list[StepInput]()
    for number in range(STEPS):
        text, provided = form.get(f"text{number}", "").strip(), form.get(f"provided{number}", "")
        if not text and not provided:
            continue
        template = await approved.get(gateway.db, provided) if provided else None
        channel = kind if kind in gateway.channels else form.get(f"channel{number}", "")
        if not channel and template:
            channel = template.channel
        if not channel:
            raise Mistake(gettext("Choose a channel for this text."), f"channels[{number}]")
        steps.append(StepInput(channel=channel, text=text, template=_with_variables(template) if template else None))
    if not steps:
        raise Mistake(gettext("Write a text, or choose a template."), "channels[0]")
    return steps


def _with_variables(template: MessageTemplate) -> TemplateInput:
    """Return a provider's template, each place of which is filled by the column of the same name."""
    variables = {name: _variable(name) for name in places(template.body)}
    head = template.header
    header = HeaderInput(type="text", variables={name: _variable(name) for name in places(head.text)}) if head else None
    return TemplateInput(
        name=template.name,
        language=template.language,
        variables=variables,
        header=header if header and header.variables else None,
    )


def _variable(name: str) -> str:
    """Return our variable for a place: those that are numbers have a word before them."""
    return f"{{{{value{name}}}}}" if name.isdigit() else f"{{{{{name}}}}}"
