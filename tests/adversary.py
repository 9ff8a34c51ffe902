"""A world that plays one notification to its end: a provider, a person and a clock that do whatever they like.

Everything that the gateway itself does here is its own code; only the database and the wire are left out.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter
from msgspec.structs import replace

from gateway.attempt import HOLD, Attempt, Step
from gateway.cascade import advance, next_move
from gateway.channel import SendError, Unavailable
from gateway.dispatcher import Outcome, _after, _begin
from gateway.model import Cause, Progress, Receipt, Session
from gateway.moves import Move, Recall, Route, Send, World
from gateway.notification import Notification, Recipient, orphaned
from gateway.receipts import _told
from gateway.sessions import _closed
from tests.chances import ADDRESS, DAY, ERRORS, FACTS, LEASE, MOODS, SESSIONS, START, STEPS, Answer, minutes

LIMIT = 200


@dataclass(frozen=True)
class Piece:
    """What a person would see: one part of a step, as text or as template; and the attempt, after which we name it."""

    step: int
    template: bool
    part: int
    attempt: int


def form(made: Attempt | Send) -> tuple[bool, str]:
    """As a template, under an intent, or freely."""
    return made.template, made.intent


@dataclass(frozen=True)
class Turn:
    """One time that the rule was asked, and where it led."""

    before: Notification
    world: World
    decided: Notification
    move: Move


@dataclass
class Play:
    """`pieces` of each text; `calls` of the provider, by attempt; `taken`: the pieces it really took, and when."""

    draw: st.DrawFn
    notification: Notification
    routes: list[Route]
    answers: st.SearchStrategy[Answer]
    pieces: list[int]
    now: datetime = START
    turns: list[Turn] = field(default_factory=list)
    calls: list[tuple[int, Answer]] = field(default_factory=list)
    taken: list[tuple[Piece, datetime]] = field(default_factory=list)

    def _repr_pretty_(self, printer: RepresentationPrinter, _: bool) -> None:  # noqa: FBT001 - so called
        """What happened, for the one who has to find out why."""
        facts = [str(route.facts) for route in self.routes]
        lines = [f"{turn.world.now:%H:%M:%S} {turn.move}" for turn in self.turns[:40]]
        printer.text("\n".join(["", *map(str, self.notification.steps), *facts, *lines, str(self.calls[:40])]))

    @property
    def states(self) -> list[Notification]:
        """The notification as it was, from the beginning to the end."""
        return [state for turn in self.turns for state in (turn.before, turn.decided)] + [self.notification]

    @property
    def sends(self) -> list[tuple[Turn, Send, Step, Route]]:
        found = [(turn, turn.move) for turn in self.turns if isinstance(turn.move, Send)]
        return [(turn, send, turn.before.steps[send.step], turn.world.routes[send.step]) for turn, send in found]

    @property
    def skipped(self) -> list[tuple[Turn, Attempt, Step, Route]]:
        found = [(turn, made) for turn in self.turns for made in turn.decided.attempts[len(turn.before.attempts) :]]
        return [(turn, made, turn.before.steps[made.step], turn.world.routes[made.step]) for turn, made in found]

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
        self.notification = orphaned(claimed)
        while self.notification.lease and len(self.turns) < LIMIT:
            world = World(self.now, tuple(self.routes))
            act = self.ask(world)
            if isinstance(act, Send):
                self.send(act, world)
            elif act:
                self.recall(act)

    def ask(self, world: World) -> Send | Recall | None:
        before = self.notification
        self.notification, act = advance(before, world)
        self.turns.append(Turn(before, world, self.notification, next_move(self.notification, world)))
        return act

    def recall(self, recall: Recall) -> None:
        attempt = replace(self.notification.attempts[recall.attempt], recalled_at=self.now)
        self.notification = self.notification.with_attempt(recall.attempt, attempt)

    def send(self, send: Send, world: World) -> None:
        pieces = 1 if send.template else self.pieces[send.step]
        index, self.notification = _begin(self.notification, send, ADDRESS, pieces, self.now)
        if self.draw(st.integers(0, 3)) == 0:
            self.receipt(index)
        if (outcome := self.hand_over(index)) is None:
            self.now += LEASE
            self.notification = replace(self.notification, lease=None)
            return
        self.now += self.draw(minutes(0, 0, 0.02, 0.5))
        self.notification = _after(self.notification, index, outcome, None, world)
        self.ask(dataclasses.replace(world, now=self.now))

    def hand_over(self, index: int) -> Outcome | None:
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

    def learn(self, step: int, cause: Cause) -> None:
        session = self.routes[step].session
        if cause is Cause.WINDOW_CLOSED:
            self.change(step, session=_closed(session, ADDRESS, self.now))
        elif cause is Cause.STOPPED and session:
            self.change(step, session=replace(session, blocked_at=self.now))
        elif cause is Cause.TEMPLATE_UNUSABLE:
            self.change(step, template_problem="refused")
        elif cause is Cause.MISCONFIGURED:
            self.change(step, held_until=self.now + HOLD, held_why="no money")

    def change(self, step: int, **fields: object) -> None:
        self.routes[step] = dataclasses.replace(self.routes[step], **fields)  # type: ignore[arg-type]

    def happen(self) -> None:
        self.now += self.draw(minutes(0, 0, 0.02, 0.5, 3, 10))
        step = self.draw(st.integers(0, len(self.routes) - 1))
        happening: Callable[[int], None] = self.draw(
            st.sampled_from([self.told, self.told, self.lives, self.turns_bad])
        )
        happening(step)

    def told(self, _: int) -> None:
        if tried := [index for index, attempt in enumerate(self.notification.attempts) if attempt.address]:
            self.receipt(self.draw(st.sampled_from(tried)))

    def receipt(self, index: int) -> None:
        progress = self.draw(st.sampled_from([Progress.SENT, Progress.FAILED, Progress.DELIVERED, Progress.READ]))
        cause = self.draw(st.sampled_from([None, *Cause])) if progress is Progress.FAILED else None
        receipt = Receipt("whatsapp", "shop", "r", "m", progress, self.now, cause=cause)
        part = self.draw(st.sampled_from([0, 0, 1, 2]))
        self.notification = _told(self.notification, index, part, receipt, self.now) or self.notification
        if cause:
            self.learn(self.notification.attempts[index].step, cause)

    def lives(self, step: int) -> None:
        """The person writes, which opens the window and lifts a block, and may ask us to stop."""
        session = self.routes[step].session or Session("s1", ADDRESS)
        stopped = self.draw(st.sampled_from([None, self.now, session.stopped_at]))
        session = replace(session, started_at=self.now, window_from_at=self.now, blocked_at=None, stopped_at=stopped)
        self.change(step, session=session, address=ADDRESS)

    def turns_bad(self, step: int) -> None:
        session = self.routes[step].session
        bad: list[dict[str, object]] = [
            {"template_problem": "paused"},
            {"held_until": self.now + self.draw(minutes(1, 10, 600)), "held_why": "no money"},
            {"session": replace(session, blocked_at=self.now) if session else None},
            {"session": replace(session, stopped_at=self.now) if session else None},
            {"session": replace(session, window_from_at=self.now - DAY) if session else None},
        ]
        self.change(step, **self.draw(st.sampled_from(bad)))


@st.composite
def plays(draw: st.DrawFn) -> Play:
    steps = tuple(draw(st.lists(STEPS, min_size=1, max_size=3)))
    routes = [
        Route(draw(FACTS), draw(st.sampled_from([ADDRESS] * 5 + [None])), "no phone", draw(SESSIONS)) for _ in steps
    ]
    asked = Notification(
        "n1",
        Recipient(),
        steps,
        START,
        START + draw(minutes(1, 10, 30)),
        due_at=START,
        reply_to=draw(st.sampled_from([None, "m1"])),
    )
    pieces = [draw(st.sampled_from([1, 1, 3])) for _ in steps]
    return Play(draw, asked, routes, draw(MOODS), pieces).run()
