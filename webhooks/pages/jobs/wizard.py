"""The four steps in which a job is made: what, to whom, check, start. A draft is behind them: each can be left."""

from webhooks.pages.jobs import step_check, step_rows, step_start, step_what
from webhooks.pages.jobs.drafts import blueprint

__all__ = ["blueprint", "step_check", "step_rows", "step_start", "step_what"]
