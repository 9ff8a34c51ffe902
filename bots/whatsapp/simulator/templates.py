"""Templates at Meta: created, edited, listed, deleted, and refused. Business Management API: Message templates.

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
"""Statuses that the list shows under another name."""

EXISTS, TOO_LONG, HEADER, BODY, FOOTER, EDGE, UNKNOWN = 2388024, 2388040, 2388047, 2388072, 2388073, 2388299, 2593002
FORMATS = {"HEADER": HEADER, "BODY": BODY, "FOOTER": FOOTER}


class TemplateStore(NamedTuple):
    """The templates of a business account. `id_of` returns Meta's id of one. `most`: how many a page shows, at most."""

    templates: MutableMapping[tuple[str, str], Template]
    id_of: Callable[[str, str], str]
    most: int = 100

    def ids(self) -> dict[str, tuple[str, str]]:
        """Return the name and language of each template, by Meta's id."""
        return {self.id_of(*key): key for key in self.templates}

    def create(self, request: Json, uploads: Mapping[str, bytes]) -> Json | Fault:
        """Create a template, which waits for approval."""
        missing = [name for name in ("name", "language", "category", "components") if not request.get(name)]
        if missing:
            return Fault(100, f"The parameter {missing[0]} is required.")
        key = (request["name"], request["language"])
        if fault := next(_faults(request, uploads), None):
            return fault
        if key in self.templates:
            return Fault(100, "There is already content in this language for this template", EXISTS)
        self.templates[key] = _stored_template(request)
        return {"id": self.id_of(*key), "status": "PENDING", "category": request["category"]}

    def edit(self, key: str, request: Json) -> Json | Fault:
        """Change a template's contents, which wait for approval again."""
        name = self.ids()[key]
        old = self.templates[name]
        if old.get("status", "APPROVED") not in EDITABLE:
            return Fault(100, f"a template that is {old['status']} cannot be edited")
        if fault := next(_part_faults(request.get("components", []), None), None):
            return fault
        self.templates[name] = _stored_template({"category": old.get("category", "UTILITY"), **request}) | {"id": key}
        return {"success": True}

    def page(self, query: Mapping[str, str]) -> Json:
        """Return a page of the list, with the requested fields."""
        keys, fields = sorted(self.templates), query.get("fields", "name,language,status,category,id").split(",")
        start = int(query.get("after", "0"))
        end = start + min(int(query.get("limit", "25")), self.most)
        entries = [
            {field: value for field, value in self._item(key).items() if field in fields} for key in keys[start:end]
        ]
        next_link = {"next": f"https://graph.facebook.com/next?after={end}"} if end < len(keys) else {}
        return {"data": entries, "paging": {"cursors": {"before": str(start), "after": str(end)}, **next_link}}

    def delete(self, query: Mapping[str, str]) -> Json | Fault:
        """Delete one language by its id, or all languages of a name."""
        key = self.ids().get(query.get("hsm_id", ""))
        candidates = [other for other in self.templates if other[0] == query.get("name")]
        deleted_keys = [other for other in candidates if "hsm_id" not in query or other == key]
        for other in deleted_keys:
            del self.templates[other]
        return {"success": True} if deleted_keys else Fault(100, "Message template not found", UNKNOWN)

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


def _stored_template(request: Json) -> Template:
    body = next(part["text"] for part in request["components"] if part["type"] == "BODY")
    return Template(body=body, status="PENDING", category=request["category"], components=request["components"])


def _faults(request: Json, uploads: Mapping[str, bytes]) -> Iterator[Fault]:
    if request["category"] not in CATEGORIES:
        yield Fault(100, f"Param category must be one of {', '.join(CATEGORIES)}")
    if not re.fullmatch(r"[a-z0-9_]{1,512}", request["name"]):
        yield Fault(100, "The name of the template can only have lowercase characters and underscores")
    if not re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2,3})?", request["language"]):
        yield Fault(100, f"Param language {request['language']} is not supported")
    yield from _part_faults(request["components"], uploads)


def _part_faults(parts: list[Json], uploads: Mapping[str, bytes] | None) -> Iterator[Fault]:
    if sum(part["type"] == "BODY" for part in parts) != 1:
        yield Fault(100, "components of type BODY are required", BODY)
    for part in parts:
        kind = part["type"]
        if kind == "BUTTONS":
            yield from _button_faults(part["buttons"])
        elif kind == "HEADER" and part["format"] != "TEXT":
            yield from _file_faults(part, uploads)
        else:
            yield from _text_faults(part, kind)


def _file_faults(header: Json, uploads: Mapping[str, bytes] | None) -> Iterator[Fault]:
    if header["format"] == "LOCATION":
        return
    (handle, *_) = header.get("example", {}).get("header_handle") or [""]
    if not handle or (uploads is not None and handle not in uploads):
        yield Fault(100, "a header of a file needs an example", HEADER)


def _text_faults(part: Json, kind: str) -> Iterator[Fault]:
    text, subcode = part["text"], FORMATS[kind]
    if not 0 < len(text) <= LIMITS[kind]:
        yield Fault(100, f"{kind} exceeds {LIMITS[kind]} characters", TOO_LONG)
    variables = names(text)
    if "{{" in re.sub(r"{{\w+}}", "", text) or (kind == "FOOTER" and variables):
        yield Fault(100, f"the variables of {kind} are not well formed", subcode)
    numbers = [int(name) for name in variables if name.isdecimal()]
    if numbers and sorted(numbers) != list(range(1, len(variables) + 1)):
        yield Fault(100, f"the variables of {kind} are not numbered from 1 on", subcode)
    if kind == "BODY" and (re.match(r"{{\w+}}", text) or re.search(r"{{\w+}}$", text)):
        yield Fault(100, "Variables can't be at the start or end of the template", EDGE)
    if len(_examples(part, kind.lower())) != len(variables):
        yield Fault(100, f"the examples of {kind} do not fit its variables", subcode)


def _examples(part: Json, kind: str) -> list[Any]:
    example = part.get("example", {})
    if f"{kind}_text_named_params" in example:
        return list(example[f"{kind}_text_named_params"])
    values = example.get(f"{kind}_text", [])
    return list(values[0] if values and isinstance(values[0], list) else values)


def _button_faults(buttons: list[Json]) -> Iterator[Fault]:
    for button in buttons:
        if not 0 < len(button["text"]) <= BUTTON:
            yield Fault(100, f"a button's text exceeds {BUTTON} characters", TOO_LONG)
        if names(button.get("url", "")) and not button.get("example"):
            yield Fault(100, "a button's address with a variable needs an example")
