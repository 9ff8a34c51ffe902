"""The web process: one Quart app with every route, each guarded or listed as public."""

from quart import Quart

from gateway.runtime import Runtime
from webhooks import api, health, providers
from webhooks.answers import register_errors
from webhooks.guard import guard

API_BODY = 1024 * 1024


def create_app(runtime: Runtime) -> Quart:
    """All routes over an open runtime."""
    app = Quart("webhooks")
    app.config["MAX_CONTENT_LENGTH"] = API_BODY
    app.extensions["runtime"] = runtime
    for blueprint in (health.blueprint, providers.blueprint, api.blueprint):
        app.register_blueprint(blueprint)
    app.before_request(guard)
    register_errors(app)
    return app
