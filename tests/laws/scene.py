"""What happens around one notification: person, provider, caller and our accounts do as they like."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.domain.cascade.evidence import after_receipt
from gateway.domain.cascade.moves import Reachability
from gateway.domain.model.attempt import HOLD
from gateway.domain.model.event import Receipt
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Cause, Progress, Session
from gateway.messages.accepting.cancel import Outcome, cancelled, outcome
from gateway.people.sessions import after_closing
from tests.laws.choices import ADDRESS, DAY, START, Answer, minutes


@dataclass(frozen=True)
class Piece:
    """What a person would see: one part of a step, as text or as template; and the attempt, after which we name it."""

    step: int
    template: bool
    part: int
    attempt: int


@dataclass(frozen=True)
class Wish:
    """The caller wanted it stopped: what was so then, and what they were told."""

    before: Notification
    after: Notification
    told: Outcome
    turns: int
    calls: int


@dataclass
class Scene:
    """`pieces` of each text; `calls` of the provider, by attempt; `taken`: the pieces it really took, and when."""

    draw: st.DrawFn
    notification: Notification
    reach: list[Reachability]
    answers: st.SearchStrategy[Answer]
    pieces: list[int]
    now: datetime = START
    asked: int = 0
    calls: list[tuple[int, Answer]] = field(default_factory=list)
    taken: list[tuple[Piece, datetime]] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    told_pairs: list[tuple[Notification, Notification, int]] = field(default_factory=list)

    def change(self, step: int, **fields: object) -> None:
        self.reach[step] = dataclasses.replace(self.reach[step], **fields)  # type: ignore[arg-type]

    def hold(self, step: int, **fields: object) -> None:
        """What is so of an account is so for every step that uses it."""
        account = self.reach[step].account
        for index, reach in enumerate(self.reach):
            if reach.account == account:
                self.change(index, **fields)

    def learn(self, step: int, cause: Cause) -> None:
        session = self.reach[step].session
        if cause is Cause.WINDOW_CLOSED:
            self.change(step, session=after_closing(session, ADDRESS, self.now))
        elif cause is Cause.STOPPED and session:
            self.change(step, session=replace(session, blocked_at=self.now))
        elif cause is Cause.TEMPLATE_UNUSABLE:
            self.change(step, template_problem="refused")
        elif cause is Cause.MISCONFIGURED:
            self.hold(step, held_until=self.now + HOLD, held_why="no money", patient=True)

    def happen(self) -> None:
        self.now += self.draw(minutes(0, 0, 0.02, 0.5, 3, 10))
        step = self.draw(st.integers(0, len(self.reach) - 1))
        happening: Callable[[int], None] = self.draw(
            st.sampled_from([self.told, self.told, self.told, self.lives, self.turns_bad, self.turns_bad, self.wished])
        )
        happening(step)

    def told(self, _: int) -> None:
        if tried := [index for index, attempt in enumerate(self.notification.attempts) if attempt.address]:
            self.receipt(self.draw(st.sampled_from(tried)))

    def receipt(self, index: int) -> None:
        progress = self.draw(st.sampled_from([Progress.SENT, Progress.FAILED, Progress.DELIVERED, Progress.READ]))
        cause = self.draw(st.sampled_from([None, *Cause])) if progress is Progress.FAILED else None
        receipt = Receipt("whatsapp", "shop", "r", "m", progress, self.now, cause=cause)
        part, before = self.draw(st.sampled_from([0, 0, 1, 2])), self.notification
        self.notification = after_receipt(before, index, part, receipt, self.now) or before
        self.told_pairs.append((before, self.notification, index))
        if cause:
            self.learn(before.attempts[index].step, cause)

    def lives(self, step: int) -> None:
        """The person writes, which opens the window and lifts a block, and may ask us to stop."""
        session = self.reach[step].session or Session("s1", ADDRESS)
        stopped = self.draw(st.sampled_from([None, self.now, session.stopped_at]))
        session = replace(session, started_at=self.now, window_from_at=self.now, blocked_at=None, stopped_at=stopped)
        self.change(step, session=session, address=ADDRESS)

    def turns_bad(self, step: int) -> None:
        session = self.reach[step].session
        bad: list[dict[str, object]] = [
            {"template_problem": "paused"},
            {"session": replace(session, blocked_at=self.now) if session else None},
            {"session": replace(session, stopped_at=self.now) if session else None},
            {"session": replace(session, window_from_at=self.now - DAY) if session else None},
        ]
        if self.draw(st.booleans()):
            until, patient = self.now + self.draw(minutes(1, 10, 600)), self.draw(st.booleans())
            self.hold(step, held_until=until, held_why="no money" if patient else "it is down", patient=patient)
        else:
            self.change(step, **self.draw(st.sampled_from(bad)))

    def wished(self, _: int) -> None:
        """The caller cancels it."""
        before = self.notification
        self.notification = cancelled(before, self.now)
        told = outcome(self.notification)
        self.wishes.append(Wish(before, self.notification, told, self.asked, len(self.calls)))
