"""The editor of an own template: what is said of it while it is written, and its page."""

import re
from dataclasses import dataclass, field

from quart import render_template

from gateway.domain.api.request import RequestError
from gateway.messages.composing.sizes import Size, sizes
from gateway.messages.templates import own
from gateway.messages.templates.own import OwnTemplate
from gateway.messages.templates.phone_page import Bubble
from gateway.messages.templates.previews import bubbles
from storage.templates import approved
from webhooks.http.context import runtime
from webhooks.pages.own.draft import EMPTY_BUTTONS, MOST_BUTTONS, MOST_STEPS, Draft
from webhooks.pages.words import gettext


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
    warnings: list[str] = field(default_factory=list)
    sizes: list[Size] = field(default_factory=list)


async def look(editor: Editor) -> None:
    """Find the mistake that saving would tell, or else the warnings and the preview."""
    try:
        structure = editor.draft.structure()
        editor.warnings = list(map(_named, await own.check(runtime(), structure)))
        editor.phone = await bubbles(runtime(), structure, None)
        editor.sizes = sizes(runtime(), structure.channels)
    except RequestError as error:
        editor.mistake = sentence(error)


async def shown(editor: Editor, *, checked: bool = False) -> str:
    """Return the editor's page. checked: a mistake in the form is told, and not only when it is saved."""
    told = editor.mistake
    await look(editor)
    editor.mistake = editor.mistake if checked else told
    return await render_template(
        "editor.html",
        editor=editor,
        channels=list(runtime().channels),
        provided=await _provided(),
        most_steps=MOST_STEPS,
        most_buttons=MOST_BUTTONS,
        empty_buttons=EMPTY_BUTTONS,
    )


def sentence(error: RequestError) -> str:
    """Return what is wrong with a form, and where."""
    return _named(f"{error.field}: {error.message}") if error.field else error.message


STEP = re.compile(r"^channels\[(\d+)\]\.?\s*")


def _named(line: str) -> str:
    """Return a line about a step with the step's name as the form has it, in place of its path."""
    return STEP.sub(lambda match: f"{gettext('Step %(number)s') % {'number': int(match[1]) + 1}}: ", line)


async def _provided() -> dict[str, list[str]]:
    """Return the usable templates of each channel's providers, as name/language."""
    found: dict[str, list[str]] = {}
    for channel, accounts in runtime().channels.items():
        for account in accounts:
            templates = await approved.of_account(runtime().db, channel, account)
            found.setdefault(channel, []).extend(f"{each.name}/{each.language}" for each in templates if each.usable)
    return {channel: sorted(set(names)) for channel, names in found.items() if names}
