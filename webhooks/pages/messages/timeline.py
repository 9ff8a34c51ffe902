"""What happened to a message, in the order of time: its decisions in words, and its attempts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.domain.api.response import AttemptView, DecisionView, StoryResponse
from gateway.messages.archive.replay import REPEATED


@dataclass(frozen=True)
class Entry:
    """A line: a decision in words, or an attempt. leads_to: the id of the message that the words end in."""

    at: datetime
    text: str = ""
    leads_to: str = ""
    attempt: AttemptView | None = None


def timeline(story: StoryResponse) -> Sequence[Entry]:
    """Return the lines of a message's story, the oldest first. What an attempt says itself is no line besides."""
    said = {words for each in story.attempts for words in (each.reason, f"{each.channel}: {each.reason}")}
    entries = [Entry(datetime.fromisoformat(story.created_at or ""))]
    entries += [Entry(_at(each), *_led(each.text)) for each in story.decisions if each.text not in said]
    entries += [Entry(_began(attempt), attempt=attempt) for attempt in story.attempts]
    return sorted(entries, key=lambda entry: entry.at)


def _led(text: str) -> tuple[str, str]:
    """Return a decision's words, and apart from them the id of the message that says the same anew."""
    word = next((each for each in REPEATED if text.startswith(f"{each} ")), "")
    return (word, text.removeprefix(f"{word} ")) if word else (text, "")


def _at(decision: DecisionView) -> datetime:
    return datetime.fromisoformat(decision.at or "")


def _began(attempt: AttemptView) -> datetime:
    return datetime.fromisoformat(attempt.sent_at or attempt.changed_at or "")
