"""What the audit holds, in words."""

from collections.abc import Sequence

from gateway.domain.model.act import Act
from storage.access.audit import Door, Entry
from webhooks.pages.words import gettext, pgettext


def act_word(act: Act) -> str:
    """Return what was done, as the end of a sentence that begins with who did it."""
    return {
        Act.MESSAGE_SEND: gettext("sent a message"),
        Act.MESSAGE_CANCEL: gettext("cancelled messages"),
        Act.DEAD_LETTER_REPLAY: gettext("replayed dead letters"),
        Act.CONVERSATION_START: gettext("started a conversation"),
        Act.CONVERSATION_REPLY: gettext("replied in a conversation"),
        Act.CONVERSATION_CLOSE: gettext("closed a conversation"),
        Act.MEDIA_UPLOAD: gettext("uploaded a file"),
        Act.CONTACT_SAVE: gettext("saved a contact"),
        Act.CONTACT_CHANGE: gettext("changed a contact"),
        Act.CONTACT_MERGE: gettext("merged contacts"),
        Act.CONTACT_RENEW_CODE: gettext("renewed a start code"),
        Act.OPT_OUT_ADD: gettext("added an opt-out"),
        Act.OPT_OUT_LIFT: gettext("lifted an opt-out"),
        Act.JOB_CREATE: gettext("created a job"),
        Act.JOB_ADD_ROWS: gettext("added rows to a job"),
        Act.JOB_TAKE_ROWS: gettext("took rows out of a job"),
        Act.JOB_CHANGE: gettext("changed a job"),
        Act.JOB_START: gettext("started a job"),
        Act.JOB_PAUSE: gettext("paused a job"),
        Act.JOB_RESUME: gettext("resumed a job"),
        Act.JOB_CANCEL: gettext("cancelled a job"),
        Act.JOB_RETRY: gettext("retried a job"),
        Act.JOB_DELETE: gettext("deleted a job"),
        Act.TEMPLATE_CREATE: gettext("created a template"),
        Act.TEMPLATE_CHANGE: gettext("changed a template"),
        Act.TEMPLATE_DELETE: gettext("deleted a template"),
        Act.MESSAGE_TEMPLATE_CREATE: gettext("drafted a provider's template"),
        Act.MESSAGE_TEMPLATE_CHANGE: gettext("changed a provider's template"),
        Act.MESSAGE_TEMPLATE_SUBMIT: gettext("submitted a provider's template"),
        Act.MESSAGE_TEMPLATE_DELETE: gettext("deleted a provider's template"),
        Act.MESSAGE_TEMPLATE_SYNC: gettext("fetched a provider's templates"),
        Act.ACCOUNT_BIND: gettext("bound an account"),
        Act.ACCOUNT_UNBIND: gettext("unbound an account"),
        Act.ACCOUNT_TRY: gettext("had a held account tried at once"),
        Act.KEY_CREATE: gettext("made a key"),
        Act.KEY_REVOKE: gettext("revoked a key"),
        Act.USER_CREATE: gettext("made a user"),
        Act.USER_CHANGE: gettext("changed a user"),
        Act.USER_SIGN_OUT: gettext("ended all sign-ins of a user"),
        Act.USER_DELETE: gettext("deleted a user"),
    }[act]


def door_word(door: Door) -> str:
    """Return through which door somebody acted."""
    return {
        "page": pgettext("door", "page"),
        "api": pgettext("door", "API"),
        "shell": pgettext("door", "shell"),
    }[door]


def change_words(entry: Entry) -> Sequence[str]:
    """Return what has changed, as in `state: draft → running`."""
    fields = dict.fromkeys((*entry.before, *entry.after))
    return [f"{_field(name)}: {_change(entry.before.get(name), entry.after.get(name))}" for name in fields]


def _change(before: str | None, after: str | None) -> str:
    if before == after:
        return before or ""
    return f"{before} →" if after is None else after if before is None else f"{before} → {after}"


def _field(name: str) -> str:
    return {
        "state": gettext("state"),
        "role": gettext("role"),
        "password": gettext("password"),
        "kind": gettext("kind"),
        "version": gettext("version"),
        "rows": gettext("rows"),
        "cancelled": gettext("cancelled"),
        "replayed": gettext("replayed"),
    }.get(name, name)
