"""Tests the API of contacts: they are found by every name, changed, and merged without losing anything."""

from typing import Any

from gateway.domain.model.identifier import identifier
from gateway.domain.model.nouns import Contact
from storage.people import contacts
from tests.support.client import PHONE, ApiClient
from tests.support.workload import phone


async def create_contact(demo: ApiClient, **names: str) -> Any:
    status, answer = await demo.post("/api/v1/contacts", names)
    assert status == 200
    return answer


async def get(demo: ApiClient, path: str = "", **query: str) -> tuple[int, Any]:
    async with demo.http.get(f"/api/v1/contacts{path}", params=query) as response:
        return response.status, await response.json()


async def merge(demo: ApiClient, contact: Any, duplicate: Any, **values: str) -> tuple[int, Any]:
    return await demo.post(f"/api/v1/contacts/{contact['id']}/merge", {"contactId": duplicate["id"], **values})


async def test_found_by_number_and_by_our_id(demo: ApiClient) -> None:
    anna = await create_contact(demo, phone=PHONE, externalId="crm-17")
    for query in ({"phone": "8 900 000 00 01"}, {"externalId": "crm-17"}):
        assert await get(demo, **query) == (200, anna)
    assert await get(demo, f"/{anna['id']}") == (200, anna)
    assert (await get(demo, phone=phone(5)))[0] == 404
    assert (await get(demo, "/nobody"))[0] == 404
    assert (await get(demo))[0] == 400
    assert (await get(demo, phone="x"))[1]["details"]["field"] == "phone"


async def test_changed(demo: ApiClient) -> None:
    anna, boris = await create_contact(demo, phone=PHONE), await create_contact(demo, phone=phone(5))
    async with demo.http.patch(
        f"/api/v1/contacts/{anna['id']}", json={"name": "Anna", "externalId": "crm-17"}
    ) as response:
        assert (await response.json()) == {
            **anna,
            "name": "Anna",
            "externalId": "crm-17",
            "identifiers": [f"phone:{PHONE}", "externalId:crm-17"],
        }
    async with demo.http.patch(f"/api/v1/contacts/{boris['id']}", json={"externalId": "crm-17"}) as response:
        assert (response.status, (await response.json())["details"]["field"]) == (409, "externalId")


async def test_merged_with_all_names_and_conversations(demo: ApiClient) -> None:
    anna, also = await create_contact(demo, phone=PHONE), await create_contact(demo, externalId="crm-17")
    await demo.say("telegram", f"/start {anna['startCode']}")
    await demo.say("vk", f"/start {also['startCode']}")
    status, merged = await merge(demo, anna, also)
    assert (status, merged["phone"], merged["externalId"], merged["mergedIds"]) == (200, PHONE, "crm-17", [also["id"]])
    assert await merge(demo, anna, also) == (200, merged)
    for path, query in (("", {"externalId": "crm-17"}), (f"/{also['id']}", {})):
        assert await get(demo, path, **query) == (200, merged)
    _, conversations = await get(demo, f"/{also['id']}/sessions")
    assert {session["channel"] for session in conversations["sessions"]} == {"telegram", "vk"}
    key = await demo.send({"channel": "vk", "text": "Hi"}, phone=PHONE)
    await demo.wait_for(key, "SENT")
    assert (await demo.post("/api/v1/contacts", {"phone": PHONE, "externalId": "crm-17"}))[1] == merged


async def test_somebody_has_to_say_which_number_stays(demo: ApiClient) -> None:
    anna, also = await create_contact(demo, phone=PHONE, externalId="a"), await create_contact(demo, phone=phone(5))
    status, answer = await merge(demo, anna, also)
    assert (status, answer["details"]["field"]) == (409, "phone")
    assert (await get(demo, f"/{also['id']}"))[1] == also
    status, merged = await merge(demo, anna, also, phone=phone(5))
    assert (status, merged["phone"], merged["externalId"]) == (200, phone(5), "a")
    for number in (PHONE, phone(5)):
        assert (await get(demo, phone=number))[1]["id"] == anna["id"]


async def test_a_number_that_did_not_stay_leads_to_the_person_and_can_be_given_back(demo: ApiClient) -> None:
    anna, also = await create_contact(demo, phone=PHONE), await create_contact(demo, phone=phone(5), externalId="crm-5")
    _, merged = await merge(demo, anna, also, phone=PHONE)
    assert merged["phone"] == PHONE
    assert await create_contact(demo, phone=phone(5)) == merged
    assert await create_contact(demo, phone=phone(5), externalId="crm-5") == merged
    async with demo.http.patch(f"/api/v1/contacts/{anna['id']}", json={"phone": phone(5)}) as response:
        assert (response.status, (await response.json())["phone"]) == (200, phone(5))
    assert (await get(demo, phone=phone(5)))[1]["id"] == anna["id"]


async def test_an_old_merge_that_is_repeated_undoes_nothing(demo: ApiClient) -> None:
    anna, also = await create_contact(demo, phone=PHONE), await create_contact(demo, externalId="crm-5")
    _, merged = await merge(demo, anna, also, name="Anna")
    assert merged["name"] == "Anna"
    async with demo.http.patch(
        f"/api/v1/contacts/{anna['id']}", json={"name": "Hannah", "externalId": "crm-6", "phone": phone(6)}
    ) as response:
        contact = await response.json()
    assert await merge(demo, anna, also) == (200, contact)


async def test_who_cannot_be_merged(demo: ApiClient) -> None:
    anna, boris, clara = [await create_contact(demo, externalId=name) for name in ("a", "b", "c")]
    assert (await merge(demo, anna, anna))[0] == 400
    assert (await merge(demo, anna, {"id": "nobody"}))[1]["details"]["field"] == "contactId"
    assert (await merge(demo, anna, boris, externalId="a"))[0] == 200
    assert (await merge(demo, clara, boris, externalId="c"))[0] == 400
    assert (await merge(demo, clara, anna, externalId="c"))[0] == 200
    assert (await get(demo, externalId="b"))[1]["id"] == clara["id"]


async def test_what_broke_off_is_completed_by_a_repetition(demo: ApiClient) -> None:
    """The process ends at each step of the merge in turn, and the operator repeats the request."""
    db = demo.environment.runtime.db
    for number, step in enumerate(("claimed", "given", "adopted")):
        anna, also = (
            await create_contact(demo, phone=phone(number)),
            await create_contact(demo, externalId=f"crm-{number}"),
        )
        contact, duplicate = await contacts.as_stored(db, anna["id"]), await contacts.as_stored(db, also["id"])
        assert isinstance(contact, Contact)
        assert isinstance(duplicate, Contact)
        if step == "claimed":
            await db["contacts"].update_one({"_id": contact.id}, {"$inc": {"version": 1}})
        else:
            assert await contacts.merge(db, contact, duplicate, [])
        if step == "adopted":
            aliases = {"$set": {"aliases": [duplicate.id]}, "$inc": {"version": 1}}
            await db["contacts"].update_one({"_id": contact.id}, aliases)
        if step != "claimed":
            assert await contacts.find(db, identifier("externalId", f"crm-{number}")) is None
        status, merged = await merge(demo, anna, also)
        assert (status, merged["phone"], merged["externalId"]) == (200, phone(number), f"crm-{number}")
