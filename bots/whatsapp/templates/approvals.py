"""Templates at Meta: submitted, listed, deleted (Business Management API: Message templates; Graph API: Uploads)."""

from collections.abc import Sequence
from typing import NamedTuple

import aiohttp

from bots.whatsapp.inbound.reports import USABLE
from bots.whatsapp.item import dig, items, word
from bots.whatsapp.outbound.sending import Graph
from bots.whatsapp.templates.components import Json, named, read, rendered
from bots.wire import files
from gateway.domain.channel.contract import Verdict
from gateway.domain.channel.errors import Ambiguous, Refused
from gateway.domain.model.message_template import MessageTemplate

FIELDS = "id,name,language,status,category,components,rejected_reason"
"""By default Meta leaves the reason out."""

PAGE, PAGES = 100, 100
EXAMPLE = 16 * 1024 * 1024
"""Bytes of a header's example."""


class Desk(NamedTuple):
    """Where the templates of a business account are. `graph` is Meta's root; `app` uploads the examples."""

    graph: Graph
    files: aiohttp.ClientSession
    business: str
    app: str


async def submit(desk: Desk, template: MessageTemplate) -> Verdict:
    """A new one, or a change of the one that Meta knows. Raises SendError."""
    file = _file(template)
    handle = await _uploaded(desk, file) if file else ""
    asked: Json = {"category": template.category, "components": rendered(template, handle)}
    if template.provider_id:
        await desk.graph.call("POST", f"/{template.provider_id}", asked)
        return Verdict(template.provider_id, "pending", usable=False)
    asked |= {"name": template.name, "language": template.language}
    asked["parameter_format"] = "NAMED" if named(template) else "POSITIONAL"
    made = await desk.graph.call("POST", f"/{desk.business}/message_templates", asked)
    if not word(made, "id"):
        raise Ambiguous("Meta's answer names no template; it may have been submitted")
    return _verdict(made)


async def listed(desk: Desk, account: str) -> Sequence[tuple[MessageTemplate, Verdict]]:
    """All of them, page by page. Raises SendError."""
    found: list[object] = []
    after = ""
    for _ in range(PAGES):
        query = f"?fields={FIELDS}&limit={PAGE}" + (f"&after={after}" if after else "")
        page = await desk.graph.call("GET", f"/{desk.business}/message_templates{query}")
        found += items(page, "data")
        after = word(page, "paging", "cursors", "after") if word(page, "paging", "next") else ""
        if not after:
            break
    return [(read(account, item), _verdict(item)) for item in found if word(item, "name") and word(item, "language")]


async def delete(desk: Desk, template: MessageTemplate) -> None:
    """Only this language of it. Raises SendError."""
    query = f"?hsm_id={template.provider_id}&name={template.name}"
    await desk.graph.call("DELETE", f"/{desk.business}/message_templates{query}")


def _file(template: MessageTemplate) -> str:
    """The address of the header's example, where it is a file."""
    header = template.header
    return header.example if header and header.type in ("image", "document", "video") else ""


async def _uploaded(desk: Desk, url: str) -> str:
    """Meta's handle of the file (Graph API: Upload a file). Raises SendError."""
    if not desk.app:
        raise Refused("a header's example is uploaded by the app: its app_id is missing in the account's settings")
    file = await files.fetch(desk.files, url, EXAMPLE)
    length, kind = len(file.body), file.content_type
    begun = await desk.graph.call("POST", f"/{desk.app}/uploads?file_length={length}&file_type={kind}")
    done = await desk.graph.upload(f"/{word(begun, 'id')}", file.body)
    if not (handle := word(done, "h")):
        raise Ambiguous("Meta's answer names no file")
    return handle


def _verdict(item: object) -> Verdict:
    state, reason = word(item, "status").lower() or "pending", word(item, "rejected_reason")
    reason = "" if reason == "NONE" or dig(item, "rejected_reason") is None else reason
    return Verdict(word(item, "id"), state, usable=state in USABLE, reason=reason)
