"""Decides what one step of a notification does next: begin, go on, wait for a receipt, or nothing more. Pure."""

import dataclasses
from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from gateway.domain.cascade.moves import Abandon, Context, Move, Reachability, Send, Skip, Wait
from gateway.domain.channel import window
from gateway.domain.channel.facts import Facts
from gateway.domain.channel.window import Mode, span
from gateway.domain.model.attempt import MAX_TRIES, Attempt, Step
from gateway.domain.model.notification import Notification, Priority, Status
from gateway.domain.model.nouns import Cause, Progress
from gateway.domain.terms.hours import describe, opens_at


def of_step(notification: Notification, index: int, context: Context) -> Move | None:
    """Return the next move of one step; None if it has none left."""
    attempt = notification.last(index)
    if attempt is None:
        return _begin(notification, index, context)
    rule = _AFTER.get(attempt.progress)
    return rule(notification, attempt, context) if rule else None


def explain(notification: Notification, index: int, context: Context) -> str:
    """Return in words what a step would do now if its turn came, and why."""
    return _begin(notification, index, context).why


def _begin(
    notification: Notification, index: int, context: Context, *, shut: bool = False, template: bool = False
) -> Move:
    """Return what the step would do if nothing had been sent yet; with the window `shut`, or as a `template` only."""
    step, reach = notification.steps[index], context.reach[index]
    obstacle = context.opted_out or _obstacle(notification, reach)
    if obstacle:
        return Skip(index, f"{step.channel}: {obstacle}")
    not_now = _not_at_this_hour(notification, step, context.now) or _hold(notification, index, reach, context.now)
    if not_now:
        return not_now
    return _choose(index, replace(step, content=None) if template else step, reach, context.now, shut=shut)


def _not_at_this_hour(notification: Notification, step: Step, now: datetime) -> Move | None:
    """Return the wait until the permitted hours, or None. They hold for every step: a fallback must not wake people."""
    hours = notification.hours
    if hours is None or notification.priority is Priority.URGENT:
        return None
    opens = opens_at(hours, now)
    if opens <= now:
        return None
    words = f"{step.channel}: {describe(hours, opens)}"
    return Wait(min(opens, notification.expires_at), words, Status.DELAYED)


def _hold(notification: Notification, index: int, reach: Reachability, now: datetime) -> Wait | Skip | None:
    """Return how the step reacts to a hold of its account, or None if there is no hold.

    If our account is at fault, we wait; if the provider is away, only for as long as the step has patience. Patience
    counts from the last try, since a message may wait in another account's FIFO in between.
    """
    step, last = notification.steps[index], notification.last(index)
    since = last.at if last else notification.fifo_since_or(reach.account, now)
    if reach.held_until is None or reach.held_until <= now:
        return None
    words = f"{step.channel}: held, {reach.held_why}"
    if not notification.following(index):
        return Wait(min(reach.held_until, notification.expires_at), words, fifo=reach.account)
    if notification.priority is Priority.URGENT:
        return Skip(index, f"{words}; it is urgent, so it is not waited for")
    if reach.patient:
        return Wait(min(reach.held_until, notification.expires_at), words, fifo=reach.account)
    patience_over = since + step.fallback_after
    if patience_over <= now:
        return Skip(index, f"{words}, for longer than {span(step.fallback_after)}")
    return Wait(min(reach.held_until, notification.expires_at, patience_over), words, fifo=reach.account)


def _again(notification: Notification, attempt: Attempt, context: Context, words: str) -> Move:
    """Go on with an attempt if it would still be made like this: the window may have shut, the person may have left."""
    move = _begin(notification, attempt.step, context, shut=bool(attempt.intent), template=attempt.template)
    if isinstance(move, Send) and move.like(attempt):
        why = f"{notification.steps[attempt.step].channel}: {words}"
        again = notification.attempts.index(attempt)
        return Send(attempt.step, attempt.template, why, again, attempt.intent)
    return _the_rest(notification, attempt, move)


def _the_rest(notification: Notification, attempt: Attempt, move: Move) -> Move:
    """Return the move; if the same text goes out in another form, without those of its parts that have arrived."""
    if isinstance(move, Send) and attempt.parts and not move.template:
        return dataclasses.replace(move, rest_of=notification.attempts.index(attempt))
    return move


def _obstacle(notification: Notification, reach: Reachability) -> str:
    """Return why this person cannot be reached here at all, or "". A reply reaches whoever has just written to us."""
    session = reach.session
    if reach.address is None:
        return reach.no_address
    if reach.facts.needs_start and (session is None or session.started_at is None):
        return "the person has not started the bot"
    if session and session.blocked_at:
        return f"the person has blocked us on {session.blocked_at:%Y-%m-%d %H:%M} UTC"
    if session and session.stopped_at and notification.reply_to is None:
        return f"the person asked us to stop on {session.stopped_at:%Y-%m-%d %H:%M} UTC"
    return ""


def _choose(index: int, step: Step, reach: Reachability, now: datetime, *, shut: bool) -> Move:
    """Send free text while we may; when the window is shut, under an intent or as the approved template."""
    rule = reach.facts.window
    state = "the provider says the window is closed" if shut else window.describe(rule, reach.session, now)
    if step.content and not shut and window.is_free(rule, reach.session, now):
        return Send(index, template=False, why=f"{step.channel}: {state} -> free text")
    if step.content and step.intent:
        why = f"{step.channel}: {state} -> free text as {step.intent}"
        return Send(index, template=False, why=why, intent=step.intent)
    if step.template is None:
        why = f"{step.channel}: {state}, and the step has no {_exception(reach.facts)}"
        return Skip(index, why, Cause.WINDOW_CLOSED)
    name = f"{step.template.name}/{step.template.language}"
    if reach.template_problem:
        return Skip(index, f"{step.channel}: {state}; template {name} cannot be used: {reach.template_problem}")
    return Send(index, template=True, why=f"{step.channel}: {state} -> template {name}")


