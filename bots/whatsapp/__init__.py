"""WhatsApp: a business number of ours, reached by Meta's webhooks and by the Cloud API.

Cloud API: https://developers.facebook.com/documentation/business-messaging/whatsapp.
"""

import hmac
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from bots.whatsapp.binding import fields_of, read_binding
from bots.whatsapp.inbound import webhook
from bots.whatsapp.inbound.messages import identifier_of, is_group, is_phone
from bots.whatsapp.outbound import pieces, sending
from bots.whatsapp.outbound.uploads import Uploads
from bots.whatsapp.templates import approvals
from bots.whatsapp.templates.rules import BOUNDS, mistakes
from gateway.domain.channel.calls import Call, Parsed
from gateway.domain.channel.contract import Binding, Outside, Verdict
from gateway.domain.channel.facts import Facts
from gateway.domain.channel.rates import Limits, Rate
from gateway.domain.channel.secret import OwnSecret, Secret
from gateway.domain.channel.window import Mode, Window
from gateway.domain.model.event import Inbound, Moved
from gateway.domain.model.identifier import Identifier
from gateway.domain.model.message_template import MessageTemplate
from gateway.domain.model.nouns import Address, Content, Media, Progress, TemplateMessage

LIMITS = Limits(
    account=Rate(80, timedelta(seconds=1)),
    person=Rate(1, timedelta(seconds=6), burst=45),
)
"""Cloud API: Throughput, https://developers.facebook.com/documentation/business-messaging/whatsapp/throughput.

The limit of one business number, until Meta raises it. People's messages count too, and those we cannot hold back. A
burst to one person is lent: each of its messages costs six seconds afterwards.
"""

FACTS = Facts(
    name="whatsapp",
    title="WhatsApp",
    colour="#167a55",
    window=Window(Mode.HARD, timedelta(hours=24)),
    receipts=Progress.READ,
    templates=True,
    echoes_key=True,
    limits=LIMITS,
    is_group=is_group,
    flat_values=True,
    reaches=("phone",),
    identifier_of=identifier_of,
    markup=True,
    takes_reply=sending.takes_reply,
    distinct_replies=True,
    takes_uploads=True,
    max_body=3 * 1024 * 1024,
)


class Account(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One business number. `number` is its phone number, for wa.me links; `version` is the Graph API's.

    app_id: the app that uploads the example files of templates.
    """

    phone_number_id: str
    waba_id: str
    access_token: Secret
    app_secret: Secret
    verify_token: OwnSecret
    number: str = ""
    app_id: str = ""
    api_url: str = "https://graph.facebook.com"
    version: str = "v26.0"


class WhatsApp:
    """The channel, bound to one business number at Meta."""

    facts = FACTS
    template_bounds = BOUNDS

    def __init__(self, account: str, settings: Account, app_accounts: webhook.AppAccounts, outside: Outside) -> None:
        self.account = account
        self._settings = settings
        self._app_accounts = app_accounts
        self._public_url = outside.public_url
        self._report = outside.report
        root = f"{settings.api_url}/{settings.version}"
        self._graph = sending.Graph(outside.http, f"{root}/{settings.phone_number_id}", settings.access_token)
        self._uploads = Uploads(self._graph, outside.load)
        self._root = self._graph._replace(node=root)
        self.template_client = approvals.TemplateClient(self._root, outside.files, settings.waba_id, settings.app_id)

    def verify(self, call: Call) -> None:
        webhook.verify(call, self._settings.app_secret, self._settings.verify_token)

    def parse(self, call: Call) -> Parsed:
        return webhook.parse(call, self._app_accounts)

    def address_of(self, identifier: Identifier) -> Address | None:
        phone = identifier.partition("phone:")[2]
        return Address(FACTS.name, self.account, phone.removeprefix("+")) if phone else None

    def start_link(self, code: str) -> str | None:
        """Return a link that opens the chat with `/start <code>` typed in, for the person to send.

        Returns None where the account has no number.
        """
        number = self._settings.number.removeprefix("+")
        return f"https://wa.me/{number}?text={quote(f'/start {code}')}" if number else None

    split = staticmethod(pieces.split)

    async def send(self, address: Address, what: Content | TemplateMessage, *, key: str) -> str:
        """Send one piece and return its id. Reports the id that Meta has for a number, where it is another one."""
        part = what if isinstance(what, Content) else what.header
        if part and part.media and part.media.file:
            part = replace(part, media=await self._uploads.uploaded(part.media))
            what = part if isinstance(part, Content) else replace(what, header=part)
        wamid, wa_id = await sending.send(self._graph, sending.render(address.user, what, key))
        if is_phone(wa_id) and is_phone(address.user) and wa_id != address.user:
            id_ = f"wa_id:{address.user}:{wa_id}"
            await self._report(Moved(address, id_, wa_id, datetime.now(UTC), same=True))
        return wamid

    async def recall(self, address: Address, provider_id: str) -> None:
        """Do nothing: the Cloud API cannot unsend a message.

        It only has a template's own time-to-live, `message_send_ttl_seconds`, which is set when the template is
        created: Meta gives up what it could not deliver by then. Cloud API: Time-to-live.
        """

    async def open_file(self, media: Media) -> AsyncGenerator[bytes, None]:
        return await sending.open_file(self._root, media.id)

    async def acknowledge(self, event: Inbound) -> None:
        await sending.mark_read(self._graph, event.provider_id)

    async def bind(self, url: str) -> None:
        """Set the webhook of this number alone. Meta still sends template changes to the app's own URL."""
        await self._set_callback({"override_callback_uri": url, "verify_token": self._settings.verify_token.reveal()})

    async def binding(self) -> Binding:
        query = f"?fields={fields_of(self._settings.version)}"
        return read_binding(await self._graph.call("GET", query), self._public_url)

    async def unbind(self) -> None:
        await self._set_callback({"override_callback_uri": ""})

    async def _set_callback(self, configuration: dict[str, str]) -> None:
        """Set or remove the number's own callback. Webhooks: Overrides, of a business phone number."""
        await self._graph.call("POST", json={"webhook_configuration": configuration})

    def template_mistakes(self, template: MessageTemplate) -> Sequence[tuple[str, str]]:
        return list(mistakes(template))

    async def submit_template(self, template: MessageTemplate) -> Verdict:
        return await approvals.submit(self.template_client, template)

    async def list_templates(self) -> Sequence[tuple[MessageTemplate, Verdict]]:
        return await approvals.list_templates(self.template_client, self.account)

    async def delete_template(self, template: MessageTemplate) -> None:
        await approvals.delete(self.template_client, template)

    async def close(self) -> None:
        """Do nothing: the HTTP session is shared."""


def open_accounts(accounts: Mapping[str, Account], outside: Outside) -> Mapping[str, WhatsApp]:
    """Open every account, each with those that the same app signs for: Meta may put them all into one call."""
    return {
        name: WhatsApp(name, settings, _app_accounts(name, settings, accounts), outside)
        for name, settings in accounts.items()
    }


def _app_accounts(name: str, settings: Account, accounts: Mapping[str, Account]) -> webhook.AppAccounts:
    siblings = {key: sibling for key, sibling in accounts.items() if _same_app(sibling, settings)}
    businesses: dict[str, list[str]] = {}
    for key, sibling in siblings.items():
        businesses.setdefault(sibling.waba_id, []).append(key)
    return webhook.AppAccounts(name, {sibling.phone_number_id: key for key, sibling in siblings.items()}, businesses)


def _same_app(account: Account, other: Account) -> bool:
    return hmac.compare_digest(account.app_secret.reveal().encode(), other.app_secret.reveal().encode())
