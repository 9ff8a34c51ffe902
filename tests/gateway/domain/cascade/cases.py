"""Channels, notifications and attempts for the tests of the cascade's rule."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from gateway.domain.cascade.moves import Context, Move, Reachability
from gateway.domain.cascade.rule import next_move
from gateway.domain.channel.facts import Facts
from gateway.domain.channel.window import Mode, Window
from gateway.domain.model.attempt import Attempt, Step
from gateway.domain.model.notification import Notification, Recipient
from gateway.domain.model.nouns import Address, Content, Progress, Session, TemplateMessage

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=seconds) for seconds in (1, 60, 3600, 86400))
END = NOW + DAY
ADDRESS = Address("whatsapp", "shop", "79161234567")

BOTH = Step("whatsapp", content=Content("Hello"), template=TemplateMessage("hello", "en"))
TEXT, TEMPLATE = replace(BOTH, template=None), replace(BOTH, content=None)
MEANT = replace(TEXT, intent="account_update")
SMS = Step("sms", content=Content("Hello"))

HARD = Facts("whatsapp", Window(Mode.HARD, DAY), Progress.READ, templates=True, echoes_key=True)
POLICY, BILLING = (Facts("vk", Window(mode, DAY), Progress.READ) for mode in (Mode.POLICY, Mode.BILLING))
BOT = Facts("telegram", Window(), Progress.SENT, needs_start=True)
KEYED = Facts("vk", Window(), Progress.READ, idempotent=HOUR, echoes_key=True)
MUTE = Facts("viber", Window(), Progress.READ)
PLAIN = Facts("sms", Window(), Progress.DELIVERED, echoes_key=True)

OPEN = Session("s1", ADDRESS, started_at=NOW - HOUR, window_from_at=NOW - HOUR)
SHUT = replace(OPEN, window_from_at=NOW - 27 * HOUR)
STOPPED, BLOCKED = replace(OPEN, stopped_at=NOW - HOUR), replace(OPEN, blocked_at=NOW - HOUR)

IDLE = Reachability(PLAIN, ADDRESS)
HELD_ROUTE = Reachability(PLAIN, ADDRESS, held_until=NOW + HOUR, held_why="no money")
HELLO = "template hello/en"


def make_notification(*steps: Step, attempts: tuple[Attempt, ...] = (), reply_to: str | None = None) -> Notification:
    return Notification("n1", Recipient(), steps, NOW, END, attempts=attempts, due_at=NOW, reply_to=reply_to)


def first_move(step: Step, facts: Facts, session: Session | None, problem: str = "") -> Move:
    return next_move(make_notification(step), Context(NOW, [Reachability(facts, ADDRESS, "", session, problem)]))


def make_attempt(progress: Progress, ago: timedelta = SECOND, **fields: object) -> Attempt:
    attempt = Attempt(0, progress, NOW - ago, address=ADDRESS, sent_at=NOW - ago)
    return replace(attempt, **fields)


def move_after(attempt: Attempt, reach: Reachability = IDLE, steps: tuple[Step, ...] = (BOTH, SMS)) -> Move:
    return next_move(make_notification(*steps, attempts=(attempt,)), Context(NOW, [reach, *[IDLE] * (len(steps) - 1)]))
