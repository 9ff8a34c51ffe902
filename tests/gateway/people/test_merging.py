"""Contacts over HTTP: found by every name, changed, and merged without losing a name or a conversation."""

from typing import Any

from gateway.domain.model.nouns import Contact
from storage.people import contacts, sessions
from tests.support.client import PHONE, ApiClient
from tests.support.workload import phone


async def create_contact(demo: ApiClient, **names: str) -> Any:
    status, answer = await demo.post("/api/v1/contacts", names)
    assert status == 200
    return answer


async def get(demo: ApiClient, path: str = "", **asked: str) -> tuple[int, Any]:
    async with demo.http.get(f"/api/v1/contacts{path}", params=asked) as response:
        return response.status, await response.json()


async def merge(demo: ApiClient, one: Any, other: Any, **stays: str) -> tuple[int, Any]:
    return await demo.post(f"/api/v1/contacts/{one['id']}/merge", {"contactId": other["id"], **stays})


async def test_found_by_number_and_by_our_id(demo: ApiClient) -> None:
    anna = await create_contact(demo, phone=PHONE, externalId="crm-17")
    for asked in ({"phone": "8 900 000 00 01"}, {"externalId": "crm-17"}):
        assert await get(demo, **asked) == (200, anna)
    assert await get(demo, f"/{anna['id']}") == (200, anna)
    assert (await get(demo, phone=phone(5)))[0] == 404
    assert (await get(demo, "/nobody"))[0] == 404
    assert (await get(demo))[0] == 400
    assert (await get(demo, phone="x"))[1]["details"]["field"] == "phone"


async def test_changed(demo: ApiClient) -> None:
    anna, boris = await create_contact(demo, phone=PHONE), await create_contact(demo, phone=phone(5))
    async with demo.http.patch(f"/api/v1/contacts/{anna['id']}", json={"name": "Anna", "externalId": "crm-17"}) as told:
        assert (await told.json()) == {**anna, "name": "Anna", "externalId": "crm-17"}
    async with demo.http.patch(f"/api/v1/contacts/{boris['id']}", json={"externalId": "crm-17"}) as told:
        assert (told.status, (await told.json())["details"]["field"]) == (409, "externalId")


async def test_merged_with_all_names_and_conversations(demo: ApiClient) -> None:
    anna, also = await create_contact(demo, phone=PHONE), await create_contact(demo, externalId="crm-17")
    await demo.say("telegram", f"/start {anna['startCode']}")
    await demo.say("vk", f"/start {also['startCode']}")
    status, one = await merge(demo, anna, also)
    assert (status, one["phone"], one["externalId"], one["mergedIds"]) == (200, PHONE, "crm-17", [also["id"]])
    assert await merge(demo, anna, also) == (200, one)
    for path, asked in (("", {"externalId": "crm-17"}), (f"/{also['id']}", {})):
        assert await get(demo, path, **asked) == (200, one)
    _, theirs = await get(demo, f"/{also['id']}/sessions")
    assert {session["channel"] for session in theirs["sessions"]} == {"telegram", "vk"}
    key = await demo.send({"channel": "vk", "text": "Hi"}, phone=PHONE)
    await demo.wait_for(key, "SENT")
    assert (await demo.post("/api/v1/contacts", {"phone": PHONE, "externalId": "crm-17"}))[1] == one


async def test_somebody_has_to_say_which_number_stays(demo: ApiClient) -> None:
    anna, also = await create_contact(demo, phone=PHONE, externalId="a"), await create_contact(demo, phone=phone(5))
    status, answer = await merge(demo, anna, also)
    assert (status, answer["details"]["field"]) == (409, "phone")
    assert (await get(demo, f"/{also['id']}"))[1] == also
    status, one = await merge(demo, anna, also, phone=phone(5))
    assert (status, one["phone"], one["externalId"]) == (200, phone(5), "a")
    for number in (PHONE, phone(5)):
        assert (await get(demo, phone=number))[1]["id"] == anna["id"]


async def test_a_number_that_did_not_stay_leads_to_the_person_and_can_be_given_back(demo: ApiClient) -> None:
    anna, also = await create_contact(demo, phone=PHONE), await create_contact(demo, phone=phone(5), externalId="crm-5")
    _, one = await merge(demo, anna, also, phone=PHONE)
    assert one["phone"] == PHONE
    assert await create_contact(demo, phone=phone(5)) == one
    assert await create_contact(demo, phone=phone(5), externalId="crm-5") == one
    async with demo.http.patch(f"/api/v1/contacts/{anna['id']}", json={"phone": phone(5)}) as told:
        assert (told.status, (await told.json())["phone"]) == (200, phone(5))
    assert (await get(demo, phone=phone(5)))[1]["id"] == anna["id"]


async def test_an_old_merge_that_is_repeated_undoes_nothing(demo: ApiClient) -> None:
    anna, also = await create_contact(demo, phone=PHONE), await create_contact(demo, externalId="crm-5")
    _, one = await merge(demo, anna, also, name="Anna")
    assert one["name"] == "Anna"
    async with demo.http.patch(
        f"/api/v1/contacts/{anna['id']}", json={"name": "Hannah", "externalId": "crm-6", "phone": phone(6)}
    ) as told:
        changed = await told.json()
    assert await merge(demo, anna, also) == (200, changed)


async def test_who_cannot_be_merged(demo: ApiClient) -> None:
    anna, boris, clara = [await create_contact(demo, externalId=name) for name in ("a", "b", "c")]
    assert (await merge(demo, anna, anna))[0] == 400
    assert (await merge(demo, anna, {"id": "nobody"}))[1]["details"]["field"] == "contactId"
    assert (await merge(demo, anna, boris, externalId="a"))[0] == 200
    assert (await merge(demo, clara, boris, externalId="c"))[0] == 400
    assert (await merge(demo, clara, anna, externalId="c"))[0] == 200
    assert (await get(demo, externalId="b"))[1]["id"] == clara["id"]


async def test_what_broke_off_is_completed_by_a_repetition(demo: ApiClient) -> None:
    """At each of its steps: the process ends there, and the operator asks again."""
    db = demo.environment.runtime.db
    for number, step in enumerate(("known", "given")):
        anna, also = (
            await create_contact(demo, phone=phone(number)),
            await create_contact(demo, externalId=f"crm-{number}"),
        )
        one, other = await contacts.as_stored(db, anna["id"]), await contacts.as_stored(db, also["id"])
        assert isinstance(one, Contact)
        assert isinstance(other, Contact)
        if step == "known":
            await db["contacts"].update_one({"_id": one.id}, {"$set": {"aliases": [other.id]}})
        else:
            await contacts.merge(db, one, other, {})
            assert await sessions.contact(db, external_id=f"crm-{number}") is None
        status, told = await merge(demo, anna, also)
        assert (status, told["phone"], told["externalId"]) == (200, phone(number), f"crm-{number}")
