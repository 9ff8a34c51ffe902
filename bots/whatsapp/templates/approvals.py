"""Submits, lists and deletes templates at Meta. Business Management API: Message templates; Graph API: Uploads."""

from collections.abc import Sequence
from typing import NamedTuple

import aiohttp

from bots.whatsapp.inbound.reports import USABLE
from bots.whatsapp.item import dig, items, word
from bots.whatsapp.outbound.sending import Graph
from bots.whatsapp.templates.components import Json, has_named_variables, read, render
from bots.wire import files
from gateway.domain.channel.contract import Verdict
from gateway.domain.channel.errors import Ambiguous, Refused
from gateway.domain.model.message_template import MessageTemplate

FIELDS = "id,name,language,status,category,components,rejected_reason"
"""The fields that we request: by default Meta leaves the reason out."""

PAGE, PAGES = 100, 100
EXAMPLE = 16 * 1024 * 1024
"""Bytes that a header's example file may have."""


class TemplateClient(NamedTuple):
    """The client for a business account's templates. `graph` is Meta's root; `app` uploads the examples."""

    graph: Graph
    files: aiohttp.ClientSession
    business: str
    app: str


async def submit(client: TemplateClient, template: MessageTemplate) -> Verdict:
    """Submit a new template, or a change of one that Meta knows. Raises SendError."""
    file = _file(template)
    handle = await _upload(client, file) if file else ""
    request: Json = {"category": template.category, "components": render(template, handle)}
    if template.provider_id:
        await client.graph.call("POST", f"/{template.provider_id}", request)
        return Verdict(template.provider_id, "pending", usable=False)
    request |= {"name": template.name, "language": template.language}
    request["parameter_format"] = "NAMED" if has_named_variables(template) else "POSITIONAL"
    result = await client.graph.call("POST", f"/{client.business}/message_templates", request)
    if not word(result, "id"):
        raise Ambiguous("Meta's answer names no template; it may have been submitted")
    return _verdict(result)


async def list_templates(client: TemplateClient, account: str) -> Sequence[tuple[MessageTemplate, Verdict]]:
    """Return all templates, page by page. Raises SendError."""
    documents: list[object] = []
    after = ""
    for _ in range(PAGES):
        query = f"?fields={FIELDS}&limit={PAGE}" + (f"&after={after}" if after else "")
        page = await client.graph.call("GET", f"/{client.business}/message_templates{query}")
        documents += items(page, "data")
        after = word(page, "paging", "cursors", "after") if word(page, "paging", "next") else ""
        if not after:
            break
    return [
        (read(account, item), _verdict(item)) for item in documents if word(item, "name") and word(item, "language")
    ]


async def delete(client: TemplateClient, template: MessageTemplate) -> None:
    """Delete only this language of a template. Raises SendError."""
    query = f"?hsm_id={template.provider_id}&name={template.name}"
    await client.graph.call("DELETE", f"/{client.business}/message_templates{query}")


def _file(template: MessageTemplate) -> str:
    """Return the address of the header's example, where it is a file."""
    header = template.header
    return header.example if header and header.type in ("image", "document", "video") else ""


async def _upload(client: TemplateClient, url: str) -> str:
    """Upload the file and return Meta's handle of it (Graph API: Upload a file). Raises SendError."""
    if not client.app:
        raise Refused("a header's example is uploaded by the app: its app_id is missing in the account's settings")
    file = await files.fetch(client.files, url, EXAMPLE)
    length, kind = len(file.body), file.content_type
    upload = await client.graph.call("POST", f"/{client.app}/uploads?file_length={length}&file_type={kind}")
    result = await client.graph.upload(f"/{word(upload, 'id')}", file.body)
    if not (handle := word(result, "h")):
        raise Ambiguous("Meta's answer names no file")
    return handle


def _verdict(item: object) -> Verdict:
    state, reason = word(item, "status").lower() or "pending", word(item, "rejected_reason")
    reason = "" if reason == "NONE" or dig(item, "rejected_reason") is None else reason
    return Verdict(word(item, "id"), state, usable=state in USABLE, reason=reason)
