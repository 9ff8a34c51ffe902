"""What helps where messages have failed: the same words for a reason wherever it is shown."""

from gateway.domain.model.job import Reason
from gateway.messages.jobs.batches import SILENT, TWICE
from webhooks.pages.words import gettext


def helps(reason: Reason) -> str:
    """Return what helps where rows or messages have failed for this reason."""
    if reason.text in {SILENT, TWICE} or OPTED_OUT in reason.text or reason.cause == "stopped":
        return gettext("left out on purpose")
    words = {
        "unavailable": gettext("retry later"),
        "misconfigured": gettext("correct the account, then retry"),
        "template_unusable": gettext("get the template approved, then retry"),
        "refused": gettext("correct the number; retry does not help"),
        "window_closed": gettext("add an approved template to the step"),
        "ambiguous": gettext("it may have arrived; a retry could send it twice"),
    }
    if reason.cause in words:
        return words[reason.cause]
    if reason.hopeful:
        return gettext("retry, and allow more time")
    return gettext("add another channel behind it") if reason.channel else gettext("correct the row, and add it again")


OPTED_OUT = "opted out"
