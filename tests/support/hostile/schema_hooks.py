"""Hooks of the schema fuzzer (SCHEMATHESIS_HOOKS) that put existing ids into half of its requests.

Made-up ids lead to 404 before anything of interest happens. The variable `FUZZED` holds the ids by area, as JSON.
"""

import json
import os
from typing import Any
from zlib import crc32

import schemathesis

KNOWN = json.loads(os.environ.get("FUZZED", "{}"))


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Replace every other path parameter by an existing id."""
    area = context.operation.path.removeprefix("/api/v1/").partition("/")[0]
    if not path_parameters or area not in KNOWN:
        return path_parameters
    return {name: KNOWN[area] if _every_other(value) else value for name, value in path_parameters.items()}


def _every_other(value: Any) -> bool:
    return crc32(str(value).encode("utf-8", "replace")) % 2 == 0
