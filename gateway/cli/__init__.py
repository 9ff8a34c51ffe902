"""The command line, which puts everything together: settings, runtime, web and worker."""

from gateway.cli import job_rows
from gateway.cli.accounts import check, webhooks
from gateway.cli.base import main
from gateway.cli.dead import dead
from gateway.cli.jobs import jobs
from gateway.cli.keys import keys, secret
from gateway.cli.processes import demo, serve, web, work
from gateway.cli.sending import cancel, send, status
from gateway.cli.templates import templates
from gateway.cli.users import users

__all__ = [
    "cancel",
    "check",
    "dead",
    "demo",
    "job_rows",
    "jobs",
    "keys",
    "main",
    "secret",
    "send",
    "serve",
    "status",
    "templates",
    "users",
    "web",
    "webhooks",
    "work",
]
