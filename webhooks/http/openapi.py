"""The API's description for machines (/openapi.json) and people (/docs), made from the types of its routes.

The page's script and style come from a package on this machine, so that it opens without the internet.
"""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from importlib.resources import files
from typing import Any, TypeVar

import msgspec
from quart import Blueprint, Quart, Response, redirect, send_from_directory
from quart.typing import ResponseReturnValue
from quart_schema import HttpSecurityScheme, Info, OpenAPIProvider, QuartSchema, hide
from quart_schema.typing import Model
from quart_schema.validation import DataSource
from werkzeug.routing import Rule

from gateway.domain.api.request import MessageInput
from gateway.runtime.runtime import Runtime
from webhooks.http import guide
from webhooks.http.context import runtime
from webhooks.http.guard import PUBLIC

blueprint = Blueprint("docs", __name__)

REF = "#/components/schemas/{name}"
ASSETS = frozenset({"swagger-ui-bundle.js", "swagger-ui.css"})
CSP = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Messenger gateway: API</title>
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><p><a href="/docs/guide">Guides</a></p><div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/page.js"></script></body>
</html>
"""
SCRIPT = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#page", deepLinking: true, defaultModelsExpandDepth: 0});\n'

ERRORS = {
    400: "The request is wrong: `details.field` says where.",
    401: "No valid key or token.",
    403: "Not for this role.",
    404: "There is no such thing.",
    405: "Not this method.",
    409: "It does not fit what is there.",
    413: "The body is too large.",
    415: "The body is not JSON, and its Content-Type does not say that it is.",
    429: "Too many; Retry-After says when.",
    503: "The database does not answer; `error` says whether a part may have been accepted.",
}
"""The errors that every route may answer, besides those that it documents itself."""


class ErrorResponse(msgspec.Struct):
    """Every error has this form. `details` is null, a sentence, or an object that names the `field`."""

    error: str
    details: Any = None


class Description(OpenAPIProvider):
    """Quart-Schema's description, with the nested types, which Quart-Schema leaves out for msgspec."""

    def schema(self) -> dict[str, Any]:
        """Return the whole description, with an example of a request to send."""
        description = super().schema()
        components = description["components"]["schemas"]
        components |= _components(ErrorResponse)
        for model in MENTIONED:
            components |= _components(model)
        components["BulkRequest"]["example"] = _example(runtime())
        return description

    def build_paths(self, rule: Rule) -> tuple[dict[str, Any], dict[str, Any]]:
        """Describe a route: also its area, its files, its errors, and whether it needs a key."""
        paths, components = super().build_paths(rule)
        area = rule.endpoint.partition(".")[0]
        for operation in (operation for path in paths.values() for operation in path.values()):
            operation["tags"] = [area]
            view = self._app.view_functions[rule.endpoint]
            if kinds := getattr(view, UPLOADS, ()):
                operation["requestBody"] = {
                    "required": True,
                    "content": {kind: {"schema": _file(kind)} for kind in kinds},
                }
            if kinds := getattr(view, FILES, ()):
                operation["responses"][200] = {
                    "description": "A file.",
                    "content": {kind: {"schema": {}} for kind in kinds},
                }
            operation["responses"] |= {
                code: _error(why) for code, why in ERRORS.items() if code not in operation["responses"]
            }
            if rule.endpoint in PUBLIC:
                operation["security"] = []
        return paths, components

    def operation_id(self, method: str, path: str, func: Any) -> str:  # noqa: ARG002 - names of functions repeat
        """Return a unique id for an operation."""
        return f"{method.lower()} {path}"

    def build_querystring_parameters(self, model: type[Model]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Describe a query's parameters."""
        components = _components(model)
        own = components.pop(model.__name__)
        required = own.get("required", [])
        return [
            {"name": name, "in": "query", "required": name in required, "schema": kind}
            for name, kind in own["properties"].items()
        ], components

    def build_request_body(self, model: type[Model], source: DataSource) -> tuple[dict[str, Any], dict[str, Any]]:
        """Describe a request's body by reference to its type."""
        body, _ = super().build_request_body(model, source)
        (content,) = body["content"].values()
        content["schema"] = {"$ref": REF.format(name=model.__name__)}
        return {**body, "required": True}, _components(model)

    def build_response_object(
        self, model: type[Model], headers_model: type[Model] | None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Describe a response by reference to its type."""
        response, _ = super().build_response_object(model, headers_model)
        response["content"]["application/json"]["schema"] = {"$ref": REF.format(name=model.__name__)}
        return response, _components(model)


FILES = "answers_with_files"
"""The attribute of a view function that holds the media types of the files that it answers with."""

UPLOADS = "takes_files"
"""The attribute of a view function that holds the media types of the files that it takes."""

F = TypeVar("F", bound=Callable[..., Any])


def document_files(*kinds: str) -> Callable[[F], F]:
    """Decorate a view that answers with a file of one of these media types, and not with JSON."""
    return _annotate(FILES, kinds)


def document_uploads(*kinds: str) -> Callable[[F], F]:
    """Decorate a view whose request is a file of one of these media types."""
    return _annotate(UPLOADS, kinds)


def _annotate(name: str, kinds: tuple[str, ...]) -> Callable[[F], F]:
    def decorate(view: F) -> F:
        setattr(view, name, kinds)
        return view

    return decorate


def _file(kind: str) -> dict[str, Any]:
    """Describe a file that is a whole body, or the only one of a form."""
    file = {"type": "string", "format": "binary"}
    if kind != "multipart/form-data":
        return file
    return {"type": "object", "properties": {"file": file}, "required": ["file"]}


MENTIONED: tuple[type, ...] = (MessageInput,)
"""Types that only other types' descriptions name."""


def describe(app: Quart) -> None:
    """Add /openapi.json, /docs and the guides to the app."""
    QuartSchema(
        app,
        redoc_ui_path=None,
        scalar_ui_path=None,
        swagger_ui_path=None,
        info=Info("Messenger gateway", version("messenger-gateway"), description=ABOUT),
        conversion_preference="msgspec",
        security_schemes={"bearer": HttpSecurityScheme(scheme="bearer")},
        security=[{"bearer": []}],
        openapi_provider_class=Description,
    )
    app.register_blueprint(blueprint)
    app.register_blueprint(guide.blueprint)


ABOUT = "Reach a person through the first channel that works. Times are ISO 8601; every answer is JSON."


@blueprint.get("/")
@hide
async def front() -> ResponseReturnValue:
    """Lead people who open the gateway in a browser to its page."""
    return redirect("/docs")


@blueprint.get("/docs")
@hide
async def page() -> ResponseReturnValue:
    """Show the page of the API's description."""
    return Response(PAGE, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": CSP})


@blueprint.get("/docs/<name>")
@hide
async def asset(name: str) -> ResponseReturnValue:
    """Serve the page's script or style."""
    if name == "page.js":
        return Response(SCRIPT, content_type="text/javascript; charset=utf-8")
    return await send_from_directory(str(files("swagger_ui") / "static"), name if name in ASSETS else "")


def _components(model: Any) -> dict[str, Any]:
    _, components = msgspec.json.schema_components([model], ref_template=REF)
    return components


def _example(runtime: Runtime) -> dict[str, Any]:
    """Return an example of a request to send, with the channels that are configured here."""
    text = "{{name}}, your order is on its way."
    person = {"phone": "+79000000001", "variables": {"name": "Anna"}}
    steps = [{"channel": name, "text": text} for name in runtime.channels]
    return {"messages": [{"destinations": [person], "channels": steps}]}


def _error(why: str) -> Mapping[str, Any]:
    schema = {"$ref": REF.format(name="ErrorResponse")}
    return {"description": why, "content": {"application/json": {"schema": schema}}}
