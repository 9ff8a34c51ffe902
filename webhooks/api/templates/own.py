"""OwnTemplate message templates over HTTP: creating, changing version by version, listing, deleting."""

from msgspec.structs import asdict
from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request, document_response

from gateway.domain.api.formats import iso
from gateway.domain.api.request import StepInput, convert, read
from gateway.domain.api.response import View
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.messages.composing import lint
from gateway.messages.templates import own
from gateway.messages.templates.own import NewTemplateRequest, NewVersionRequest, OwnTemplate, VersionQuery
from gateway.runtime.paging import PageQuery
from webhooks.http.answers import DeletedResponse, answer, require
from webhooks.http.audit import note, records
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("templates", __name__, url_prefix="/api/v1/templates")


class TemplateResponse(View):
    """A message template of your own.

    variables: the names for which a message gives values. warnings: what the template's author should know.
    """

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
    """A template in a list; `channels` holds their names only."""

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


@blueprint.post("")
@allow(Role.OPERATOR)
@records(Act.TEMPLATE_CREATE)
@document_request(NewTemplateRequest)
@document_response(TemplateResponse, 201)
async def create() -> ResponseReturnValue:
    """Create a template.

    It is checked as far as that is possible without a recipient. The id of a deleted template cannot be used again.
    """
    template = await own.create(runtime(), read(NewTemplateRequest, await body()))
    note_template(template)
    return answer(await _view(template), 201)


@blueprint.get("")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(PageQuery)
@document_response(TemplatesResponse)
async def list_templates() -> ResponseReturnValue:
    """List templates, the newest first."""
    page = await own.page(runtime(), convert(PageQuery, query()))
    return answer(TemplatesResponse(templates=list(map(_summary, page.templates)), cursor=page.cursor))


@blueprint.get("/<key>")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(VersionQuery)
@document_response(TemplateResponse)
async def get_template(key: str) -> ResponseReturnValue:
    """Show a template.

    An older version can be shown even if the template was deleted.
    """
    template = await own.find(runtime(), key, convert(VersionQuery, query()).version)
    return answer(await _view(require(key, template)))


@blueprint.get("/<key>/versions")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(PageQuery)
@document_response(VersionsResponse)
async def list_versions(key: str) -> ResponseReturnValue:
    """List a template's versions, the newest first."""
    page_query = convert(PageQuery, query())
    page = require(key, await own.versions(runtime(), key, page_query.limit, page_query.cursor))
    return answer(VersionsResponse(versions=list(map(_summary, page.templates)), cursor=page.cursor))


@blueprint.put("/<key>")
@allow(Role.OPERATOR)
@records(Act.TEMPLATE_CHANGE)
@document_request(NewVersionRequest)
@document_response(TemplateResponse)
async def change(key: str) -> ResponseReturnValue:
    """Change a template.

    `version` is the one that you have read: 409 if it is not the newest any more. Messages that were accepted before
    keep their texts.
    """
    template = require(key, await own.change(runtime(), key, read(NewVersionRequest, await body())))
    note_template(template)
    return answer(await _view(template))


@blueprint.delete("/<key>")
@allow(Role.OPERATOR)
@records(Act.TEMPLATE_DELETE)
@document_response(DeletedResponse)
async def delete(key: str) -> ResponseReturnValue:
    """Delete a template.

    No message can use it any more; its versions can still be shown.
    """
    require(key, await own.delete(runtime(), key) or None)
    return answer(DeletedResponse(id=key))


def note_template(template: OwnTemplate) -> None:
    """Have the audit name the template that the current route has stored."""
    note(template.entry.id, name=template.structure.name, after={"version": str(template.entry.version)})


async def _view(template: OwnTemplate) -> TemplateResponse:
    entry, structure = template.entry, template.structure
    return TemplateResponse(
        id=entry.id,
        version=entry.version,
        variables=template.variables,
        warnings=await lint.warnings(runtime(), structure.channels),
        created_at=iso(entry.created_at),
        changed_at=iso(entry.changed_at),
        **asdict(structure),
    )


def _summary(template: OwnTemplate) -> TemplateSummaryView:
    return TemplateSummaryView(
        id=template.entry.id,
        version=template.entry.version,
        name=template.structure.name,
        channels=[step.channel for step in template.structure.channels],
        variables=template.variables,
        created_at=iso(template.entry.created_at),
        changed_at=iso(template.entry.changed_at),
    )
