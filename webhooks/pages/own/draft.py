"""What stands in the editor's form, as a template's structure. What the form has no field for is kept. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.domain.api.request import convert
from gateway.messages.templates.own import Structure
from webhooks.pages.forms.approved_fields import part, template_of
from webhooks.pages.forms.mistakes import Mistake
from webhooks.pages.words import gettext

MOST_STEPS, MOST_BUTTONS = 10, 10
EMPTY_BUTTONS = 1
"""Fields for buttons that each step has beyond those that it has already."""

Steps = list[dict[str, Any]]


class Draft:
    """The fields of a form: `base` is the template that it began with, as JSON, and the form's fields go over it."""

    def __init__(self, base: Mapping[str, Any], name: str, steps: Steps) -> None:
        self.base, self.name, self.steps = dict(base), name, steps

    @classmethod
    def of(cls, structure: Structure) -> "Draft":
        """Return the draft that a stored template begins as."""
        base = msgspec.to_builtins(structure)
        return cls(base, structure.name, [dict(step) for step in base["channels"]])

    @classmethod
    def empty(cls, channels: list[str]) -> "Draft":
        """Return the draft of a new template: one step."""
        return cls({}, "", [{"channel": channel, "text": ""} for channel in channels[:1]])

    @classmethod
    def read(cls, form: Mapping[str, str]) -> "Draft":
        """Return the draft that a form holds. Raises RequestError where its hidden part was tampered with."""
        try:
            base = msgspec.json.decode(form.get("base", "{}"), type=dict[str, Any])
        except msgspec.MsgspecError:
            raise Mistake(gettext("This is no form of these pages."), "base") from None
        kept = base.get("channels") if isinstance(base.get("channels"), list) else []
        count = int(form.get("steps", "0")) if form.get("steps", "").isdecimal() else 0
        steps = [_step(form, place, kept or []) for place in range(min(count, MOST_STEPS))]
        return cls(base, form.get("name", ""), steps)

    def arranged(self, act: str, channel: str) -> "Draft":
        """Return the draft after an act on its steps: `add`, `up-1`, `down-1` or `remove-1`."""
        verb, _, number = act.partition("-")
        place, steps = int(number) if number.isdecimal() else 0, list(self.steps)
        if verb == "add" and len(steps) < MOST_STEPS:
            steps.append({"channel": channel, "text": ""})
        elif verb == "remove" and place < len(steps) > 1:
            del steps[place]
        elif verb in {"up", "down"}:
            other = place + (1 if verb == "down" else -1)
            if 0 <= other < len(steps) and place < len(steps):
                steps[place], steps[other] = steps[other], steps[place]
        return Draft(self.base, self.name, steps)

    @property
    def base_json(self) -> str:
        """Return what the form keeps of fields that it does not show; its steps are in the order of the form's."""
        return msgspec.json.encode({**self.base, "channels": self.steps}).decode()

    def structure(self) -> Structure:
        """Return the template that the form stands for. Raises RequestError."""
        return convert(Structure, {**self.base, "name": self.name.strip(), "channels": self.steps})


def _step(form: Mapping[str, str], place: int, kept: list[Any]) -> dict[str, Any]:
    """Return a step: the form's fields over what was kept of it."""
    old = kept[place] if place < len(kept) and isinstance(kept[place], dict) else {}
    step = {**old, "channel": form.get(f"channel-{place}", ""), "text": form.get(f"text-{place}", "").replace("\r", "")}
    if old.get("channel") != step["channel"]:  # what was kept is the other channel's
        step = {name: step[name] for name in ("channel", "text")}
    step["buttons"] = [button for number in range(MOST_BUTTONS) if (button := _button(form, f"{place}-{number}"))]
    name, _, language = form.get(f"template-{place}", "").rpartition("/")
    before = step.pop("template", None) or {}
    if name:
        same = (before.get("name"), before.get("language")) == (name, language)
        step["template"] = {**(before if same else {}), **_template(form, place, name, language)}
    return {field: value for field, value in step.items() if value or field in {"channel", "text"}}


def _button(form: Mapping[str, str], place: str) -> dict[str, str]:
    text, leads = form.get(f"button-{place}", "").strip(), form.get(f"leads-{place}", "").strip()
    if not text:
        return {}
    is_address = leads.startswith(("http://", "https://"))
    return {"text": text, **({"url": leads} if is_address else {"reply": leads} if leads else {})}


def _template(form: Mapping[str, str], place: int, name: str, language: str) -> dict[str, Any]:
    """Return the provider's template that is chosen. Fields of the one that was chosen before say nothing."""
    if form.get(f"fields-{place}") == f"{name}/{language}":
        typed = part(form, f"value-{place}-")
        return template_of(name, language, {field: value for field, value in typed.items() if value})
    return {"name": name, "language": language, "variables": _variables(form.get(f"variables-{place}", ""))}


def _variables(lines: str) -> dict[str, str]:
    """Return the values of a provider's template, of which each line gives one: `name = {{customer}}`."""
    pairs = (line.partition("=") for line in lines.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}
