"""The state around one notification in a play, and the random events that change it."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.domain.cascade.evidence import after_receipt
from gateway.domain.cascade.moves import Reachability
from gateway.domain.model.attempt import HOLD
from gateway.domain.model.event import Receipt
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Cause, Progress, Session
from gateway.messages.accepting.cancel import Outcome, cancel_notification, outcome
from gateway.people.sessions import after_closing
from tests.laws.choices import ADDRESS, DAY, START, Answer, minutes


@dataclass(frozen=True)
class Piece:
    """One part of a step, as text or as template, that a person would see; `attempt` is the attempt that sent it."""

    step: int
    template: bool
    part: int
    attempt: int


@dataclass(frozen=True)
class Cancellation:
    """A request to cancel: the notification before and after it, its outcome, and the counts of turns and calls."""

    before: Notification
    after: Notification
    outcome: Outcome
    turn_count: int
    call_count: int


@dataclass
class PlayState:
    """The notification and all around it.

    pieces: the number of pieces of each step's text. calls: the provider's answers, by attempt. accepted: the pieces
    that the provider really accepted, and when. receipts: the notification before and after each receipt, and the
    attempt's index. history: each state of the notification, and when.
    """

    history: ClassVar[list[tuple[datetime, Notification]]]
    draw: st.DrawFn
    notification: Notification
    reach: list[Reachability]
    answers: st.SearchStrategy[Answer]
    pieces: list[int]
    now: datetime = START
    turn_count: int = 0
    calls: list[tuple[int, Answer]] = field(default_factory=list)
    accepted: list[tuple[Piece, datetime]] = field(default_factory=list)
    cancellations: list[Cancellation] = field(default_factory=list)
    receipts: list[tuple[Notification, Notification, int]] = field(default_factory=list)

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute; the notification's states are all kept."""
        super().__setattr__(name, value)
        if isinstance(value, Notification):
            now = self.__dict__.get("now", START)
            self.__dict__.setdefault("history", []).append((now, value))

    def change(self, step: int, **fields: object) -> None:
        """Change the reachability of one step."""
        self.reach[step] = dataclasses.replace(self.reach[step], **fields)  # type: ignore[arg-type]

    def hold(self, step: int, **fields: object) -> None:
        """Change the reachability of every step that uses this step's account."""
        account = self.reach[step].account
        for index, reach in enumerate(self.reach):
            if reach.account == account:
                self.change(index, **fields)

    def learn(self, step: int, cause: Cause) -> None:
        """Apply what an error of this cause says of the person, the template or the account."""
        session = self.reach[step].session
        if cause is Cause.WINDOW_CLOSED:
            self.change(step, session=after_closing(session, ADDRESS, self.now))
        elif cause is Cause.STOPPED and session:
            self.change(step, session=replace(session, blocked_at=self.now))
        elif cause is Cause.TEMPLATE_UNUSABLE:
            self.change(step, template_problem="refused")
        elif cause is Cause.MISCONFIGURED:
            self.hold(step, held_until=self.now + HOLD, held_why="no money", patient=True)

    def draw_event(self) -> None:
        """Let some time pass and one random event happen."""
        self.now += self.draw(minutes(0, 0, 0.02, 0.5, 3, 10))
        step = self.draw(st.integers(0, len(self.reach) - 1))
        event: Callable[[int], None] = self.draw(
            st.sampled_from([*[self.report] * 3, self.write, *[self.deteriorate] * 2, self.cancel])
        )
        event(step)

    def report(self, _: int) -> None:
        """Report on one of the attempts that were sent, if there is any."""
        if indexes := [index for index, attempt in enumerate(self.notification.attempts) if attempt.address]:
            self.receipt(self.draw(st.sampled_from(indexes)))

    def receipt(self, index: int) -> None:
        """Draw a receipt for this attempt and apply it."""
        progress = self.draw(st.sampled_from([Progress.SENT, Progress.FAILED, Progress.DELIVERED, Progress.READ]))
        cause = self.draw(st.sampled_from([None, *Cause])) if progress is Progress.FAILED else None
        receipt = Receipt("whatsapp", "shop", "r", "m", progress, self.now, cause=cause)
        part, before = self.draw(st.sampled_from([0, 0, 1, 2])), self.notification
        self.notification = after_receipt(before, index, part, receipt, self.now) or before
        self.receipts.append((before, self.notification, index))
        if cause:
            self.learn(before.attempts[index].step, cause)

    def write(self, step: int) -> None:
        """Let the person write, which opens the window and lifts a block, and may opt out."""
        session = self.reach[step].session or Session("s1", ADDRESS)
        stopped_at = self.draw(st.sampled_from([None, self.now, session.stopped_at]))
        session = replace(session, started_at=self.now, window_from_at=self.now, blocked_at=None, stopped_at=stopped_at)
        self.change(step, session=session, address=ADDRESS)

    def deteriorate(self, step: int) -> None:
        """Hold the account, block, opt out, close the window, or make the template unusable."""
        session = self.reach[step].session
        changes: list[dict[str, object]] = [
            {"template_problem": "paused"},
            {"session": replace(session, blocked_at=self.now) if session else None},
            {"session": replace(session, stopped_at=self.now) if session else None},
            {"session": replace(session, window_from_at=self.now - DAY) if session else None},
        ]
        if self.draw(st.booleans()):
            until, patient = self.now + self.draw(minutes(1, 10, 600)), self.draw(st.booleans())
            self.hold(step, held_until=until, held_why="no money" if patient else "it is down", patient=patient)
        else:
            self.change(step, **self.draw(st.sampled_from(changes)))

    def cancel(self, _: int) -> None:
        """Cancel the notification as the caller."""
        before = self.notification
        self.notification = cancel_notification(before, self.now)
        answer = outcome(self.notification)
        cancellation = Cancellation(before, self.notification, answer, self.turn_count, len(self.calls))
        self.cancellations.append(cancellation)
