"""A world that plays one notification to its end: a provider, a person and a clock that do whatever they like.

Everything that the gateway itself does here is its own code; only the database and the wire are left out.
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
    ERRORS,
    FACTS,
    HOURS,
    LEASE,
    MOODS,
    PRIORITIES,
    SESSIONS,
    START,
    STEPS,
    minutes,
)
from tests.laws.scene import Piece, Scene

LIMIT = 200


def form(made: Attempt | Send) -> tuple[bool, str]:
    """As a template, under an intent, or freely."""
    return made.template, made.intent


@dataclass(frozen=True)
class Turn:
    """One time that the rule was asked, and where it led. `stood`: the line in which it stood then, and since when."""

    before: Notification
    context: Context
    decided: Notification
    move: Move
    stood: tuple[str, datetime] | None = None


@dataclass
class Play(Scene):
    """`made` and `recalled`: what was done of what was decided, and after which turn.

    stood: the line that it stands in, and since when. put_offs: how often it may still not be its turn.
    """

    turns: list[Turn] = field(default_factory=list)
    made: list[tuple[Turn, Send]] = field(default_factory=list)
    recalled: list[tuple[Turn, Recall]] = field(default_factory=list)
    stood: tuple[str, datetime] | None = None
    put_offs: int = 3

    def _repr_pretty_(self, printer: RepresentationPrinter, _: bool) -> None:  # noqa: FBT001 - so called
        """What happened, for the one who has to find out why."""
        asked = self.notification
        head = [f"{asked.priority.name} {asked.hours} repeats={asked.repeats} until {asked.expires_at:%H:%M:%S}"]
        facts = [f"{reach.account} {reach.facts}" for reach in self.reach]
        lines = [f"{turn.context.now:%H:%M:%S} {turn.move}" for turn in self.turns[:40]]
        wishes = [f"cancelled in turn {wish.turns}: {wish.told}" for wish in self.wishes]
        printer.text("\n".join(["", *head, *map(str, asked.steps), *facts, *lines, *wishes, str(self.calls[:40])]))

    @property
    def states(self) -> list[Notification]:
        """The notification as it was, from the beginning to the end."""
        return [state for turn in self.turns for state in (turn.before, turn.decided)] + [self.notification]

    @property
    def sends(self) -> list[tuple[Turn, Send, Step, Reachability]]:
        found = [(turn, turn.move) for turn in self.turns if isinstance(turn.move, Send)]
        return [(turn, send, turn.before.steps[send.step], turn.context.reach[send.step]) for turn, send in found]

    @property
    def skipped(self) -> list[tuple[Turn, Attempt, Step, Reachability]]:
        found = [(turn, made) for turn in self.turns for made in turn.decided.attempts[len(turn.before.attempts) :]]
        return [(turn, made, turn.before.steps[made.step], turn.context.reach[made.step]) for turn, made in found]

    def run(self) -> "Play":
        events = self.draw(st.sampled_from([3, 6, 12]))
        while len(self.turns) < LIMIT and (events or self.notification.due_at):
            if events:
                events -= 1
                self.happen()
            if due := self.notification.due_at:
                self.now = max(self.now, due)
                self.work()
        return self

    def work(self) -> None:
        claimed = replace(self.notification, lease="worker", due_at=self.now + LEASE)
        self.notification = mark_unknown(claimed)
        while self.notification.lease and len(self.turns) < LIMIT:
            context = Context(self.now, tuple(self.reach))
            act = self.ask(context)
            if isinstance(act, Send):
                self.send(act, context)
            elif act:
                self.recall(act)

    def ask(self, context: Context) -> Send | Recall | None:
        before = self.notification
        self.notification, act = advance(before, context)
        self.turns.append(Turn(before, context, self.notification, next_move(self.notification, context), self.stood))
        self.asked = len(self.turns)
        if act is None:
            self.stands()
        return act

    def stands(self) -> None:
        fifo = self.notification.fifo
        if self.stood is None or self.stood[0] != fifo:
            self.stood = (fifo, self.now) if fifo else None

    def recall(self, recall: Recall) -> None:
        self.recalled.append((self.turns[-1], recall))
        attempt = replace(self.notification.attempts[recall.attempt], recalled_at=self.now)
        self.notification = self.notification.with_attempt(recall.attempt, attempt)

    def put_off(self, account: str) -> None:
        """It is not its turn: the account has no room for it, or another one goes first."""
        self.put_offs -= 1
        told, until = self.notification, self.now + self.draw(minutes(0.01, 0.2))
        if self.draw(st.booleans()):
            self.notification = told.parked(lane_of(told.priority, account), account, self.now)
        else:
            self.notification = told.waiting(min(until, told.expires_at), self.now, Status.NEW, account)
        self.stands()
        self.now = until

    def send(self, send: Send, context: Context) -> None:
        chance, account = self.draw(st.integers(0, 11)), context.reach[send.step].account
        if chance == 0 and self.put_offs:
            self.put_off(account)
            return
        if chance == 1:
            self.wished(send.step)
            if self.notification.cancelled_at:  # it was faster than our own write
                return
        self.hand_over(send, context, account)

    def hand_over(self, send: Send, context: Context, account: str) -> None:
        self.made.append((self.turns[-1], send))
        pieces = 1 if send.template else self.pieces[send.step]
        index, begun = begin(self.notification, send, ADDRESS, pieces, self.now)
        self.notification = replace(begun, due_at=self.now + LEASE, lane=lane_of(begun.priority), fifo=account)
        self.stood = self.stood if send.again is not None else None
        meanwhile = self.draw(st.integers(0, 7))
        if meanwhile in {0, 1}:
            self.receipt(index)
        elif meanwhile == 2:
            self.wished(send.step)
        if (outcome := self.answered(index)) is None:
            self.now += LEASE
            self.notification = replace(self.notification, lease=None)
            return
        self.now += self.draw(minutes(0, 0, 0.02, 0.5))
        self.notification = after_send(self.notification, index, outcome, None, context)
        self.ask(dataclasses.replace(context, now=self.now))

    def answered(self, index: int) -> Outcome | None:
        """None: our process has died over it."""
        attempt, outcome = self.notification.attempts[index], Outcome()
        for part in range(len(attempt.parts), attempt.pieces):
            answer = self.draw(self.answers)
            self.calls.append((index, answer))
            if answer.took:
                self.taken.append((Piece(attempt.step, attempt.template, part, index), self.now))
            if not answer.heard:
                return None
            if answer.error:
                outcome.error = self.error(attempt.step, answer.error)
                break
            outcome.taken.append((part, f"{index}/{part}"))
        return outcome

    def error(self, step: int, cause: Cause) -> SendError:
        self.learn(step, cause)
        if cause is Cause.UNAVAILABLE:
            return Unavailable("busy", self.draw(st.none() | minutes(0.1, 10)))
        return ERRORS[cause]("because")


@st.composite
def plays(draw: st.DrawFn) -> Play:
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
    asked = Notification(
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
    return Play(draw, asked, reach, draw(MOODS), pieces).run()
