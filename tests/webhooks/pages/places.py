"""Where each page is, with something on it to be seen: a maker for each endpoint, which returns the page's address."""

from collections.abc import Awaitable, Callable

from gateway.runtime.counting import write_counts
from tests.support.client import PHONE, ApiClient
from tests.support.jobs import create_draft, move, table, upload, wait_for_job_state
from tests.support.workload import phone as phone_of

Maker = Callable[[ApiClient], Awaitable[str]]


def fixed(address: str) -> Maker:
    """Return the maker of a page that is always there."""

    async def make(_: ApiClient) -> str:
        return address

    return make


async def a_message(demo: ApiClient) -> str:
    """Send a message whose first channels are skipped, and wait until it is delivered."""
    text = "Your order A-17 is on its way: <b>six</b> o'clock"
    channels = [{"channel": name, "text": text} for name in ("telegram", "whatsapp", "sms")]
    key = await demo.send(*channels)
    await demo.wait_for(key, "DELIVERED")
    return f"/ui/messages/{key}"


async def an_overview(demo: ApiClient) -> str:
    """Send a message, so that there is something to be plotted."""
    await demo.wait_for(await demo.send({"channel": "sms", "text": "Hello"}), "DELIVERED")
    await write_counts(demo.environment.runtime)
    return "/ui/overview"


async def a_draft(demo: ApiClient) -> str:
    """Keep a draft of a provider's template, unless there is one."""
    draft = {"channel": "whatsapp", "name": "visit", "language": "en", "category": "UTILITY"}
    contents = {"body": "Hello {{name}}, see you soon.", "bodyExamples": {"name": "Anna"}, "footer": "Shop"}
    assert (await demo.post("/api/v1/messageTemplates", draft | contents))[0] in {201, 409}
    return "/ui/provided/whatsapp:demo:visit:en"


async def an_own_template(demo: ApiClient) -> str:
    """Store a template of two steps, unless there is one."""
    steps = [
        {"channel": "telegram", "text": "{{name}}, order {{order}} is ready", "buttons": [{"text": "Thanks"}]},
        {"channel": "sms", "text": "Order {{order}} is ready"},
    ]
    template = {"id": "order-ready", "name": "Order ready", "channels": steps}
    assert (await demo.post("/api/v1/templates", template))[0] in {201, 409}
    return "/ui/templates/order-ready"


async def a_dead_letter(demo: ApiClient) -> str:
    """Let a message fail for a reason that could be mended."""
    demo.environment.simulators["sms"].faults.fail(21614)
    await demo.wait_for(await demo.send({"channel": "sms", "text": "Sale"}), "UNDELIVERED")
    return "/ui/dead"


async def opt_outs(demo: ApiClient) -> str:
    """Opt two people out, and one of them in again."""
    for phone in ("+79000000008", "+79000000009"):
        await demo.post("/api/v1/optOuts", {"phone": phone, "reason": "said so by phone"})
    async with demo.http.delete("/api/v1/optOuts", json={"phone": "+79000000008"}) as response:
        assert response.status == 200
    return "/ui/settings/optouts"


async def short_links(demo: ApiClient) -> str:
    """Send a message whose address is shortened."""
    message = {"channels": [{"channel": "sms", "text": "See https://shop.example/sale?from=sms"}]}
    fields = {"destinations": [{"phone": PHONE}], "useShortLinks": True}
    assert (await demo.post("/api/v1/messages", {"messages": [message | fields]}))[0] == 202
    return "/ui/settings/links"


async def a_user(demo: ApiClient) -> str:
    """Make a user, unless there is one."""
    user = {"email": "boris@shop.example", "password": "correct horse battery", "role": "operator"}
    assert (await demo.post("/api/v1/users", user))[0] in {201, 409}
    return "/ui/settings/users/boris@shop.example"


async def a_job(demo: ApiClient) -> str:
    """Run a job with a row that is refused when its file is read, and wait until it is done."""
    key = str((await create_draft(demo, name="November mailing"))["id"])
    await upload(
        demo, key, table(["phone", "name"], *([phone_of(number), "Anna"] for number in range(3)), ["12", "Boris"])
    )
    await move(demo, key, "start")
    await wait_for_job_state(demo, key, "done")
    return f"/ui/jobs/{key}"


