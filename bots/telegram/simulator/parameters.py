"""Reads calls in all forms that they may have. Bot API: Making requests."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from quart import request

from bots.telegram.simulator.checks.files import File
from bots.telegram.simulator.checks.refusals import bad_request


class Parameters(NamedTuple):
    """A call's parameters as texts, and its uploaded files by the names of their fields."""

    fields: Mapping[str, str]
    uploads: Mapping[str, File] = {}

    def required(self, name: str) -> str:
        """Return a parameter. Raises Refused where it is missing."""
        if not (value := self.fields.get(name, "")):
            raise bad_request(f'parameter "{name}" is required')
        return value

    def number(self, name: str) -> float:
        """Return a required number. Raises Refused."""
        try:
            return float(self.required(name))
        except ValueError:
            raise bad_request(f'can\'t parse "{name}": expected a number') from None

    def decoded(self, name: str) -> Any:
        """Return a required parameter that is JSON. Raises Refused."""
        try:
            return json.loads(self.required(name))
        except ValueError:
            raise bad_request(f"can't parse {name} JSON object") from None


async def read_parameters() -> Parameters:
    """Return a call's parameters: from its query, from JSON, from a form, or from a form of several parts."""
    fields = dict(request.args)
    if request.is_json:
        body = await request.get_json(silent=True)
        if not isinstance(body, dict):
            raise bad_request("can't parse request as a JSON object")
        fields |= {key: _text(value) for key, value in body.items() if value is not None}
    fields |= {key: str(value) for key, value in (await request.form).items()}
    files = {
        name: File("", file.filename or "", file.mimetype, file.read()) for name, file in (await request.files).items()
    }
    return Parameters(fields, files)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
