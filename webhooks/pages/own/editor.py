"""The editor of an own template: what is said of it while it is written, and its page."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup
from quart import render_template

from gateway.domain.api.request import RequestError
from gateway.domain.model.message_template import MessageTemplate
from gateway.messages.composing.sizes import Size, sizes
from gateway.messages.templates import own
from gateway.messages.templates.own import OwnTemplate
from gateway.messages.templates.phone_page import Bubble
from gateway.messages.templates.previews import bubbles
from storage.templates import approved
from webhooks.http.context import runtime
from webhooks.pages.forms.approved_fields import Field, fields_of, values_of
from webhooks.pages.forms.mistakes import told, told_of
from webhooks.pages.own.draft import EMPTY_BUTTONS, MOST_BUTTONS, MOST_STEPS, Draft


@dataclass
class Editor:
    """What the editor shows. key: the template's id, "" for a new one. version: the one that was read.

    theirs: what somebody else has saved meanwhile.
    """

    draft: Draft
    key: str = ""
    version: int = 0
    newest: int = 0
    mistake: str = ""
    theirs: OwnTemplate | None = None
    phone: list[Bubble] = field(default_factory=list)
    warnings: list[Markup] = field(default_factory=list)
    sizes: list[Size] = field(default_factory=list)


@dataclass(frozen=True)
class ShownStep:
    """A step in the form. names: the provider's templates that may be chosen. fields: None where it is not known here.

    kind: that of the file above the chosen template's text. variables: what is stored for one that is not known.
    """

    step: Mapping[str, Any]
    names: Sequence[str]
    chosen: str
    fields: Sequence[Field] | None
    kind: str
    variables: Mapping[str, str]


async def look(editor: Editor) -> None:
    """Find the mistake that saving would tell, or else the warnings and the preview."""
    try:
        structure = editor.draft.structure()
        editor.warnings = list(map(_named, await own.check(runtime(), structure)))
        editor.phone = await bubbles(runtime(), structure, None)
        editor.sizes = sizes(runtime(), structure.channels)
    except RequestError as error:
        editor.mistake = told(error)


async def shown(editor: Editor, *, checked: bool = False) -> str:
    """Return the editor's page. checked: a mistake in the form is told, and not only when it is saved."""
    told = editor.mistake
    await look(editor)
    editor.mistake = editor.mistake if checked else told
    return await render_template(
        "editor.html",
        editor=editor,
        channels=list(runtime().channels),
        steps=_steps(editor.draft, await _provided()),
        most_steps=MOST_STEPS,
        most_buttons=MOST_BUTTONS,
        empty_buttons=EMPTY_BUTTONS,
    )


STEP = re.compile(r"(channels\[\d+\])(\.[\w.\[\]]+(?=: |\s))?:?\s*(.*)", re.DOTALL)


def _named(line: str) -> Markup:
    """Return a line about a step with the step's and the field's names as the form has them, in place of the path."""
    found = STEP.fullmatch(line)
    return told_of(f"{found[1]}{found[2] or ''}", found[3]) if found else told_of("", line)


async def _provided() -> dict[str, dict[str, MessageTemplate]]:
    """Return the usable templates of each channel's providers, by name/language."""
    found: dict[str, dict[str, MessageTemplate]] = {}
    for channel, accounts in runtime().channels.items():
        for account in accounts:
            stored = await approved.of_account(runtime().db, channel, account)
            found.setdefault(channel, {}).update(
                {f"{each.name}/{each.language}": each for each in stored if each.usable}
            )
    return found


def _steps(draft: Draft, provided: Mapping[str, Mapping[str, MessageTemplate]]) -> list[ShownStep]:
    return [_step(step, provided.get(step.get("channel", ""), {})) for step in draft.steps]


def _step(step: Mapping[str, Any], usable: Mapping[str, MessageTemplate]) -> ShownStep:
    template = step.get("template") or {}
    chosen = f"{template['name']}/{template['language']}" if template else ""
    known = usable.get(chosen)
    return ShownStep(
        step,
        sorted({*usable, *([chosen] if chosen else [])}),
        chosen,
        fields_of(known, {}, values_of(template)) if known else None,
        known.header.type if known and known.header and known.header.type != "text" else "",
        template.get("variables") or {},
    )
