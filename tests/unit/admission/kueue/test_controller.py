"""The controller against an API server in process: every way that a round of admission can go."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from admission.kueue.cluster import Cluster
from admission.kueue.kinds import PARAMETERS, KueueKinds
from admission.kueue.parameters import Parameters
from schemas.decision import Decision, DecisionCode
from schemas.errors import QueueFullError, UnavailableError

from .api_server import CONFLICT, KINDS, ApiServer, serving
from .objects import (
    CHECK,
    NAMESPACE,
    Scripted,
    a_check,
    a_decision,
    a_flavor,
    a_template,
    a_workload,
    assigned,
    condition,
    pending,
)
from .running import controller, settled, until

Scenario = Callable[[ApiServer, Cluster], Awaitable[None]]


def played(scenario: Scenario, version: str = "v1beta2") -> None:
    """Plays a scenario on a cluster with our check in Kueue's kinds of ``version``."""

    async def play() -> None:
        async with serving(version) as (server, cluster):
            server.add(KueueKinds.of(version).checks, a_check())
            await scenario(server, cluster)

    asyncio.run(play())


def entry_of(server: ApiServer, name: str, check: str = CHECK) -> dict[str, Any]:
    """The check of a workload as it stands."""
    workload = server.now(KINDS.workloads, name, NAMESPACE)
    (entry,) = (each for each in workload["status"]["admissionChecks"] if each["name"] == check)
    assert isinstance(entry, dict)
    return entry


def writes(server: ApiServer) -> int:
    """How often the status of a workload was written by the controller."""
    return sum(plural == "workloads" for plural, _ in server.written)


@pytest.mark.parametrize(
    ("code", "allowed", "state"),
    [
        ("fit", True, "Ready"),
        ("fit_with_changes", True, "Ready"),
        ("fit_with_changes", False, "Rejected"),
        ("no_fit", True, "Ready"),
        ("no_fit", False, "Rejected"),
        ("unknown_model", True, "Ready"),
        ("unknown_model", False, "Rejected"),
        ("invalid", False, "Rejected"),
        ("not_applicable", True, "Ready"),
        ("unavailable", True, "Retry"),
        ("unavailable", False, "Retry"),
    ],
)
def test_each_decision_has_its_state(code: DecisionCode, allowed: bool, state: str) -> None:  # noqa: FBT001 - a case
    """Rejected is for what was found and is not let in; what nobody could weigh comes again, whatever the policy."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        server.add(KINDS.workloads, a_workload("one"))
        async with controller(cluster, Scripted(lambda _: a_decision(code, allowed=allowed))) as running:
            await until(lambda: writes(server))
            await settled(running)
        entry = entry_of(server, "one")
        assert (entry["state"], writes(server)) == (state, 1)
        assert f"it is {code}" in entry["message"]
        assert entry.get("requeueAfterSeconds") == (30 if state == "Retry" else None)

    played(scenario)


def test_nothing_is_weighed_where_the_mode_is_off() -> None:
    """A check that is off holds nobody up, even while nobody could weigh."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        server.add(KINDS.workloads, a_workload("one"))
        decide = Scripted(lambda _: a_decision("unavailable"))
        async with controller(cluster, decide, default=Parameters(mode="off", annotate=True)):
            await until(lambda: writes(server))
        assert entry_of(server, "one")["state"] == "Ready"
        assert not decide.asked

    played(scenario)


def test_bypass_lets_in_what_nobody_could_weigh() -> None:
    """Whoever asks to be let in whatever is found does not wait for a service that is away."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        server.add(KINDS.workloads, a_workload("one"))
        async with controller(cluster, Scripted(lambda _: a_decision("unavailable", bypass="a trial run"))):
            await until(lambda: writes(server))
        entry = entry_of(server, "one")
        assert entry["state"] == "Ready"
        assert "a trial run" in entry["message"]

    played(scenario)


@pytest.mark.parametrize(
    "error",
    [UnavailableError("no worker answered"), QueueFullError("full", retry_after_seconds=5), RuntimeError("a fault")],
)
def test_whatever_keeps_from_deciding_is_retried(error: Exception) -> None:
    """No error of the service, foreseen or not, is ever answered with Rejected or left pending."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        def fails(_: str) -> Decision:
            raise error

        server.add(KINDS.workloads, a_workload("one"))
        async with controller(cluster, Scripted(fails)):
            await until(lambda: writes(server))
        assert entry_of(server, "one")["state"] == "Retry"

    played(scenario)


