"""Metrics of this process for Prometheus. They show how much we send, so they need an API key like any other route."""

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from quart import Blueprint, Response
from quart_schema import hide

from gateway.domain.api.roles import Role
from webhooks.http.guard import allow

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@allow(Role.OPERATOR, Role.SENDER)
@hide
async def metrics() -> Response:
    """Return the metrics in Prometheus' text format."""
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
