"""Plays one notification to its end against a provider, a person and a clock that do whatever they like.

All that the gateway does here is its own code; only the database and the wire are left out.
"""

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime

from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter
from msgspec.structs import replace

from gateway.domain.cascade.evidence import Outcome, after_send, begin
from gateway.domain.cascade.moves import Context, Move, Reachability, Recall, Send
from gateway.domain.cascade.rule import advance, next_move
from gateway.domain.channel.errors import SendError, Unavailable
from gateway.domain.model.attempt import Attempt, Step
from gateway.domain.model.notification import Notification, Recipient, Status, lane_of, mark_unknown
from gateway.domain.model.nouns import Cause
from tests.laws.choices import (
    ACCOUNTS,
    ADDRESS,
    ANSWER_STRATEGIES,
    ERRORS,
    FACTS,
    HOURS,
    LEASE,
    PRIORITIES,
    SESSIONS,
    START,
    STEPS,
    minutes,
)
from tests.laws.state import Piece, PlayState

LIMIT = 200


def form(attempt: Attempt | Send) -> tuple[bool, str]:
    """Return the form of sending: whether by a template, and the intent."""
    return attempt.template, attempt.intent


@dataclass(frozen=True)
class Turn:
    """One evaluation of the rule and its result. fifo_entry: the FIFO that it waited in then, and since when."""

    before: Notification
    context: Context
    after: Notification
    move: Move
    fifo_entry: tuple[str, datetime] | None = None


