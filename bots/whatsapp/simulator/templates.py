"""Templates at Meta: created, edited, listed, deleted, and refused. Business Management API: Message templates.

The codes are those of Meta's list of errors of template creation; all of them come as a 100 with a subcode.
"""

import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, NamedTuple

from bots.whatsapp.simulator.components import Fault, Template, components, names
from bots.whatsapp.simulator.template_parts import part_faults

Json = dict[str, Any]
FIELDS = "name,parameter_format,components,language,status,category,id"
"""The fields of a template that Meta's list has where nobody names any."""

AUTH = "AUTHENTICATION"
CATEGORIES = ("MARKETING", "UTILITY", AUTH)
EDITABLE = ("APPROVED", "REJECTED", "PAUSED")
LISTED_AS = {"FLAGGED": "APPROVED", "REINSTATED": "APPROVED", "UNARCHIVED": "APPROVED"}
"""Statuses that the list shows under another name."""

LIMIT = 250
EXISTS, UNKNOWN = 2388024, 2593002


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
        if fault := next(_faults({**request, "components": _in_capitals(request["components"])}, uploads), None):
            return fault
        if key in self.templates:
            return Fault(100, "There is already content in this language for this template", EXISTS)
        self.templates[key] = _stored_template({**request, "components": _in_capitals(request["components"])})
        return {"id": self.id_of(*key), "status": "PENDING", "category": request["category"]}

    def edit(self, key: str, request: Json) -> Json | Fault:
        """Change a template's contents, which wait for approval again."""
        name = self.ids()[key]
        old = self.templates[name]
        if old.get("status", "APPROVED") not in EDITABLE:
            return Fault(100, f"a template that is {old['status']} cannot be edited")
        parts = _in_capitals(request.get("components", []))
        if fault := next(part_faults(parts, None), None):
            return fault
        category = request.get("category", old.get("category", "UTILITY"))
        self.templates[name] = _stored_template({"category": category, "components": parts}) | {"id": key}
        return {"success": True}

    def page(self, query: Mapping[str, str]) -> Json:
        """Return a page of the list, with the requested fields."""
        keys, fields = sorted(self.templates), query.get("fields", FIELDS).split(",")
        start = int(query.get("after", "0"))
        end = start + min(int(query.get("limit", "25")), self.most)
        entries = [
            {field: value for field, value in self._item(key).items() if field in fields} for key in keys[start:end]
        ]
        next_link = {"next": f"https://graph.facebook.com/next?after={end}"} if end < len(keys) else {}
        summary = {"total_count": len(keys), "message_template_count": len(keys), "message_template_limit": LIMIT}
        return {
            "data": entries,
            "paging": {"cursors": {"before": str(start), "after": str(end)}, **next_link},
            **({"summary": {**summary, "are_translations_complete": True}} if "summary" in query else {}),
        }

    def delete(self, query: Mapping[str, str]) -> Json | Fault:
        """Delete one language by its id, or all languages of a name."""
        key = self.ids().get(query.get("hsm_id", ""))
        candidates = [other for other in self.templates if other[0] == query.get("name")]
        deleted_keys = [other for other in candidates if "hsm_id" not in query or other == key]
        for other in deleted_keys:
            del self.templates[other]
        return {"success": True} if deleted_keys else Fault(100, "Message template not found", UNKNOWN)

    def item(self, key: str, query: Mapping[str, str]) -> Json:
        """Return one template by its id, with the requested fields."""
        fields = {*query.get("fields", FIELDS).split(","), "id"}
        return {field: value for field, value in self._item(self.ids()[key]).items() if field in fields}

    def _item(self, key: tuple[str, str]) -> Json:
        template = self.templates[key]
        status, body = template.get("status", "APPROVED"), template["body"]
        return {
            "id": self.id_of(*key),
            "name": key[0],
            "language": key[1],
            "status": LISTED_AS.get(status, status),
            "category": template.get("category", "UTILITY"),
            "components": components(template),
            "parameter_format": "NAMED" if any(not name.isdecimal() for name in names(body)) else "POSITIONAL",
            "rejected_reason": template.get("reason", "NONE"),
        }


def _in_capitals(parts: list[Json]) -> list[Json]:
    """Return the components with their types in capitals, as Meta keeps them, those of cards too."""
    return [{name: _type_in_capitals(name, value) for name, value in part.items()} for part in parts]


def _type_in_capitals(name: str, value: Any) -> Any:
    if name in {"type", "format", "otp_type"}:
        return str(value).upper()
    if name == "buttons":
        return _in_capitals(value)
    if name == "cards":
        return [{**card, "components": _in_capitals(card.get("components", []))} for card in value]
    return value


def _stored_template(request: Json) -> Template:
    parts = (
        [_with_text(part) for part in request["components"]] if request["category"] == AUTH else request["components"]
    )
    body = next(part["text"] for part in parts if part["type"] == "BODY")
    return Template(body=body, status="PENDING", category=request["category"], components=parts)


def _with_text(part: Json) -> Json:
    """Return a part of a password's template with its text: Meta's own. Cloud API: Authentication templates."""
    if part["type"] == "BODY":
        advice = " For your security, do not share this code." if part.get("add_security_recommendation") else ""
        return {**part, "text": f"*{{{{1}}}}* is your verification code.{advice}"}
    if part["type"] == "FOOTER" and "code_expiration_minutes" in part:
        return {**part, "text": f"This code expires in {part['code_expiration_minutes']} minutes."}
    return part


def _faults(request: Json, uploads: Mapping[str, bytes]) -> Iterator[Fault]:
    if request["category"] not in CATEGORIES:
        yield Fault(100, f"Param category must be one of {', '.join(CATEGORIES)}")
    if not re.fullmatch(r"[a-z0-9_]{1,512}", request["name"]):
        yield Fault(100, "The name of the template can only have lowercase characters and underscores")
    if not re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2,3})?", request["language"]):
        yield Fault(100, f"Param language {request['language']} is not supported")
    parts = request["components"]
    yield from part_faults([_with_text(part) for part in parts] if request["category"] == AUTH else parts, uploads)