def _exception(facts: Facts) -> str:
    """Return what this channel lets through when its window is shut."""
    return "intent" if facts.window.mode is Mode.POLICY else "template"


def _is_superseded(notification: Notification, attempt: Attempt) -> bool:
    """Tell whether a later channel has taken over. To come back to this one would then send the message twice."""
    useless, later = {Progress.SKIPPED, Progress.FAILED}, notification.following(attempt.step)
    return any(other.step in later and other.progress not in useless for other in notification.attempts)


def _failed(notification: Notification, attempt: Attempt, context: Context) -> Move | None:
    """Return the retry after the provider said that the window is shut, whatever we believed.

    It goes under an intent or as the template, if the step has one.
    """
    step, facts = notification.steps[attempt.step], context.reach[attempt.step].facts
    if attempt.cause is not Cause.WINDOW_CLOSED or attempt.template or _is_superseded(notification, attempt):
        return None
    if step.template is None and (attempt.intent or not step.intent):
        return None
    if attempt.unsure_from and facts.idempotent:  # this answers a repetition: the first one may have arrived
        return None
    move = _begin(notification, attempt.step, context, shut=True, template=bool(attempt.intent))
    return _the_rest(notification, attempt, move)


def _retrying(notification: Notification, attempt: Attempt, context: Context) -> Move:
    step, reach = notification.steps[attempt.step], context.reach[attempt.step]
    if _is_put_off(notification, attempt):
        why = f"{step.channel}: {attempt.reason}; not waited for any longer"
        return Abandon(notification.attempts.index(attempt), why)
    hold = _hold(notification, attempt.step, reach, context.now)
    if isinstance(hold, Skip):
        return hold
    times = [moment for moment in (attempt.retry_at, hold and hold.until) if moment and moment > context.now]
    if times:
        words = f"{step.channel}: {attempt.reason}; trying again"
        return Wait(min(max(times), notification.expires_at), words, fifo=reach.account)
    return _again(notification, attempt, context, "trying again")


def _is_put_off(notification: Notification, attempt: Attempt) -> bool:
    """Tell whether the provider makes us wait more often or longer than is worth it while there is another step."""
    if attempt.cause is not Cause.UNAVAILABLE or not notification.following(attempt.step):
        return False
    pause = (attempt.retry_at or attempt.at) - attempt.at
    return attempt.tries >= MAX_TRIES or pause > notification.steps[attempt.step].fallback_after


def _in_doubt(notification: Notification, attempt: Attempt, context: Context) -> Move | None:
    """Return the move for a message that may have been sent: wait, or send it again while the provider still knows our
    key, or if the caller accepts repetitions.
    """
    if _is_superseded(notification, attempt):
        return None
    reach, until = context.reach[attempt.step], attempt.at + context.doubt
    known_until = (attempt.unsure_from or attempt.at) + reach.facts.idempotent
    if max(context.now, attempt.retry_at or context.now) < known_until:
        words = "it may have been sent; repeating it under the same key"
        move = _repeated(notification, attempt, context, words)
        if move and not (isinstance(move, Wait) and move.until >= known_until):
            return move
    if context.now < until and reach.facts.echoes_key:
        words = f"{notification.steps[attempt.step].channel}: it may have been sent; waiting for a receipt"
        return Wait(min(until, notification.expires_at), words)
    if notification.repeats:
        return _repeated(notification, attempt, context, "it may have been sent; repeating it all the same, as asked")
    return None


def _repeated(notification: Notification, attempt: Attempt, context: Context, words: str) -> Move | None:
    """Return the next try of the same message; None after the last try, or where no further one is possible."""
    if attempt.tries >= MAX_TRIES:
        return None
    again_at, step = attempt.retry_at or context.now, notification.steps[attempt.step]
    if again_at > context.now:
        until = min(again_at, notification.expires_at)
        return Wait(until, f"{step.channel}: {words}", fifo=context.reach[attempt.step].account)
    move = _again(notification, attempt, context, words)
    same = isinstance(move, Send) and move.again is not None
    return move if same or isinstance(move, Wait) else None


def _unconfirmed(notification: Notification, attempt: Attempt, context: Context) -> Move | None:
    """Wait for a receipt if the step requires one. Patience counts from the send; the last step has no fallback."""
    step = notification.steps[attempt.step]
    if not notification.following(attempt.step):
        return None
    until = (attempt.sent_at or attempt.at) + step.fallback_after
    if context.now < until:
        words = f"{step.channel}: sent; waiting up to {span(step.fallback_after)} for {step.success.name.lower()}"
        return Wait(min(until, notification.expires_at), words)
    return None


_AFTER: dict[Progress, Callable[[Notification, Attempt, Context], Move | None]] = {
    Progress.FAILED: _failed,
    Progress.RETRYING: _retrying,
    Progress.SENDING: _in_doubt,
    Progress.UNKNOWN: _in_doubt,
    Progress.SENT: _unconfirmed,
    Progress.DELIVERED: _unconfirmed,
}