@dataclass
class Play(PlayState):
    """A play, which draws all that happens, and records it.

    submissions, recalls: the moves that were carried out, each with its turn. fifo_entry: the FIFO in which the
    notification waits, and since when. postponements: how often it may still have to wait for its turn.
    """

    turns: list[Turn] = field(default_factory=list)
    submissions: list[tuple[Turn, Send]] = field(default_factory=list)
    recalls: list[tuple[Turn, Recall]] = field(default_factory=list)
    fifo_entry: tuple[str, datetime] | None = None
    postponements: int = 3

    def _repr_pretty_(self, printer: RepresentationPrinter, _: bool) -> None:  # noqa: FBT001 - so called
        """Print what happened, for the analysis of a failure."""
        shown = self.notification
        head = [f"{shown.priority.name} {shown.hours} repeats={shown.repeats} until {shown.expires_at:%H:%M:%S}"]
        facts = [f"{reach.account} {reach.facts}" for reach in self.reach]
        lines = [f"{turn.context.now:%H:%M:%S} {turn.move}" for turn in self.turns[:40]]
        cancels = [f"cancelled in turn {cancel.turn_count}: {cancel.outcome}" for cancel in self.cancellations]
        printer.text("\n".join(["", *head, *map(str, shown.steps), *facts, *lines, *cancels, str(self.calls[:40])]))

    @property
    def states(self) -> list[Notification]:
        """All states of the notification, from the beginning to the end."""
        return [state for turn in self.turns for state in (turn.before, turn.after)] + [self.notification]

    @property
    def sends(self) -> list[tuple[Turn, Send, Step, Reachability]]:
        """The turns that led to a send, with the send, its step and that step's reachability."""
        moves = [(turn, turn.move) for turn in self.turns if isinstance(turn.move, Send)]
        return [(turn, send, turn.before.steps[send.step], turn.context.reach[send.step]) for turn, send in moves]

    @property
    def skips(self) -> list[tuple[Turn, Attempt, Step, Reachability]]:
        """The turns that skipped a step, with the attempt, its step and that step's reachability."""
        attempts = [(turn, skip) for turn in self.turns for skip in turn.after.attempts[len(turn.before.attempts) :]]
        return [(turn, skip, turn.before.steps[skip.step], turn.context.reach[skip.step]) for turn, skip in attempts]

    def run(self) -> "Play":
        """Play until no event is left and nothing is due, or for LIMIT turns."""
        events = self.draw(st.sampled_from([3, 6, 12]))
        while len(self.turns) < LIMIT and (events or self.notification.due_at):
            if events:
                events -= 1
                self.draw_event()
            if due := self.notification.due_at:
                self.now = max(self.now, due)
                self.work()
        return self

    def work(self) -> None:
        """Work on the notification as a worker does that has claimed it."""
        claim = replace(self.notification, lease="worker", due_at=self.now + LEASE)
        self.notification = mark_unknown(claim)
        while self.notification.lease and len(self.turns) < LIMIT:
            context = Context(self.now, tuple(self.reach))
            action = self.decide(context)
            if isinstance(action, Send):
                self.send(action, context)
            elif action:
                self.recall(action)

    def decide(self, context: Context) -> Send | Recall | None:
        """Evaluate the rule and record the turn. Returns the action that it demands."""
        before = self.notification
        self.notification, action = advance(before, context)
        self.turns.append(
            Turn(before, context, self.notification, next_move(self.notification, context), self.fifo_entry)
        )
        self.turn_count = len(self.turns)
        if action is None:
            self.update_fifo_entry()
        return action

    def update_fifo_entry(self) -> None:
        """Note since when the notification has been in its FIFO."""
        fifo = self.notification.fifo
        if self.fifo_entry is None or self.fifo_entry[0] != fifo:
            self.fifo_entry = (fifo, self.now) if fifo else None

    def recall(self, recall: Recall) -> None:
        """Carry out a recall."""
        self.recalls.append((self.turns[-1], recall))
        attempt = replace(self.notification.attempts[recall.attempt], recalled_at=self.now)
        self.notification = self.notification.with_attempt(recall.attempt, attempt)

    def postpone(self, account: str) -> None:
        """Let the notification wait: the account has no room for it, or another notification goes first."""
        self.postponements -= 1
        notification, until = self.notification, self.now + self.draw(minutes(0.01, 0.2))
        if self.draw(st.booleans()):
            self.notification = notification.parked(lane_of(notification.priority, account), account, self.now)
        else:
            self.notification = notification.waiting(min(until, notification.expires_at), self.now, Status.NEW, account)
        self.update_fifo_entry()
        self.now = until

    def send(self, send: Send, context: Context) -> None:
        """Carry out a send, or let it be postponed or cancelled just before."""
        number, account = self.draw(st.integers(0, 11)), context.reach[send.step].account
        if number == 0 and self.postponements:
            self.postpone(account)
            return
        if number == 1:
            self.cancel(send.step)
            if self.notification.cancelled_at:  # it was faster than our own write
                return
        self.submit(send, context, account)

    def submit(self, send: Send, context: Context, account: str) -> None:
        """Submit the send to the provider, while a receipt or a cancellation may come, and apply the outcome."""
        self.submissions.append((self.turns[-1], send))
        pieces = 1 if send.template else self.pieces[send.step]
        index, sending = begin(self.notification, send, ADDRESS, pieces, self.now)
        self.notification = replace(sending, due_at=self.now + LEASE, lane=lane_of(sending.priority), fifo=account)
        self.fifo_entry = self.fifo_entry if send.again is not None else None
        number = self.draw(st.integers(0, 7))
        if number in {0, 1}:
            self.receipt(index)
        elif number == 2:
            self.cancel(send.step)
        if (outcome := self.call_provider(index)) is None:
            self.now += LEASE
            self.notification = replace(self.notification, lease=None)
            return
        self.now += self.draw(minutes(0, 0, 0.02, 0.5))
        self.notification = after_send(self.notification, index, outcome, None, context)
        self.decide(dataclasses.replace(context, now=self.now))

    def call_provider(self, index: int) -> Outcome | None:
        """Call the provider for each missing piece. Returns None if our process dies meanwhile."""
        attempt, outcome = self.notification.attempts[index], Outcome()
        for part in range(len(attempt.parts), attempt.pieces):
            answer = self.draw(self.answers)
            self.calls.append((index, answer))
            if answer.accepted:
                self.accepted.append((Piece(attempt.step, attempt.template, part, index), self.now))
            if not answer.received:
                return None
            if answer.error:
                outcome.error = self.error(attempt.step, answer.error)
                break
            outcome.taken.append((part, f"{index}/{part}"))
        return outcome

    def error(self, step: int, cause: Cause) -> SendError:
        """Return an error of this cause, and apply what it says."""
        self.learn(step, cause)
        if cause is Cause.UNAVAILABLE:
            return Unavailable("busy", self.draw(st.none() | minutes(0.1, 10)))
        return ERRORS[cause]("because")


@st.composite
def plays(draw: st.DrawFn) -> Play:
    """Draw a notification and play it."""
    steps = tuple(draw(st.lists(STEPS, min_size=1, max_size=3)))
    reach = [
        Reachability(
            draw(FACTS),
            draw(st.sampled_from([ADDRESS] * 5 + [None])),
            "no phone",
            draw(SESSIONS),
            account=draw(ACCOUNTS),
        )
        for _ in steps
    ]
    priority = draw(PRIORITIES)
    notification = Notification(
        "n1",
        Recipient(),
        steps,
        START,
        START + draw(minutes(1, 10, 30)),
        due_at=START,
        reply_to=draw(st.sampled_from([None, "m1"])),
        hours=draw(HOURS),
        priority=priority,
        lane=lane_of(priority),
        person="whatsapp:shop:79161234567",
        repeats=draw(st.sampled_from([False, False, True])),
    )
    pieces = [draw(st.sampled_from([1, 1, 3])) for _ in steps]
    return Play(draw, notification, reach, draw(ANSWER_STRATEGIES), pieces).run()
