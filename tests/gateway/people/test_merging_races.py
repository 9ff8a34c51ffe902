"""Tests merges that meet other changes of the same people: nobody loses an identifier, and nobody reads another's."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.support.client import ApiClient
from tests.support.workload import phone

ROUNDS = 12


async def create(demo: ApiClient, **identifiers: str) -> Any:
    status, contact = await demo.post("/api/v1/contacts", identifiers)
    assert status == 200, contact
    return contact


async def merge(demo: ApiClient, contact: Any, other: Any) -> int:
    return (await demo.post(f"/api/v1/contacts/{contact['id']}/merge", {"contactId": other["id"]}))[0]


async def change(demo: ApiClient, contact: Any, **identifiers: str) -> int:
    async with demo.http.patch(f"/api/v1/contacts/{contact['id']}", json=identifiers) as response:
        return response.status


async def join(demo: ApiClient, **identifiers: str) -> int:
    return (await demo.post("/api/v1/contacts", identifiers))[0]


async def owner(demo: ApiClient, **identifier: str) -> Any:
    async with demo.http.get("/api/v1/contacts", params=identifier) as response:
        return await response.json() if response.status == 200 else None


@pytest.mark.parametrize("changed_one", ["the one who stays", "the other"])
async def test_what_is_given_to_either_during_a_merge_is_kept(demo: ApiClient, changed_one: str) -> None:
    """A join and a PATCH of one of the two were answered 200: what they gave leads to the person afterwards."""
    for number in range(ROUNDS):
        anna = await create(demo, phone=phone(number))
        also = await create(demo, externalId=f"crm-{number}")
        subject, own = also, {"externalId": f"crm-{number}"}
        if changed_one == "the one who stays":
            subject, own = anna, {"phone": phone(number)}
        merged, joined, changed = await asyncio.gather(
            merge(demo, anna, also),
            join(demo, **own, email=f"anna{number}@example.com"),
            change(demo, subject, device=f"tab-{number}"),
        )
        given = [{"externalId": f"crm-{number}"}] * (merged == 200) + [{"phone": phone(number)}]
        given += [{"email": f"anna{number}@example.com"}] * (joined == 200)
        given += [{"device": f"tab-{number}"}] * (changed == 200)
        owners = [await owner(demo, **identifier) for identifier in given]
        assert None not in owners, (merged, joined, changed, owners)
        if merged == 200:
            assert {contact["id"] for contact in owners} == {anna["id"]}


async def test_two_who_merge_against_each_other(demo: ApiClient) -> None:
    """They become one person or stay two; a refused merge leaves nothing that leads from one to the other."""
    outcomes = Counter[str]()
    for number in range(ROUNDS):
        anna, also = await create(demo, phone=phone(number)), await create(demo, externalId=f"crm-{number}")
        statuses = await asyncio.gather(merge(demo, anna, also), merge(demo, also, anna))
        first, second = await owner(demo, phone=phone(number)), await owner(demo, externalId=f"crm-{number}")
        assert first is not None
        assert second is not None
        if 200 in statuses:
            assert first == second
        else:
            assert (first["mergedIds"], second["mergedIds"]) == ([], [])
        outcomes["one" if first == second else "two"] += 1
    assert outcomes["one"], "they never succeed"


async def test_three_who_merge_in_a_ring(demo: ApiClient) -> None:
    for number in range(ROUNDS):
        people = [await create(demo, externalId=f"{name}-{number}") for name in "abc"]
        kinds = ({"email": f"b{number}@example.com"}, {"phone": phone(number)})
        people[1:] = [await create(demo, **kind) for kind in kinds]
        await asyncio.gather(*(merge(demo, people[place], people[place - 1]) for place in range(3)))
        owners = [await owner(demo, externalId=f"a-{number}"), *[await owner(demo, **kind) for kind in kinds]]
        assert None not in owners
        for contact in owners:
            assert contact["id"] not in contact["mergedIds"]


async def test_a_refused_merge_lets_no_message_reach_the_other(demo: ApiClient) -> None:
    anna, boris = await create(demo, externalId="anna"), await create(demo, externalId="boris")
    await demo.say("telegram", f"/start {boris['startCode']}")
    statuses = await asyncio.gather(merge(demo, anna, boris), merge(demo, boris, anna))
    assert set(statuses) == {409}, "both have an external id, and nobody says which one stays"
    key = await demo.send({"channel": "telegram", "text": "for Anna"}, externalId="anna")
    await demo.wait_for(key, "UNDELIVERED")
    assert "for Anna" not in [bubble.text for bubble in demo.screen("telegram")]


async def test_parallel_joins_of_one_person_all_succeed(demo: ApiClient) -> None:
    """A person's devices register at the same moment: that is contention, and not two people."""
    statuses = await asyncio.gather(*(join(demo, phone=phone(1), device=f"d{number}") for number in range(20)))
    assert set(statuses) == {200}
    assert len((await owner(demo, phone=phone(1)))["identifiers"]) == 21
