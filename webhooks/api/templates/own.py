"""Own templates over HTTP: made, changed version by version, listed, deleted."""

from msgspec.structs import asdict
from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request, document_response

from gateway.domain.api.formats import iso
from gateway.domain.api.request import StepInput, convert, read
from gateway.domain.api.roles import Role
from gateway.messages.composing import lint
from gateway.messages.templates import own as catalogue
from gateway.messages.templates.own import NewTemplateRequest, NewVersionRequest, OwnTemplate, VersionQuery
from gateway.runtime.paging import PageQuery
from webhooks.http.answers import View, answer, there
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("templates", __name__, url_prefix="/api/v1/templates")


class TemplateResponse(View):
    """variables: what a call gives values for. warnings: what its author should know."""

    id: str
    version: int
    name: str
    channels: list[StepInput]
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


class TemplateSummaryView(View):
    """A template in a list; `channels` by name only."""

    id: str
    version: int
    name: str
    channels: list[str]
    variables: list[str]
    created_at: str | None
    changed_at: str | None


class TemplatesResponse(View):
    """A page; `cursor` is null on the last one."""

    templates: list[TemplateSummaryView]
    cursor: str | None


class VersionsResponse(View):
    """A page; `cursor` is null on the last one."""

    versions: list[TemplateSummaryView]
    cursor: str | None


class DeletedTemplateResponse(View):
    id: str


@blueprint.post("")
@allow(Role.OPERATOR)
@document_request(NewTemplateRequest)
@document_response(TemplateResponse, 201)
async def create() -> ResponseReturnValue:
    """Make a template.

    It is checked as far as that can be done without a recipient. The id of one that was deleted is not given again.
    """
    return answer(await _told(await catalogue.create(runtime(), read(NewTemplateRequest, await body()))), 201)


@blueprint.get("")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(PageQuery)
@document_response(TemplatesResponse)
async def templates() -> ResponseReturnValue:
    """List templates, the newest first."""
    found = await catalogue.page(runtime(), convert(PageQuery, query()))
    return answer(TemplatesResponse(templates=[_summary(own) for own in found.templates], cursor=found.cursor))


@blueprint.get("/<key>")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(VersionQuery)
@document_response(TemplateResponse)
async def template(key: str) -> ResponseReturnValue:
    """Read a template.

    An older version can be read also when the template was deleted.
    """
    return answer(await _told(there(key, await catalogue.find(runtime(), key, convert(VersionQuery, query()).version))))


@blueprint.get("/<key>/versions")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(PageQuery)
@document_response(VersionsResponse)
async def versions(key: str) -> ResponseReturnValue:
    """List a template's versions, the newest first."""
    asked = convert(PageQuery, query())
    found = there(key, await catalogue.versions(runtime(), key, asked.limit, asked.cursor))
    return answer(VersionsResponse(versions=[_summary(own) for own in found.templates], cursor=found.cursor))


@blueprint.put("/<key>")
@allow(Role.OPERATOR)
@document_request(NewVersionRequest)
@document_response(TemplateResponse)
async def change(key: str) -> ResponseReturnValue:
    """Change a template.

    `version` is the one that you have read: 409, if it is not the newest any more. Messages that were accepted keep
    their texts.
    """
    return answer(
        await _told(there(key, await catalogue.change(runtime(), key, read(NewVersionRequest, await body()))))
    )


@blueprint.delete("/<key>")
@allow(Role.OPERATOR)
@document_response(DeletedTemplateResponse)
async def delete(key: str) -> ResponseReturnValue:
    """Delete a template.

    Nothing can be sent by it any more; its versions can still be read.
    """
    there(key, await catalogue.delete(runtime(), key) or None)
    return answer(DeletedTemplateResponse(id=key))


async def _told(own: OwnTemplate) -> TemplateResponse:
    entry, structure = own.entry, own.structure
    return TemplateResponse(
        id=entry.id,
        version=entry.version,
        variables=own.variables,
        warnings=await lint.warnings(runtime(), structure.channels),
        created_at=iso(entry.created_at),
        changed_at=iso(entry.changed_at),
        **asdict(structure),
    )


def _summary(own: OwnTemplate) -> TemplateSummaryView:
    return TemplateSummaryView(
        id=own.entry.id,
        version=own.entry.version,
        name=own.structure.name,
        channels=[step.channel for step in own.structure.channels],
        variables=own.variables,
        created_at=iso(own.entry.created_at),
        changed_at=iso(own.entry.changed_at),
    )
