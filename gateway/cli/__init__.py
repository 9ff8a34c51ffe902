"""The commands. Here everything is put together: settings, runtime, web and worker."""

from gateway.cli.accounts import check, webhooks
from gateway.cli.base import main
from gateway.cli.dead import dead
from gateway.cli.keys import keys, secret
from gateway.cli.processes import demo, serve, web, work

__all__ = ["check", "dead", "demo", "keys", "main", "secret", "serve", "web", "webhooks", "work"]
