"""Requests that nobody in their senses would make: made from the API's own description, and bent."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

NASTY: list[Any] = [
    *("", " ", "\0", "a\0b", "{{", "{{a}}", "{% for a in b %}", "$where", "a.b", "../..", "%00", "\u202e", "😀" * 40),
    *(
        "x" * 3000,
        "+79000000001",
        "telegram:demo:1",
        "sms",
        "2026-11-24T10:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "PT1H",
    ),
    *("9999-12-31T23:59:59-14:00", "http://127.0.0.1/", "javascript:alert(1)", "=1+1", "' OR 1=1 --", "\ud800", "NaN"),
    *(0, -1, 2**31, 2**63, 2**64, -(2**70), 1e308, -0.0, 10**400),
    *(True, False, None, [], {}, [[]], {"$gt": ""}, {"": {}}, {"a.b": 1}, {"$set": {"a": 1}}, [None] * 50),
]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]
BODIES = [
    b"",
    b"\xff\xfe",
    b"{",
    b"[" * 5000,
    b'{"a":' * 2000,
    b"null",
    b"\x00" * 100,
    b'"\\ud800"',
    b"1e999",
    b"x" * 2000,
]
FILES = [
    b"phone\n+79000000001\n",
    b"PK\x03\x04",
    b"\xff\xfe\x00",
    b"phone;phone\n",
    b'phone\n"' + b"a" * 200_000,
    b"phone\r\r\n" * 50,
    "\u202e,телефон\n,\0\n".encode("cp1251", "replace"),
]


@dataclass
class HostileRequests:
    """Draws requests; the same `seed` draws the same ones."""

    description: Mapping[str, Any]
    seed: int
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.operations = [
            (path, method, operation)
            for path, methods in self.description["paths"].items()
            for method, operation in methods.items()
        ]

    def request(self) -> tuple[str, str, dict[str, str], Any]:
        """Method, path with its query, headers, body (bytes, or to be written as JSON)."""
        path, method, operation = self.chance.choice(self.operations)
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", quote(self._word(), safe=""))
        query = [(one["name"], self._word()) for one in operation.get("parameters", []) if one["in"] == "query"]
        asked = [pair for pair in query if self.chance.random() < 0.4]
        if self.chance.random() < 0.1:
            asked.append((self._word(), self._word()))
        path += "?" * bool(asked) + "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in asked)
        if self.chance.random() < 0.05:
            method = self.chance.choice(METHODS)
        return method.upper(), path, self._headers(), self._body(operation)

    def _headers(self) -> dict[str, str]:
        kind = self.chance.choice(
            ["application/json", "text/plain", "application/xml", "multipart/form-data; boundary=x"]
        )
        key = {"Idempotency-Key": self.chance.choice(["", "a", "k" * 300])} if self.chance.random() < 0.1 else {}
        return {"Content-Type": kind, **key}

    def _body(self, operation: Mapping[str, Any]) -> Any:
        body = operation.get("requestBody")
        if body is None or self.chance.random() < 0.1:
            return self.chance.choice(BODIES)
        kind = self.chance.choice(sorted(body["content"]))
        if body["content"][kind]["schema"].get("format") == "binary":
            return self.chance.choice([*BODIES, *FILES])
        return self._value(body["content"][kind]["schema"], 0)

    def _word(self) -> str:
        return str(self.chance.choice(NASTY)).encode("utf-8", "replace").decode()

    def _value(self, schema: Mapping[str, Any], depth: int) -> Any:
        """Something of this form, or not."""
        if self.chance.random() < 0.15 or depth > 8:
            return self.chance.choice(NASTY)
        if "$ref" in schema:
            return self._value(self.description["components"]["schemas"][schema["$ref"].rpartition("/")[2]], depth)
        if options := schema.get("anyOf") or schema.get("oneOf"):
            return self._value(self.chance.choice(options), depth + 1)
        if values := schema.get("enum"):
            return self.chance.choice(values)
        make: dict[str, Callable[[], Any]] = {
            "object": lambda: self._object(schema, depth),
            "array": lambda: [
                self._value(schema.get("items") or {}, depth + 1) for _ in range(self.chance.randint(0, 3))
            ],
            "string": self._word,
            "integer": lambda: self.chance.randint(-2, 2000),
            "number": lambda: self.chance.uniform(-2, 2000),
            "boolean": lambda: self.chance.random() < 0.5,
            "null": lambda: None,
        }
        return make.get(str(schema.get("type")), lambda: self.chance.choice(NASTY))()

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        named = schema.get("properties", {})
        wanted = {name for name in named if name in schema.get("required", []) or self.chance.random() < 0.4}
        made = {name: self._value(named[name], depth + 1) for name in sorted(wanted) if self.chance.random() < 0.95}
        if self.chance.random() < 0.1 or not named:
            made[self._word()] = self.chance.choice(NASTY)
        return made
