"""Templates at Meta: made, changed, listed and deleted, and refused (Business Management API: Message templates).

The codes are those of Meta's list of errors of template creation; all of them come as a 100 with a subcode.
"""

import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, NamedTuple

from bots.whatsapp.simulator.components import Fault, Template, components, names

Json = dict[str, Any]
LIMITS = {"HEADER": 60, "BODY": 1024, "FOOTER": 60}
BUTTON = 25
CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
EDITABLE = ("APPROVED", "REJECTED", "PAUSED")
LISTED_AS = {"FLAGGED": "APPROVED", "REINSTATED": "APPROVED", "UNARCHIVED": "APPROVED"}
"""Events that are no statuses in the list."""

EXISTS, TOO_LONG, HEADER, BODY, FOOTER, EDGE, UNKNOWN = 2388024, 2388040, 2388047, 2388072, 2388073, 2388299, 2593002
FORMATS = {"HEADER": HEADER, "BODY": BODY, "FOOTER": FOOTER}


class Shelf(NamedTuple):
    """The templates of a business account. id_of: Meta's id of one."""

    templates: MutableMapping[tuple[str, str], Template]
    id_of: Callable[[str, str], str]
    most: int = 100

    def ids(self) -> dict[str, tuple[str, str]]:
        return {self.id_of(*key): key for key in self.templates}

    def create(self, asked: Json, uploads: Mapping[str, bytes]) -> Json | Fault:
        """A new one, which waits to be looked at."""
        missing = [name for name in ("name", "language", "category", "components") if not asked.get(name)]
        if missing:
            return Fault(100, f"The parameter {missing[0]} is required.")
        key = (asked["name"], asked["language"])
        if fault := next(_faults(asked, uploads), None):
            return fault
        if key in self.templates:
            return Fault(100, "There is already content in this language for this template", EXISTS)
        self.templates[key] = _kept(asked)
        return {"id": self.id_of(*key), "status": "PENDING", "category": asked["category"]}

    def edit(self, key: str, asked: Json) -> Json | Fault:
        """Other contents, which are looked at anew."""
        name = self.ids()[key]
        old = self.templates[name]
        if old.get("status", "APPROVED") not in EDITABLE:
            return Fault(100, f"a template that is {old['status']} cannot be edited")
        if fault := next(_bad_parts(asked.get("components", []), None), None):
            return fault
        self.templates[name] = _kept({"category": old.get("category", "UTILITY"), **asked}) | {"id": key}
        return {"success": True}

    def page(self, asked: Mapping[str, str]) -> Json:
        """A page of the list, with the fields that are asked for."""
        keys, fields = sorted(self.templates), asked.get("fields", "name,language,status,category,id").split(",")
        start = int(asked.get("after", "0"))
        end = start + min(int(asked.get("limit", "25")), self.most)
        told = [
            {field: value for field, value in self._item(key).items() if field in fields} for key in keys[start:end]
        ]
        following = {"next": f"https://graph.facebook.com/next?after={end}"} if end < len(keys) else {}
        return {"data": told, "paging": {"cursors": {"before": str(start), "after": str(end)}, **following}}

    def delete(self, asked: Mapping[str, str]) -> Json | Fault:
        """One language by its id, or all of a name."""
        key = self.ids().get(asked.get("hsm_id", ""))
        gone = [one for one in self.templates if one[0] == asked.get("name") and ("hsm_id" not in asked or one == key)]
        for one in gone:
            del self.templates[one]
        return {"success": True} if gone else Fault(100, "Message template not found", UNKNOWN)

    def _item(self, key: tuple[str, str]) -> Json:
        template = self.templates[key]
        status = template.get("status", "APPROVED")
        return {
            "id": self.id_of(*key),
            "name": key[0],
            "language": key[1],
            "status": LISTED_AS.get(status, status),
            "category": template.get("category", "UTILITY"),
            "components": components(template),
            "rejected_reason": template.get("reason", "NONE"),
        }


def _kept(asked: Json) -> Template:
    body = next(part["text"] for part in asked["components"] if part["type"] == "BODY")
    return Template(body=body, status="PENDING", category=asked["category"], components=asked["components"])


def _faults(asked: Json, uploads: Mapping[str, bytes]) -> Iterator[Fault]:
    if asked["category"] not in CATEGORIES:
        yield Fault(100, f"Param category must be one of {', '.join(CATEGORIES)}")
    if not re.fullmatch(r"[a-z0-9_]{1,512}", asked["name"]):
        yield Fault(100, "The name of the template can only have lowercase characters and underscores")
    if not re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2,3})?", asked["language"]):
        yield Fault(100, f"Param language {asked['language']} is not supported")
    yield from _bad_parts(asked["components"], uploads)


def _bad_parts(parts: list[Json], uploads: Mapping[str, bytes] | None) -> Iterator[Fault]:
    if sum(part["type"] == "BODY" for part in parts) != 1:
        yield Fault(100, "components of type BODY are required", BODY)
    for part in parts:
        kind = part["type"]
        if kind == "BUTTONS":
            yield from _bad_buttons(part["buttons"])
        elif kind == "HEADER" and part["format"] != "TEXT":
            yield from _bad_file(part, uploads)
        else:
            yield from _bad_text(part, kind)


def _bad_file(header: Json, uploads: Mapping[str, bytes] | None) -> Iterator[Fault]:
    if header["format"] == "LOCATION":
        return
    (handle, *_) = header.get("example", {}).get("header_handle") or [""]
    if not handle or (uploads is not None and handle not in uploads):
        yield Fault(100, "a header of a file needs an example", HEADER)


def _bad_text(part: Json, kind: str) -> Iterator[Fault]:
    text, subcode = part["text"], FORMATS[kind]
    if not 0 < len(text) <= LIMITS[kind]:
        yield Fault(100, f"{kind} exceeds {LIMITS[kind]} characters", TOO_LONG)
    found = names(text)
    if "{{" in re.sub(r"{{\w+}}", "", text) or (kind == "FOOTER" and found):
        yield Fault(100, f"the variables of {kind} are not well formed", subcode)
    numbers = [int(name) for name in found if name.isdecimal()]
    if numbers and sorted(numbers) != list(range(1, len(found) + 1)):
        yield Fault(100, f"the variables of {kind} are not numbered from 1 on", subcode)
    if kind == "BODY" and (re.match(r"{{\w+}}", text) or re.search(r"{{\w+}}$", text)):
        yield Fault(100, "Variables can't be at the start or end of the template", EDGE)
    if len(_examples(part, kind.lower())) != len(found):
        yield Fault(100, f"the examples of {kind} do not fit its variables", subcode)


def _examples(part: Json, kind: str) -> list[Any]:
    example = part.get("example", {})
    if f"{kind}_text_named_params" in example:
        return list(example[f"{kind}_text_named_params"])
    told = example.get(f"{kind}_text", [])
    return list(told[0] if told and isinstance(told[0], list) else told)


def _bad_buttons(buttons: list[Json]) -> Iterator[Fault]:
    for button in buttons:
        if not 0 < len(button["text"]) <= BUTTON:
            yield Fault(100, f"a button's text exceeds {BUTTON} characters", TOO_LONG)
        if names(button.get("url", "")) and not button.get("example"):
            yield Fault(100, "a button's address with a variable needs an example")
