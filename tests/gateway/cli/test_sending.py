"""Tests `gateway send`, `status` and `cancel`: their output and their exit codes."""

import json
from pathlib import Path

import pytest

from tests.support.client import PHONE, ApiClient
from tests.support.processes.commands import CommandResult, run
from tests.support.workload import texts


async def gateway(demo: ApiClient, folder: Path, *arguments: str, **environ: str) -> CommandResult:
    environment = {"GATEWAY_URL": demo.environment.url, "GATEWAY_KEY": demo.environment.key, **environ}
    return await run(folder, "gateway", *arguments, **environment)


async def test_send_and_wait(demo: ApiClient, tmp_path: Path) -> None:
    result = await gateway(
        demo, tmp_path, "send", PHONE, "Hi {{name}}", "-c", "telegram", "-c", "sms", "-v", "name=Anna", "--wait"
    )
    first, *lines = result.out.splitlines()
    assert (result.code, result.err, first.split()[1]) == (0, "", "DELIVERED")
    assert any("the person has not started the bot" in line for line in lines)
    assert texts(demo, "sms") == ["Hi Anna"]
    status = await gateway(demo, tmp_path, "status", first.split()[0], "--json")
    assert json.loads(status.out)["status"] == "DELIVERED"


async def test_any_identifier_names_the_recipient(demo: ApiClient, tmp_path: Path) -> None:
    result = await gateway(demo, tmp_path, "send", f"phone:{PHONE}", "Hi", "-c", "sms", "--wait")
    assert (result.code, texts(demo, "sms")) == (0, ["Hi"])


async def test_explain_schedule_cancel(demo: ApiClient, tmp_path: Path) -> None:
    later = ("send", PHONE, "Hi", "-c", "sms", "--at", "2027-01-01T10:00:00+0300", "--id", "visit-17")
    explanation = await gateway(demo, tmp_path, *later, "--explain")
    assert "sms: no reply window on this channel -> free text" in explanation.out
    assert (await demo.story("visit-17"))["error"]
    result = await gateway(demo, tmp_path, *later)
    assert result.out == "visit-17  SCHEDULED\n"
    first_cancel = await gateway(demo, tmp_path, "cancel", "visit-17")
    assert (first_cancel.code, first_cancel.out) == (0, "visit-17  cancelled\n")
    second_cancel = await gateway(demo, tmp_path, "cancel", "visit-17")
    assert second_cancel.code == 0
    assert (await gateway(demo, tmp_path, "status", "visit-17")).out.startswith("visit-17  CANCELLED")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("send", "12", "Hi", "-c", "sms"), 1, "messages[0].destinations[0].phone: "),
        (("send", PHONE, "Hi", "-c", "pigeon"), 1, "messages[0].channels[0].channel: "),
        (("send", PHONE, "Hi"), 2, "Missing option"),
        (("send", "loft:7", "Hi", "-c", "sms"), 1, "messages[0].destinations[0].identifier: "),
        (("send", "", "Hi", "-c", "sms"), 2, "RECIPIENT"),
        (("send", "@", "Hi", "-c", "sms"), 2, "RECIPIENT"),
        (("send", PHONE, "Hi", "-c", "sms", "-v", "name"), 2, "NAME=VALUE"),
        (("status", "nothing"), 2, "There is no such message."),
        (("cancel",), 2, "give one of ID"),
    ],
)
async def test_mistakes(demo: ApiClient, tmp_path: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    result = await gateway(demo, tmp_path, *arguments)
    assert (result.code, result.out) == (code, "")
    assert message in result.err


async def test_without_a_key(demo: ApiClient, tmp_path: Path) -> None:
    result = await run(tmp_path, "gateway", "status", "m1")
    assert (result.code, result.out) == (2, "")
    assert "GATEWAY_KEY" in result.err