def test_retries_wait_longer_each_time() -> None:
    """30, 60, 120 and again 120 seconds, by Kueue's own count, which is kept."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        waited: list[int] = []
        async with controller(cluster, Scripted(lambda _: a_decision("unavailable"))):
            for count in range(4):
                more: dict[str, Any] = {"retryCount": count} if count else {}
                name = f"w{count}"
                await server.arrive(KINDS.workloads, a_workload(name, checks=[pending(**more)]))
                await until(lambda: writes(server) == len(waited) + 1)
                waited.append(entry_of(server, name)["requeueAfterSeconds"])
                assert entry_of(server, name).get("retryCount", 0) == count
        assert waited == [30, 60, 120, 120]

    played(scenario)


def test_workloads_that_do_not_ask_are_left_alone() -> None:
    """Without quota, deactivated, evicted, finished, of another controller, or answered: none is decided on."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        others = {name: a_workload(name) for name in ("no-quota", "off", "evicted", "finished", "going")}
        others["no-quota"]["status"]["conditions"] = []
        others["off"]["spec"]["active"] = False
        others["evicted"]["status"]["conditions"].append(condition("Evicted"))
        others["finished"]["status"]["conditions"].append(condition("Finished"))
        others["going"]["metadata"]["deletionTimestamp"] = "2026-08-01T10:00:01Z"
        others["another"] = a_workload("another", checks=[pending("provision")])
        others["answered"] = a_workload("answered", checks=[{**pending(), "state": "Ready"}])
        server.add(KINDS.checks, a_check("provision", controller="example.com/other"))
        for workload in others.values():
            server.add(KINDS.workloads, workload)
        decide = Scripted()
        async with controller(cluster, decide) as running:
            await server.arrive(KINDS.workloads, a_workload("asks"))
            await until(lambda: writes(server))
            await settled(running)
        assert decide.names == ["asks"]
        assert writes(server) == 1

    played(scenario)


def test_other_checks_stay_as_they_are() -> None:
    """An answer changes one entry of the list; another controller's is written back as it was read."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        update = {"name": "main", "annotations": {"example.com/slice": "7"}}
        provision = {**pending("provision"), "state": "Ready", "message": "there", "podSetUpdates": [update]}
        server.add(KINDS.workloads, a_workload("one", checks=[provision, pending()]))
        async with controller(cluster, Scripted()):
            await until(lambda: writes(server))
        first, second = server.now(KINDS.workloads, "one", NAMESPACE)["status"]["admissionChecks"]
        assert first == provision
        assert (second["name"], second["state"]) == (CHECK, "Ready")

    played(scenario)


def test_conflict_is_read_again_and_answered_once() -> None:
    """A write that another came before is made again with what is there now, without deciding anew."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        server.add(KINDS.workloads, a_workload("one"))
        meddled: list[int] = []

        def meddle(_: object) -> None:
            if len(meddled) < 3:
                meddled.append(1)
                change = {"metadata": {"labels": {"round": str(len(meddled))}}}
                server.forget_to_tell(KINDS.workloads, "one", change, NAMESPACE)

        server.before = meddle
        decide = Scripted()
        async with controller(cluster, decide) as running:
            await until(lambda: entry_of(server, "one")["state"] == "Ready")
            await settled(running)
        assert server.refused == 3
        assert (decide.names, writes(server)) == (["one"], 1)

    played(scenario)


