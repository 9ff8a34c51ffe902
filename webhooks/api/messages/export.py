"""Export of messages over HTTP."""

from collections.abc import AsyncIterator, Iterable

import msgspec
from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring

from gateway.domain.api.request import convert
from gateway.domain.api.response import MessageView
from gateway.domain.api.roles import Role
from gateway.messages.archive.listing import ExportQuery, every
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow
from webhooks.http.openapi import document_files
from webhooks.http.tables import CSV, XLSX, Rows, table_file

blueprint = Blueprint("export", __name__, url_prefix="/api/v1/messages/export")

HEADINGS = [field.encode_name for field in msgspec.structs.fields(MessageView)]


@blueprint.get("")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(ExportQuery)
@document_files(CSV, XLSX)
async def export() -> ResponseReturnValue:
    """Export messages as CSV or as an Excel workbook (of up to 100,000 rows), the newest first."""
    return await messages_file(convert(ExportQuery, query()))


async def messages_file(wanted: ExportQuery) -> ResponseReturnValue:
    """Return all messages that are wanted as a file."""
    return await table_file("messages", HEADINGS, _pages(every(runtime(), wanted)), wanted.format)


async def _pages(pages: AsyncIterator[list[MessageView]]) -> AsyncIterator[Rows]:
    async for rows in pages:
        yield [list(_values(row)) for row in rows]


def _values(row: MessageView) -> Iterable[object]:
    """Return a row's values, each for one cell: several identifiers are separated by spaces."""
    values: Iterable[object] = msgspec.structs.astuple(row)
    return (" ".join(value) if isinstance(value, list) else value for value in values)
