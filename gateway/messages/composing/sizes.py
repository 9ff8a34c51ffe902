"""How long the texts of steps are, in letters, messages and parts."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.api.request import StepInput
from gateway.domain.model.nouns import Content, Media
from gateway.runtime.runtime import Runtime


@dataclass(frozen=True)
class Size:
    """How long a step's text is before its variables are filled in. parts: None where nobody is charged for parts."""

    step: int
    letters: int
    messages: int
    parts: int | None


def sizes(runtime: Runtime, steps: Sequence[StepInput]) -> list[Size]:
    """Return how long the texts of these steps are; steps without a text, or of no account of ours, are left out."""
    return [found for index, step in enumerate(steps) if (found := size(runtime, step, index))]


def size(runtime: Runtime, step: StepInput, index: int) -> Size | None:
    """Return how long the text of a step is; None for one without a text, or of no account of ours."""
    channel = runtime.channel(step.channel, step.account)
    if channel is None or not step.text:
        return None
    content = Content(step.text, Media(step.media.type or "document", step.media.url) if step.media else None)
    parts = channel.facts.parts(content) if channel.facts.parts else None
    return Size(index, len(step.text), len(channel.split(content)), parts)