def test_conflicts_without_end_put_the_workload_off() -> None:
    """A workload that is always written by others is tried again later, and the others are answered meanwhile."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        refusals: list[int] = []

        def refuse(body: dict[str, Any]) -> int | None:
            told = body["status"]["admissionChecks"][0]["message"]
            if "busy" in told and len(refusals) < 20:
                refusals.append(1)
                return CONFLICT
            return None

        server.before = refuse
        decide = Scripted(lambda name: a_decision().model_copy(update={"message": name}))
        server.add(KINDS.workloads, a_workload("busy"))
        server.add(KINDS.workloads, a_workload("other"))
        async with controller(cluster, decide, concurrency=1):
            await until(lambda: entry_of(server, "other")["state"] == "Ready")
            assert entry_of(server, "busy")["state"] == "Pending"
            await until(lambda: entry_of(server, "busy")["state"] == "Ready")
        assert len(refusals) == 20

    played(scenario)


async def _answer_late(
    server: ApiServer, cluster: Cluster, decide: Scripted, meanwhile: dict[str, Any], changed: Callable[[], bool]
) -> None:
    """Changes the workload ``one`` while its first question is being decided, and lets the answer come after."""
    decide.gate = threading.Event()
    server.add(KINDS.workloads, a_workload("one"))
    async with controller(cluster, decide) as running:
        await until(lambda: decide.asked)
        await server.write(KINDS.workloads, "one", meanwhile, NAMESPACE)
        gate, decide.gate = decide.gate, None
        gate.set()
        await until(changed)
        await settled(running)


def test_late_answer_after_eviction_is_dropped() -> None:
    """What comes after the workload lost its quota is written nowhere."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        decide = Scripted(lambda _: a_decision("no_fit", allowed=False))
        evicted = {"status": {"conditions": [condition("QuotaReserved", "False"), condition("Evicted")]}}
        await _answer_late(server, cluster, decide, evicted, lambda: bool(decide.asked))
        assert (len(decide.asked), writes(server)) == (1, 0)
        assert entry_of(server, "one")["state"] == "Pending"

    played(scenario)


def test_late_answer_after_deactivation_is_dropped() -> None:
    """A workload that its owner took back is not answered."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        decide = Scripted()
        await _answer_late(server, cluster, decide, {"spec": {"active": False}}, lambda: bool(decide.asked))
        assert (len(decide.asked), writes(server)) == (1, 0)

    played(scenario)


def test_flavour_change_is_another_question() -> None:
    """The answer for the flavour before is dropped, and the workload is decided on with the one it has now."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        answers = iter([a_decision("no_fit", allowed=False), a_decision("fit")])
        decide = Scripted(lambda _: next(answers))
        server.add(KINDS.flavors, a_flavor("l40s", {"nvidia.com/gpu.product": "NVIDIA-L40S"}))
        server.add(KINDS.flavors, a_flavor("h100", {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}))
        changed = {"status": {"admission": {"clusterQueue": "gpus", "podSetAssignments": [assigned("h100")]}}}
        await _answer_late(server, cluster, decide, changed, lambda: writes(server) > 0)
        assert entry_of(server, "one")["state"] == "Ready"
        assert writes(server) == 1
        selectors = [
            value["spec"]["podSets"][0]["template"]["spec"]["nodeSelector"]["nvidia.com/gpu.product"]
            for value, *_ in decide.asked
        ]
        assert selectors == ["NVIDIA-L40S", "NVIDIA-H100-80GB-HBM3"]
        assert len({identity.flavor for _, _, identity, _ in decide.asked}) == 2

    played(scenario)


def test_new_generation_is_another_question() -> None:
    """A workload whose pods were changed meanwhile is decided on as it is now."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        decide = Scripted()
        pod_sets = [{"name": "main", "count": 1, "template": a_template("--max-model-len", "4096")}]
        changed = {"metadata": {"generation": 2}, "spec": {"podSets": pod_sets}}
        await _answer_late(server, cluster, decide, changed, lambda: writes(server) > 0)
        assert [identity.generation for _, _, identity, _ in decide.asked] == [1, 2]
        assert writes(server) == 1

    played(scenario)


def test_same_name_with_another_uid_is_another_workload() -> None:
    """A workload that was deleted and made anew does not get the answer to the one before."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        decide = Scripted()
        await _answer_late(server, cluster, decide, {"metadata": {"uid": "uid-anew"}}, lambda: writes(server) > 0)
        assert [identity.uid for _, _, identity, _ in decide.asked] == ["uid-one", "uid-anew"]
        assert writes(server) == 1

    played(scenario)


