"""Generates hostile requests from the API's OpenAPI description, with wrong values mixed in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
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
    """A generator of requests, which draws the same ones for the same `seed`."""

    description: Mapping[str, Any]
    seed: int
    random: Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.operations = [
            (path, method, operation)
            for path, methods in self.description["paths"].items()
            for method, operation in methods.items()
        ]

    def request(self) -> tuple[str, str, dict[str, str], Any]:
        """Return method, path with its query, headers, and body (bytes, or a value to be encoded as JSON)."""
        path, method, operation = self.random.choice(self.operations)
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", quote(self._word(), safe=""))
        names = [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"]
        query = [pair for pair in [(name, self._word()) for name in names] if self.random.random() < 0.4]
        if self.random.random() < 0.1:
            query.append((self._word(), self._word()))
        path += "?" * bool(query) + "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
        if self.random.random() < 0.05:
            method = self.random.choice(METHODS)
        return method.upper(), path, self._headers(), self._body(operation)

    def _headers(self) -> dict[str, str]:
        kind = self.random.choice(
            ["application/json", "text/plain", "application/xml", "multipart/form-data; boundary=x"]
        )
        key = {"Idempotency-Key": self.random.choice(["", "a", "k" * 300])} if self.random.random() < 0.1 else {}
        return {"Content-Type": kind, **key}

    def _body(self, operation: Mapping[str, Any]) -> Any:
        body = operation.get("requestBody")
        if body is None or self.random.random() < 0.1:
            return self.random.choice(BODIES)
        kind = self.random.choice(sorted(body["content"]))
        if body["content"][kind]["schema"].get("format") == "binary":
            return self.random.choice([*BODIES, *FILES])
        return self._value(body["content"][kind]["schema"], 0)

    def _word(self) -> str:
        return str(self.random.choice(NASTY)).encode("utf-8", "replace").decode()

    def _value(self, schema: Mapping[str, Any], depth: int) -> Any:
        """Return a value that fits the schema or, now and then, one that does not."""
        if self.random.random() < 0.15 or depth > 8:
            return self.random.choice(NASTY)
        if "$ref" in schema:
            return self._value(self.description["components"]["schemas"][schema["$ref"].rpartition("/")[2]], depth)
        if options := schema.get("anyOf") or schema.get("oneOf"):
            return self._value(self.random.choice(options), depth + 1)
        if values := schema.get("enum"):
            return self.random.choice(values)
        make: dict[str, Callable[[], Any]] = {
            "object": lambda: self._object(schema, depth),
            "array": lambda: [
                self._value(schema.get("items") or {}, depth + 1) for _ in range(self.random.randint(0, 3))
            ],
            "string": self._word,
            "integer": lambda: self.random.randint(-2, 2000),
            "number": lambda: self.random.uniform(-2, 2000),
            "boolean": lambda: self.random.random() < 0.5,
            "null": lambda: None,
        }
        return make.get(str(schema.get("type")), lambda: self.random.choice(NASTY))()

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        fields = schema.get("properties", {})
        names = {name for name in fields if name in schema.get("required", []) or self.random.random() < 0.4}
        value = {name: self._value(fields[name], depth + 1) for name in sorted(names) if self.random.random() < 0.95}
        if self.random.random() < 0.1 or not fields:
            value[self._word()] = self.random.choice(NASTY)
        return value