def a_job_draft(step: str) -> Maker:
    """Return the maker of a step of a draft, which has rows, a forecast and a row with a mistake."""

    async def make(demo: ApiClient) -> str:
        hours = {"allowedTimeRanges": [["09:00", "21:00"]]}
        sms = {"channel": "sms", "text": "{{name}}, we have moved"}
        key = str((await create_draft(demo, name="Invoices", channels=[sms], **hours))["id"])
        await upload(demo, key, table(["phone", "name"], [phone_of(1), "Anna"], [phone_of(2), "Vera"], ["12", "Boris"]))
        await move(demo, key, "forecast")
        return f"/ui/jobs/{key}/{step}"

    return make


async def a_chat(demo: ApiClient) -> str:
    """Let a person write and be answered, and one answer fail; a while ago. Returns the page of the conversation."""
    await demo.say("sms", "Is it far? https://shop.example/a-long-address-without-any-blank-in-it-to-be-broken")
    async with demo.http.get("/api/v1/sessions", params={"channel": "sms"}) as response:
        key = (await response.json())["sessions"][0]["id"]
    for faults in (0, 1):
        demo.environment.simulators["sms"].faults.fail(21614, times=faults)
        _, item = await demo.post(f"/api/v1/sessions/{key}/messages", {"text": "Twenty minutes."})
        await demo.wait_for(item["id"], "DELIVERED", "UNDELIVERED")
    demo.pass_time(0.2)
    return f"/ui/conversations/{key}"


PLACES: dict[str, Maker] = {
    "ui.door.show_login": fixed("/ui/login"),
    "ui.overview.show": an_overview,
    "ui.conversations.show_list": fixed("/ui/conversations"),
    "ui.conversations.show": a_chat,
    "ui.conversations.acts.ask": fixed("/ui/conversations/new"),
    "ui.messages.show_list": fixed("/ui/messages"),
    "ui.messages.show": a_message,
    "ui.messages.new.show": fixed("/ui/messages/new"),
    "ui.templates.show_list": fixed("/ui/templates"),
    "ui.templates.show_new": fixed("/ui/templates/new"),
    "ui.templates.show": an_own_template,
    "ui.provided.show_list": fixed("/ui/provided"),
    "ui.provided.show_new": fixed("/ui/provided/new"),
    "ui.provided.show": a_draft,
    "ui.accounts.show_list": fixed("/ui/accounts"),
    "ui.dead.show_list": a_dead_letter,
    "ui.settings.optouts.show_list": opt_outs,
    "ui.settings.links.show_list": short_links,
    "ui.settings.keys.show_list": fixed("/ui/settings/keys"),
    "ui.settings.users.show_list": fixed("/ui/settings/users"),
    "ui.settings.users.show": a_user,
    "ui.settings.audit.show_list": fixed("/ui/settings/audit"),
    "ui.jobs.show_list": fixed("/ui/jobs"),
    "ui.jobs.show": a_job,
    "ui.jobs.ask_to_cancel": a_job_draft("cancel"),
    "ui.jobs.wizard.show_new": fixed("/ui/jobs/new"),
    "ui.jobs.wizard.show_what": a_job_draft("what"),
    "ui.jobs.wizard.show_rows": a_job_draft("rows"),
    "ui.jobs.wizard.show_check": a_job_draft("check"),
    "ui.jobs.wizard.show_start": a_job_draft("start"),
    "ui.nothing": fixed("/ui/no-such-page"),
}

FOR_ADMINS = {
    "ui.settings.keys.show_list",
    "ui.settings.users.show_list",
    "ui.settings.users.show",
    "ui.settings.audit.show_list",
}
"""Pages that operators may not see."""

NO_PAGES = {
    "ui.static.file": "a file",
    "ui.media.show": "a person's file",
    "ui.colour_sheet": "a style sheet",
    "ui.messages.export": "a file",
    "ui.jobs.export": "a file",
    "ui.jobs.export_refused": "a file",
    "ui.jobs.wizard.example": "a file",
    "ui.front": "it leads to another page",
    "ui.live.stream": "a stream of hints",
}
"""Endpoints that show no page of their own, and what they show."""
