"""Strategies of the adversary: messages, channels, people, and providers' answers."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from hypothesis import strategies as st

from gateway.domain.channel.errors import (
    Ambiguous,
    Misconfigured,
    Refused,
    Stopped,
    TemplateUnusable,
    Unavailable,
    WindowClosed,
)
from gateway.domain.channel.facts import Facts
from gateway.domain.channel.window import Mode, Window
from gateway.domain.model.attempt import Step
from gateway.domain.model.notification import Priority
from gateway.domain.model.nouns import Address, Cause, Content, Progress, Session, TemplateMessage
from gateway.domain.terms.hours import Hours

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY, LEASE = timedelta(hours=24), timedelta(seconds=90)
ADDRESS = Address("whatsapp", "shop", "79161234567")


def minutes(*numbers: float) -> st.SearchStrategy[timedelta]:
    """Return a strategy of timedeltas of these lengths."""
    return st.sampled_from([timedelta(minutes=number) for number in numbers])


@dataclass(frozen=True)
class Answer:
    """The result of a call: whether the provider accepted the piece, its error, whether our process got the answer."""

    accepted: bool = True
    error: Cause | None = None
    received: bool = True


_KINDS = (Unavailable, Refused, WindowClosed, Stopped, TemplateUnusable, Misconfigured, Ambiguous)
ERRORS = {kind.cause: kind for kind in _KINDS}

ANSWERS = [Answer(), *(Answer(accepted=False, error=cause) for cause in Cause), Answer(error=Cause.AMBIGUOUS)]
ANSWERS += [Answer(received=False), Answer(accepted=False, received=False)]
SINGLE, SEVERAL = st.sampled_from(ANSWERS), st.lists(st.sampled_from(ANSWERS), min_size=2, max_size=4)
ANSWER_STRATEGIES = SINGLE.map(st.just) | SEVERAL.map(st.sampled_from)

FACTS = st.builds(
    Facts,
    st.just("whatsapp"),
    st.builds(Window, st.sampled_from(Mode), st.just(DAY), st.booleans()),
    st.just(Progress.READ),
    needs_start=st.sampled_from([False, False, True]),
    idempotent=minutes(0, 0, 2, 60),
    echoes_key=st.booleans(),
    recalls=minutes(0, 0, 2, 60),
)
SESSIONS = st.builds(
    Session,
    st.just("s1"),
    st.just(ADDRESS),
    started_at=st.none() | st.just(START - DAY),
    window_from_at=st.none() | minutes(0, 5, 20, 1430, 1430).map(lambda time_left: START - DAY + time_left),
)
TEXTS = st.sampled_from([(True, True), (True, False), (False, True)])
STEPS = st.builds(
    lambda texts, intent, success, patience, is_required: Step(
        "whatsapp",
        content=Content("Hello") if texts[0] else None,
        template=TemplateMessage("hello", "en") if texts[1] else None,
        intent=intent,
        success=success,
        fallback_after=patience,
        required=is_required,
    ),
    TEXTS,
    st.sampled_from(["", "", "account_update"]),
    st.sampled_from([Progress.SENT, Progress.DELIVERED, Progress.READ]),
    minutes(0.2, 1, 5, 30),
    st.sampled_from([False, False, False, True]),
)

ACCOUNTS = st.sampled_from(["one:shop", "two:shop", "three:shop"])
PRIORITIES = st.sampled_from([Priority.NORMAL, Priority.NORMAL, Priority.BULK, Priority.URGENT])


def _open(*ranges: tuple[tuple[int, int], tuple[int, int]]) -> Hours:
    return Hours("UTC", tuple((time(*start), time(*end)) for start, end in ranges))


HOURS = st.sampled_from(
    [
        *[None] * 4,
        _open(((9, 0), (12, 1))),
        _open(((12, 5), (12, 20))),
        _open(((12, 0), (12, 3)), ((12, 8), (12, 9))),
        _open(((14, 0), (15, 0))),
    ]
)
"""Any time; until a minute after the start; from five minutes after it; with a gap; and after every expiry."""
