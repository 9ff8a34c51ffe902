"""Files of others: each is what its table says, to the last byte, and none is there that the table does not know."""

import re
from hashlib import sha256
from pathlib import Path

import webhooks.pages

VENDOR = Path(webhooks.pages.__file__).parent / "static" / "vendor"


def test_each_file_of_others_is_as_it_came() -> None:
    rows = dict(re.findall(r"^\| `([\w.-]+)` .*`([0-9a-f]{64})` \|$", (VENDOR / "VENDOR.md").read_text(), re.MULTILINE))
    files = {path.name: path for path in VENDOR.iterdir() if path.suffix not in {".md", ".txt"}}
    assert rows == {name: sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
