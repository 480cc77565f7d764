"""Which of several controllers works."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from admission.kueue.cluster import Cluster
from admission.kueue.election import Election
from admission.kueue.kinds import LEASES

from .api_server import ApiServer, serving
from .running import until

NAMESPACE, NAME = "weighbridge", "weighbridge-kueue"


class Candidate:
    """One that stands for the lease, with periods a test can wait for, and tells when it works."""

    def __init__(self, cluster: Cluster, identity: str) -> None:
        self.works = False
        self.begun = 0
        self.election = Election(
            cluster=cluster,
            namespace=NAMESPACE,
            name=NAME,
            identity=identity,
            lease_seconds=4.0,
            renew_seconds=0.05,
            give_up_seconds=2.0,
        )

    async def _work(self) -> None:
        self.works, self.begun = True, self.begun + 1
        try:
            await asyncio.Event().wait()
        finally:
            self.works = False

    @asynccontextmanager
    async def standing(self) -> AsyncIterator[None]:
        """Stands for the block, and gives the lease back after it."""
        task = asyncio.ensure_future(self.election.lead(self._work))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def spec_of(server: ApiServer) -> dict[str, object]:
    """The lease as it stands."""
    spec = server.now(LEASES, NAME, NAMESPACE)["spec"]
    assert isinstance(spec, dict)
    return spec


def test_one_of_two_works_and_the_other_follows_it() -> None:
    """The second works as soon as the first gives the lease back, and never beside it."""

    async def scenario() -> None:
        async with serving() as (server, cluster):
            first, second = Candidate(cluster, "first"), Candidate(cluster, "second")
            async with first.standing():
                await until(lambda: first.works)
                async with second.standing():
                    await asyncio.sleep(0.3)
                    assert (first.works, second.works) == (True, False)
                    assert spec_of(server)["holderIdentity"] == "first"

    asyncio.run(scenario())


def test_lease_that_is_given_back_is_taken_at_once() -> None:
    """Nobody waits for a lease to run out whose holder was told to stop."""

    async def scenario() -> None:
        async with serving() as (server, cluster):
            first, second = Candidate(cluster, "first"), Candidate(cluster, "second")
            async with first.standing():
                await until(lambda: first.works)
            assert "holderIdentity" not in spec_of(server)
            async with second.standing():
                await until(lambda: second.works)
                assert spec_of(server)["leaseTransitions"] == 1

    asyncio.run(scenario())


def test_lease_of_one_that_vanished_runs_out() -> None:
    """A holder that no longer renews is followed after as long as its lease lasts, whatever its clock said."""

    async def scenario() -> None:
        async with serving() as (server, cluster):
            vanished = {"holderIdentity": "gone", "leaseDurationSeconds": 1, "renewTime": "2099-01-01T00:00:00.000000Z"}
            server.add(LEASES, {"metadata": {"name": NAME, "namespace": NAMESPACE}, "spec": vanished})
            second = Candidate(cluster, "second")
            async with second.standing():
                await asyncio.sleep(0.5)
                assert not second.works
                await until(lambda: second.works)

    asyncio.run(scenario())


def test_holder_that_lost_the_lease_stops() -> None:
    """Work ends when another holds the lease, and begins again when it is had again."""

    async def scenario() -> None:
        async with serving() as (server, cluster):
            first = Candidate(cluster, "first")
            async with first.standing():
                await until(lambda: first.works)
                await server.write(LEASES, NAME, {"spec": {"holderIdentity": "thief"}}, NAMESPACE)
                await until(lambda: not first.works)
                await until(lambda: first.works)
                assert first.begun == 2

    asyncio.run(scenario())


def test_holder_that_cannot_renew_stops_before_another_may_begin() -> None:
    """A cluster that is away for longer than the lease lasts has nobody working at its end."""

    async def scenario() -> None:
        async with serving() as (server, cluster):
            first = Candidate(cluster, "first")
            async with first.standing():
                await until(lambda: first.works)
                server.away = True
                began = asyncio.get_running_loop().time()
                await until(lambda: not first.works)
                assert asyncio.get_running_loop().time() - began < 4.0
                server.away = False
                await until(lambda: first.works)

    asyncio.run(scenario())
