"""The web process for any ASGI server: `hypercorn webhooks.asgi:app`. Settings come from the environment."""

from gateway.runtime.telemetry import logs
from webhooks.app import create_app

logs.from_environment()
app = create_app()
