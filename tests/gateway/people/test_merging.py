"""Contacts over HTTP: found by every name, changed, and merged without losing a name or a conversation."""

from typing import Any

from gateway.domain.model.nouns import Contact
from storage.people import contacts, sessions
from tests.support.client import PHONE, Player
from tests.support.workload import phone


async def made(town: Player, **names: str) -> Any:
    status, answer = await town.post("/api/v1/contacts", names)
    assert status == 200
    return answer


async def get(town: Player, path: str = "", **asked: str) -> tuple[int, Any]:
    async with town.http.get(f"/api/v1/contacts{path}", params=asked) as response:
        return response.status, await response.json()


async def merge(town: Player, one: Any, other: Any, **stays: str) -> tuple[int, Any]:
    return await town.post(f"/api/v1/contacts/{one['id']}/merge", {"contactId": other["id"], **stays})


async def test_found_by_number_and_by_our_id(town: Player) -> None:
    anna = await made(town, phone=PHONE, externalId="crm-17")
    for asked in ({"phone": "8 900 000 00 01"}, {"externalId": "crm-17"}):
        assert await get(town, **asked) == (200, anna)
    assert await get(town, f"/{anna['id']}") == (200, anna)
    assert (await get(town, phone=phone(5)))[0] == 404
    assert (await get(town, "/nobody"))[0] == 404
    assert (await get(town))[0] == 400
    assert (await get(town, phone="x"))[1]["details"]["field"] == "phone"


async def test_changed(town: Player) -> None:
    anna, boris = await made(town, phone=PHONE), await made(town, phone=phone(5))
    async with town.http.patch(f"/api/v1/contacts/{anna['id']}", json={"name": "Anna", "externalId": "crm-17"}) as told:
        assert (await told.json()) == {**anna, "name": "Anna", "externalId": "crm-17"}
    async with town.http.patch(f"/api/v1/contacts/{boris['id']}", json={"externalId": "crm-17"}) as told:
        assert (told.status, (await told.json())["details"]["field"]) == (409, "externalId")


async def test_merged_with_all_names_and_conversations(town: Player) -> None:
    anna, also = await made(town, phone=PHONE), await made(town, externalId="crm-17")
    await town.say("telegram", f"/start {anna['startCode']}")
    await town.say("vk", f"/start {also['startCode']}")
    status, one = await merge(town, anna, also)
    assert (status, one["phone"], one["externalId"], one["mergedIds"]) == (200, PHONE, "crm-17", [also["id"]])
    assert await merge(town, anna, also) == (200, one)
    for path, asked in (("", {"externalId": "crm-17"}), (f"/{also['id']}", {})):
        assert await get(town, path, **asked) == (200, one)
    _, theirs = await get(town, f"/{also['id']}/sessions")
    assert {session["channel"] for session in theirs["sessions"]} == {"telegram", "vk"}
    key = await town.send({"channel": "vk", "text": "Hi"}, phone=PHONE)
    await town.ended(key, "SENT")
    assert (await town.post("/api/v1/contacts", {"phone": PHONE, "externalId": "crm-17"}))[1] == one


async def test_somebody_has_to_say_which_number_stays(town: Player) -> None:
    anna, also = await made(town, phone=PHONE, externalId="a"), await made(town, phone=phone(5))
    status, answer = await merge(town, anna, also)
    assert (status, answer["details"]["field"]) == (409, "phone")
    assert (await get(town, f"/{also['id']}"))[1] == also
    status, one = await merge(town, anna, also, phone=phone(5))
    assert (status, one["phone"], one["externalId"]) == (200, phone(5), "a")
    for number in (PHONE, phone(5)):
        assert (await get(town, phone=number))[1]["id"] == anna["id"]


async def test_a_number_that_did_not_stay_leads_to_the_person_and_can_be_given_back(town: Player) -> None:
    anna, also = await made(town, phone=PHONE), await made(town, phone=phone(5), externalId="crm-5")
    _, one = await merge(town, anna, also, phone=PHONE)
    assert one["phone"] == PHONE
    assert await made(town, phone=phone(5)) == one
    assert await made(town, phone=phone(5), externalId="crm-5") == one
    async with town.http.patch(f"/api/v1/contacts/{anna['id']}", json={"phone": phone(5)}) as told:
        assert (told.status, (await told.json())["phone"]) == (200, phone(5))
    assert (await get(town, phone=phone(5)))[1]["id"] == anna["id"]


async def test_an_old_merge_that_is_repeated_undoes_nothing(town: Player) -> None:
    anna, also = await made(town, phone=PHONE), await made(town, externalId="crm-5")
    _, one = await merge(town, anna, also, name="Anna")
    assert one["name"] == "Anna"
    async with town.http.patch(
        f"/api/v1/contacts/{anna['id']}", json={"name": "Hannah", "externalId": "crm-6", "phone": phone(6)}
    ) as told:
        changed = await told.json()
    assert await merge(town, anna, also) == (200, changed)


async def test_who_cannot_be_merged(town: Player) -> None:
    anna, boris, clara = [await made(town, externalId=name) for name in ("a", "b", "c")]
    assert (await merge(town, anna, anna))[0] == 400
    assert (await merge(town, anna, {"id": "nobody"}))[1]["details"]["field"] == "contactId"
    assert (await merge(town, anna, boris, externalId="a"))[0] == 200
    assert (await merge(town, clara, boris, externalId="c"))[0] == 400
    assert (await merge(town, clara, anna, externalId="c"))[0] == 200
    assert (await get(town, externalId="b"))[1]["id"] == clara["id"]


async def test_what_broke_off_is_completed_by_a_repetition(town: Player) -> None:
    """At each of its steps: the process ends there, and the operator asks again."""
    db = town.town.runtime.db
    for number, step in enumerate(("known", "given")):
        anna, also = await made(town, phone=phone(number)), await made(town, externalId=f"crm-{number}")
        one, other = await contacts.as_stored(db, anna["id"]), await contacts.as_stored(db, also["id"])
        assert isinstance(one, Contact)
        assert isinstance(other, Contact)
        if step == "known":
            await db["contacts"].update_one({"_id": one.id}, {"$set": {"aliases": [other.id]}})
        else:
            await contacts.merge(db, one, other, {})
            assert await sessions.contact(db, external_id=f"crm-{number}") is None
        status, told = await merge(town, anna, also)
        assert (status, told["phone"], told["externalId"]) == (200, phone(number), f"crm-{number}")
