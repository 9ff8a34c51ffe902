"""The web process for any ASGI server: `hypercorn webhooks.asgi:app`. Settings come from the environment."""

from webhooks.app import create_app

app = create_app()
