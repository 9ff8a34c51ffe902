"""Own templates over HTTP: made, changed version by version, listed, deleted."""

from msgspec.structs import asdict
from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request, document_response

from gateway.domain.api.formats import iso
from gateway.domain.api.request import AskedStep, convert, read
from gateway.domain.api.roles import Role
from gateway.messages.composing import lint
from gateway.messages.templates import own as catalogue
from gateway.messages.templates.own import AskedNewTemplate, AskedNewVersion, AskedVersion, Own
from gateway.runtime.paging import AskedPlace
from webhooks.http.answers import Told, answer, there
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("templates", __name__, url_prefix="/api/v1/templates")


class ToldTemplate(Told):
    """variables: what a call gives values for. warnings: what its author should know."""

    id: str
    version: int
    name: str
    channels: list[AskedStep]
    validity_period: int
    allowed_time_ranges: list[tuple[str, str]]
    weekdays: list[int]
    timezone: str | None
    priority: str | None
    ambiguous: str
    category: str
    use_short_links: bool | None
    variables: list[str]
    warnings: list[str]
    created_at: str | None
    changed_at: str | None


class ToldSummary(Told):
    """A template in a list; `channels` by name only."""

    id: str
    version: int
    name: str
    channels: list[str]
    variables: list[str]
    created_at: str | None
    changed_at: str | None


class ToldTemplates(Told):
    """A page; `cursor` is null on the last one."""

    templates: list[ToldSummary]
    cursor: str | None


class ToldVersions(Told):
    """A page; `cursor` is null on the last one."""

    versions: list[ToldSummary]
    cursor: str | None


class ToldGone(Told):
    id: str


@blueprint.post("")
@allow(Role.OPERATOR)
@document_request(AskedNewTemplate)
@document_response(ToldTemplate, 201)
async def create() -> ResponseReturnValue:
    """Make a template.

    It is checked as far as that can be done without a recipient. The id of one that was deleted is not given again.
    """
    return answer(await _told(await catalogue.create(runtime(), read(AskedNewTemplate, await body()))), 201)


@blueprint.get("")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(AskedPlace)
@document_response(ToldTemplates)
async def templates() -> ResponseReturnValue:
    """List templates, the newest first."""
    found = await catalogue.listed(runtime(), convert(AskedPlace, query()))
    return answer(ToldTemplates(templates=[_summary(own) for own in found.found], cursor=found.cursor))


@blueprint.get("/<key>")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(AskedVersion)
@document_response(ToldTemplate)
async def template(key: str) -> ResponseReturnValue:
    """Read a template.

    An older version can be read also when the template was deleted.
    """
    return answer(await _told(there(key, await catalogue.find(runtime(), key, convert(AskedVersion, query()).version))))


@blueprint.get("/<key>/versions")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(AskedPlace)
@document_response(ToldVersions)
async def versions(key: str) -> ResponseReturnValue:
    """List a template's versions, the newest first."""
    asked = convert(AskedPlace, query())
    found = there(key, await catalogue.versions(runtime(), key, asked.limit, asked.cursor))
    return answer(ToldVersions(versions=[_summary(own) for own in found.found], cursor=found.cursor))


@blueprint.put("/<key>")
@allow(Role.OPERATOR)
@document_request(AskedNewVersion)
@document_response(ToldTemplate)
async def change(key: str) -> ResponseReturnValue:
    """Change a template.

    `version` is the one that you have read: 409, if it is not the newest any more. Messages that were accepted keep
    their texts.
    """
    return answer(await _told(there(key, await catalogue.change(runtime(), key, read(AskedNewVersion, await body())))))


@blueprint.delete("/<key>")
@allow(Role.OPERATOR)
@document_response(ToldGone)
async def delete(key: str) -> ResponseReturnValue:
    """Delete a template.

    Nothing can be sent by it any more; its versions can still be read.
    """
    there(key, await catalogue.delete(runtime(), key) or None)
    return answer(ToldGone(id=key))


async def _told(own: Own) -> ToldTemplate:
    entry, structure = own.entry, own.structure
    return ToldTemplate(
        id=entry.id,
        version=entry.version,
        variables=own.variables,
        warnings=await lint.warnings(runtime(), structure.channels),
        created_at=iso(entry.created_at),
        changed_at=iso(entry.changed_at),
        **asdict(structure),
    )


def _summary(own: Own) -> ToldSummary:
    return ToldSummary(
        id=own.entry.id,
        version=own.entry.version,
        name=own.structure.name,
        channels=[step.channel for step in own.structure.channels],
        variables=own.variables,
        created_at=iso(own.entry.created_at),
        changed_at=iso(own.entry.changed_at),
    )