def test_replayed_events_decide_nothing_twice() -> None:
    """The same event again, before or after the answer, is neither decided on nor written again."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        decide = Scripted()
        server.add(KINDS.workloads, a_workload("one"))
        seen = {"type": "MODIFIED", "object": server.now(KINDS.workloads, "one", NAMESPACE)}
        async with controller(cluster, decide) as running:
            for _ in range(5):
                await server._tell(KINDS.workloads, seen)
            await until(lambda: writes(server))
            for _ in range(5):
                await server._tell(KINDS.workloads, seen)
            await settled(running)
        assert (decide.names, writes(server)) == (["one"], 1)

    played(scenario)


def test_lost_watch_is_listed_anew() -> None:
    """After 410 Gone, what no watch told of is found by listing, and what was answered stays answered."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        decide = Scripted()
        server.add(KINDS.workloads, a_workload("early"))
        async with controller(cluster, decide) as running:
            await until(lambda: writes(server) == 1)
            server.add(KINDS.workloads, a_workload("missed"))
            await server.lose_watches(KINDS.workloads)
            await until(lambda: writes(server) == 2)
            await server.arrive(KINDS.workloads, a_workload("later"))
            await until(lambda: writes(server) == 3)
            await settled(running)
        assert decide.names == ["early", "missed", "later"]

    played(scenario)


def test_restart_asks_again_under_the_same_identity() -> None:
    """A controller that ends while one is weighed leaves it pending; the next asks the same by the same name."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        before, after = Scripted(), Scripted()
        before.gate = threading.Event()
        server.add(KINDS.workloads, a_workload("one"))
        async with controller(cluster, before):
            await until(lambda: before.asked)
        before.gate.set()
        assert entry_of(server, "one")["state"] == "Pending"
        async with controller(cluster, after) as running:
            await until(lambda: writes(server))
            await settled(running)
        assert [asked[2] for asked in before.asked] == [asked[2] for asked in after.asked]
        assert writes(server) == 1
        async with controller(cluster, after) as running:
            await settled(running)
        assert (len(after.asked), writes(server)) == (1, 1)

    played(scenario)


def test_a_round_after_a_retry_has_a_name_of_its_own() -> None:
    """What was answered with an error is asked anew once Kueue tries again, not found among what was answered."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        decide = Scripted(lambda _: a_decision("unavailable"))
        server.add(KINDS.workloads, a_workload("one"))
        async with controller(cluster, decide):
            await until(lambda: writes(server) == 1)
            again = {"status": {"admissionChecks": [pending(retryCount=1)]}}
            await server.write(KINDS.workloads, "one", again, NAMESPACE)
            await until(lambda: writes(server) == 2)
        first, second = (identity for _, _, identity, _ in decide.asked)
        assert first != second

    played(scenario)


