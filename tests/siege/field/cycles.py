"""The siege itself: programs are killed and started again after a while, and workers come and go."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, cycle

from tests.siege.field.camp import LEASE, Camp
from tests.support.processes.processes import Program


@dataclass(frozen=True)
class Plan:
    """The number of cycles, or the minutes for as many as there is time for; and the seed of all randomness."""

    cycles: int
    minutes: float | None
    seed: int

    @property
    def timeout(self) -> float:
        """Seconds after which the test has to be over."""
        return 420 + (self.minutes * 60 if self.minutes else self.cycles * 30)

    @property
    def long(self) -> bool:
        return bool(self.minutes) or self.cycles > 4

    def rounds(self) -> Iterator[int]:
        end = time.monotonic() + self.minutes * 60 if self.minutes else None
        number = 0
        while time.monotonic() < end if end else number < self.cycles:
            number += 1
            yield number


ROUNDS = (("web", "worker", "database", "worker"), ("another worker", "frozen worker", "wire", "worker"))
"""Each round is shuffled by itself, so that even a short siege includes the worst cases."""


async def batter(camp: Camp, plan: Plan) -> list[str]:
    """Break one thing after another. Returns a line about each."""
    lines = []
    victims = chain.from_iterable(camp.random.sample(names, len(names)) for names in cycle(ROUNDS))
    for number, victim in zip(plan.rounds(), victims, strict=False):
        await asyncio.sleep(camp.random.uniform(0.5, 1.5))
        begin = time.monotonic()
        name = await _strike(camp, victim)
        lines.append(f"{number}. {name}: away for {time.monotonic() - begin:.1f} s")
    return lines


async def _strike(camp: Camp, victim: str) -> str:
    match victim:
        case "web":
            return await _kill(camp, camp.random.choice(camp.webs))
        case "worker":
            return await _kill(camp, camp.random.choice(camp.workers[:2]))
        case "database":
            return await _kill(camp, camp.database)
        case "frozen worker":
            return await _freeze(camp, camp.random.choice(camp.workers[:2]))
        case "wire":
            return await _cut(camp)
        case _:
            return await _come_or_go(camp)


async def _kill(camp: Camp, program: Program) -> str:
    await program.kill()
    await asyncio.sleep(camp.random.uniform(0.2, 2))
    await program.start()
    return f"{program.name} killed and started"


async def _come_or_go(camp: Camp) -> str:
    """Let a third worker join, and stop it the next time."""
    if len(camp.workers) < 3:
        return f"{(await camp.join_worker()).name} joined"
    worker = camp.workers.pop()
    code = await worker.stop()
    assert code == 0, worker.log_text()[-2000:]
    return f"{worker.name} left"


async def _freeze(camp: Camp, worker: Program) -> str:
    """Freeze the worker until others have taken over its work, which it then believes to be its own."""
    worker.freeze()
    await asyncio.sleep(camp.random.uniform(LEASE, LEASE + 4))
    worker.thaw()
    return f"{worker.name} stood still"


async def _cut(camp: Camp) -> str:
    """Cut the connections to the database, which itself stays up."""
    is_swallowed = camp.random.random() < 0.5
    (camp.wire.swallow if is_swallowed else camp.wire.cut)()
    await asyncio.sleep(camp.random.uniform(0.5, 7))
    await camp.wire.mend()
    return "the wire to the database " + ("swallowed all" if is_swallowed else "was cut")
