"""Schemathesis over the whole description: what it allows is accepted, what it forbids is refused, nothing breaks."""

import asyncio
import json
import re
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from tests.support.client import PHONE, ApiClient
from tests.support.jobs import create_job
from tests.support.processes.commands import BIN, ROOT, environment

PATIENCE = 300


@pytest.mark.timeout(PATIENCE + 60)
async def test_the_fuzzer_finds_no_fault(demo: ApiClient, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(str(BIN / "schemathesis"), "--config-file", str(ROOT / "tests/support/hostile/schemathesis.toml")),
        *("run", f"{demo.environment.url}/openapi.json", "--header", f"Authorization: Bearer {demo.environment.key}"),
        *("--max-examples", "20", "--seed", "1", "--continue-on-failure", "--no-color"),
        *("--generation-database", "none", "--request-timeout", "60", "--request-retries", "2"),
        cwd=tmp_path,
        env=environment(
            SCHEMATHESIS_HOOKS="tests.support.hostile.schema_hooks", FUZZED=json.dumps(await create_examples(demo))
        ),
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    finally:
        if process.returncode is None:
            process.kill()
    report = out.decode()
    assert process.returncode == 0, "\n".join(line[:300] for line in report.splitlines())  # bodies may be long
    count = re.search(r"(\d+) generated", report)
    assert count
    assert int(count[1]) > 1000, report


async def create_examples(demo: ApiClient) -> dict[str, str]:
    """Create one resource of each area. Returns their ids by area."""
    await demo.say("whatsapp", "/start")
    step = {"channel": "sms", "text": "Hi {{name}}, https://shop.ru/"}
    contact = (await demo.post("/api/v1/contacts", {"phone": PHONE, "externalId": "crm-1"}))[1]
    own = (await demo.post("/api/v1/templates", {"id": "x", "name": "X", "channels": [step]}))[1]
    contents = {"channel": "whatsapp", "name": "hello", "language": "en", "category": "UTILITY", "body": "Hi"}
    draft = (await demo.post("/api/v1/messageTemplates", contents))[1]
    user = {"email": "boris@shop.example", "password": "correct horse battery", "role": "operator"}
    file = await demo.http.post("/api/v1/media", data=b"GIF89a" + bytes(20))
    async with demo.http.get("/api/v1/sessions") as response:
        (session, *_) = (await response.json())["sessions"]
    return {
        "messages": await demo.send({"channel": "sms", "text": "Hi"}),
        "contacts": contact["id"],
        "templates": own["id"],
        "messageTemplates": draft["id"],
        "sessions": session["id"],
        "jobs": await create_job(demo, [PHONE]),
        "accounts": "sms:demo",
        "users": (await demo.post("/api/v1/users", user))[1]["email"],
        "media": (await file.json())["id"],
    }