def test_five_hundred_at_once_are_each_decided_once() -> None:
    """However many come together, each is decided on once and written once, a few at a time."""
    count, at_a_time = 500, 8
    running_now, most = 0, 0
    lock = threading.Lock()

    def answer(_: str) -> Decision:
        nonlocal running_now, most
        with lock:
            running_now += 1
            most = max(most, running_now)
        threading.Event().wait(0.001)
        with lock:
            running_now -= 1
        return a_decision()

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        names = [f"w{number}" for number in range(count)]
        for name in names[: count // 2]:
            server.add(KINDS.workloads, a_workload(name))
        decide = Scripted(answer)
        async with controller(cluster, decide, concurrency=at_a_time) as running:
            for name in names[count // 2 :]:
                await server.arrive(KINDS.workloads, a_workload(name))
            await until(lambda: writes(server) >= count)
            await settled(running)
        assert sorted(decide.names) == sorted(names)
        assert writes(server) == count
        assert server.refused == 0
        assert {entry_of(server, name)["state"] for name in names} == {"Ready"}
        assert 1 < most <= at_a_time

    played(scenario)


def test_older_kueue_is_served_too() -> None:
    """A cluster that has v1beta1 alone is found out and answered in it."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        kinds = await KueueKinds.served(cluster)
        assert kinds == KueueKinds.of("v1beta1")
        server.add(kinds.workloads, a_workload("one"))
        async with controller(cluster, Scripted(), kinds=kinds):
            await until(lambda: writes(server))
        (entry,) = server.now(kinds.workloads, "one", NAMESPACE)["status"]["admissionChecks"]
        assert entry["state"] == "Ready"

    played(scenario, "v1beta1")


def test_pods_are_annotated_where_it_is_asked() -> None:
    """Ready brings what was decided and recommended; a key that the pods or another check have is left out."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        taken = {"weighbridge.dev/decision": "mine"}
        other = {"name": "main", "annotations": {"weighbridge.dev/decision-id": "theirs"}}
        workload = a_workload(
            "one", checks=[{**pending("other"), "state": "Ready", "podSetUpdates": [other]}, pending()]
        )
        workload["spec"]["podSets"][0]["template"] = a_template(annotations=taken)
        server.add(KINDS.workloads, workload)
        server.add(KINDS.workloads, a_workload("two"))
        told = Parameters(mode="warn", annotate=True)
        async with controller(cluster, Scripted(lambda _: a_decision("fit_with_changes")), default=told):
            await until(lambda: writes(server) == 2)
        recommended = {"weighbridge.dev/recommended-arguments": "--max-model-len 8192"}
        assert entry_of(server, "one")["podSetUpdates"] == [{"name": "main", "annotations": recommended}]
        every = {"weighbridge.dev/decision": "fit_with_changes", "weighbridge.dev/decision-id": "d" * 64, **recommended}
        assert entry_of(server, "two")["podSetUpdates"] == [{"name": "main", "annotations": every}]

    played(scenario)


def test_check_becomes_active_and_says_since_when() -> None:
    """Ours is told to be served, once; another controller's is not touched."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        server.add(KINDS.checks, a_check("other", controller="example.com/other"))
        async with controller(cluster, Scripted()) as running:
            await until(lambda: server.written)
            await settled(running)
        async with controller(cluster, Scripted()) as running:
            await settled(running)
        assert [plural for plural, _ in server.written] == ["admissionchecks"]
        (active,) = server.now(KINDS.checks, CHECK)["status"]["conditions"]
        assert (active["type"], active["status"], active["observedGeneration"]) == ("Active", "True", 1)
        assert "status" not in server.now(KINDS.checks, "other")

    played(scenario)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (None, "ParametersNotFound"),
        ({"mode": "strict"}, "ParametersInvalid"),
        ({"annotate": "yes"}, "ParametersInvalid"),
        ({"enforce": True}, "ParametersInvalid"),
    ],
)
def test_wrong_parameters_make_a_check_inactive(spec: dict[str, Any] | None, reason: str) -> None:
    """A check whose parameters cannot be used says why and answers nobody, until they are put right."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        server.add(KINDS.checks, a_check("told", parameters="strict"))
        if spec is not None:
            server.add(PARAMETERS, {"metadata": {"name": "strict"}, "spec": spec})
        server.add(KINDS.workloads, a_workload("one", checks=[pending("told")]))
        decide = Scripted()

        def active() -> dict[str, Any]:
            (found,) = (server.now(KINDS.checks, "told").get("status") or {}).get("conditions") or [{}]
            assert isinstance(found, dict)
            return found

        async with controller(cluster, decide) as running:
            await until(lambda: active().get("status") == "False")
            await settled(running)
            assert active()["reason"] == reason
            assert not decide.asked
            right: dict[str, Any] = {"metadata": {"name": "strict"}, "spec": {"mode": "enforce", "annotate": True}}
            if spec is None:
                await server.arrive(PARAMETERS, right)
            else:
                wrong = dict.fromkeys(spec)
                await server.write(PARAMETERS, "strict", {"spec": {**wrong, **right["spec"]}})
            await until(lambda: active()["status"] == "True")
            await until(lambda: writes(server))
        assert decide.asked[0][3] == "enforce"

    played(scenario)


def test_parameters_of_another_kind_are_refused() -> None:
    """Only our own kind of object can be named as parameters."""

    async def scenario(server: ApiServer, cluster: Cluster) -> None:
        other = a_check("told", parameters="x")
        other["spec"]["parameters"]["kind"] = "ConfigMap"
        server.add(KINDS.checks, other)
        async with controller(cluster, Scripted()):
            await until(lambda: "status" in server.now(KINDS.checks, "told"))
        (active,) = server.now(KINDS.checks, "told")["status"]["conditions"]
        assert (active["status"], active["reason"]) == ("False", "ParametersOfAnotherKind")

    played(scenario)
