"""One decision: from what was weighed, the mode and the policies to a code, a reason and whether it is let in."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from admission.context import Context, Identity
from admission.decide import decide, overdue
from admission.errors import DeadlineExceededError
from admission.manifest.reading import Reading, Surroundings, Unreadable
from schemas.decision import DecisionCode, Mode, Reason
from schemas.errors import (
    InvalidRequestError,
    ModelUnreadableError,
    QueueFullError,
    UnavailableError,
    UnknownGpuError,
    UnknownModelError,
    UnsupportedArchitectureError,
    WeighbridgeError,
)
from schemas.recommendation import ErrorAnswer, Recommendation

from .scales import SMALL, alternative, always, error, reading, recommendation

POD: Mapping[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
SHORTER = alternative({"workload": {"max_model_len": 4096}}, arguments=("--max-model-len 4096",))


def a_context(told: Recommendation | ErrorAnswer | Exception, mode: Mode = "enforce") -> Context:
    """One model server, and scales that tell ``told``; policies that let nothing in that is not known to fit."""
    return Context(
        read=reading("spec.containers[vllm]"), weigh=always(told), mode=mode, fail_open=False, allow_unknown=False
    )


FULL = QueueFullError("full", retry_after_seconds=5)

FOUND: list[tuple[Recommendation | ErrorAnswer | Exception, DecisionCode, Reason, str]] = [
    (recommendation("fits"), "fit", "Fits", "always"),
    (recommendation("tight"), "fit", "FitsTightly", "always"),
    (recommendation("does_not_fit", SHORTER), "fit_with_changes", "FitsWithChanges", "never"),
    (recommendation("does_not_fit"), "no_fit", "MemoryDoesNotFit", "never"),
    (recommendation("unsupported", SHORTER), "fit_with_changes", "FitsWithChanges", "never"),
    (recommendation("unsupported"), "no_fit", "NotSupported", "never"),
    (error(InvalidRequestError), "invalid", "InvalidRequest", "never"),
    (error(InvalidRequestError, "model.repo"), "unknown_model", "UnknownModel", "unknown"),
    (error(InvalidRequestError, "model.path"), "unknown_model", "UnknownModel", "unknown"),
    (error(UnknownModelError), "unknown_model", "UnknownModel", "unknown"),
    (error(UnsupportedArchitectureError), "unknown_model", "UnknownModel", "unknown"),
    (error(ModelUnreadableError), "unknown_model", "UnknownModel", "unknown"),
    (error(UnknownGpuError), "invalid", "UnknownGpu", "unknown"),
    (error(UnavailableError), "unavailable", "ServiceUnavailable", "open"),
    (error(WeighbridgeError), "unavailable", "ServiceUnavailable", "open"),
    (UnavailableError("away"), "unavailable", "ServiceUnavailable", "open"),
    (FULL, "unavailable", "ServiceUnavailable", "open"),
    (DeadlineExceededError("late"), "unavailable", "DeadlineExceeded", "open"),
]
"""What the scales tell, what follows, and which policy lets it in where the mode is enforce."""


@pytest.mark.parametrize(("told", "code", "reason", "policy"), FOUND)
def test_what_is_found_and_who_is_let_in(
    told: Recommendation | ErrorAnswer | Exception, code: DecisionCode, reason: Reason, policy: str
) -> None:
    """Only enforce refuses, and of what is not known to be wrong only what its policy does not let in."""
    context = a_context(told)
    strict = decide(POD, context)
    assert (strict.code, strict.reason) == (code, reason)
    assert strict.allowed == (policy == "always")
    assert decide(POD, replace(context, fail_open=True)).allowed == (policy in ("always", "open"))
    assert decide(POD, replace(context, allow_unknown=True)).allowed == (policy in ("always", "unknown"))
    assert decide(POD, replace(context, mode="warn")).allowed
    assert decide(POD, replace(context, mode="off")).allowed


UNREADABLE: list[tuple[DecisionCode, Reason, bool]] = [
    ("unknown_model", "ModelNotNamed", True),
    ("unknown_model", "ModelIsPath", True),
    ("unknown_model", "ReferenceNotAtHand", True),
    ("invalid", "GpuTypeNotNamed", True),
    ("invalid", "KindNotSupported", True),
    ("invalid", "ArgumentUnreadable", False),
    ("invalid", "InvalidObject", False),
]


@pytest.mark.parametrize(("code", "reason", "is_ours_not_to_know"), UNREADABLE)
def test_what_cannot_be_read(code: DecisionCode, reason: Reason, *, is_ours_not_to_know: bool) -> None:
    """What is not known here is let in where unknown models are; a fault of the object is not."""
    fault = Unreadable(container="spec.containers[a]", code=code, reason=reason, message="so", field="args")

    def read(object: Mapping[str, Any], surroundings: Surroundings) -> Reading:  # noqa: A002, ARG001 - as the real one
        return Reading(unreadable=[fault])

    context = replace(a_context(recommendation("fits")), read=read)
    decision = decide(POD, context)
    assert (decision.code, decision.reason, decision.allowed) == (code, reason, False)
    assert decision.containers[0].field == "args"
    assert decide(POD, replace(context, allow_unknown=True)).allowed is is_ours_not_to_know


def test_nothing_that_serves_a_model_is_none_of_our_business() -> None:
    """An object without a model server is let in, whatever the mode and the policies."""
    decision = decide(POD, replace(a_context(UnavailableError("away")), read=reading()))
    assert (decision.code, decision.reason, decision.allowed) == ("not_applicable", "NoModelServer", True)
    assert decision.versions is None


def test_the_message_has_need_usable_memory_and_the_smallest_change() -> None:
    """The figures are per GPU and in GiB; the change is in the engine's own words."""
    (found,) = decide(POD, a_context(recommendation("does_not_fit", SHORTER, needs=30, usable=20))).containers
    assert "needs 30.00 GiB of 20.00 GiB usable per GPU" in found.message
    assert "--max-model-len 4096" in found.message
    assert found.change is not None
    assert found.change.changes == {"workload": {"max_model_len": 4096}}


def test_a_bypass_lets_in_and_is_recorded_with_what_was_found() -> None:
    """The reason given stays, the code is still what was found."""
    context = replace(a_context(recommendation("does_not_fit")), read=reading("a", bypass="measured by hand"))
    decision = decide(POD, context)
    assert (decision.allowed, decision.reason, decision.code) == (True, "Bypassed", "no_fit")
    assert decision.bypass == "measured by hand"


def test_a_bypass_of_what_is_let_in_anyway_changes_nothing() -> None:
    """What fits is told to fit."""
    decision = decide(POD, replace(a_context(recommendation("fits")), read=reading("a", bypass="to be sure")))
    assert (decision.allowed, decision.reason, decision.bypass) == (True, "Fits", "to be sure")


def test_the_worst_container_decides() -> None:
    """Of three containers the one that does not fit is told of, and keeps out those that do."""
    answers = iter([recommendation("fits"), recommendation("does_not_fit"), recommendation("tight")])
    context = replace(a_context(recommendation("fits")), read=reading("a", "b", "c"), weigh=lambda _: next(answers))
    decision = decide(POD, context)
    assert (decision.code, decision.allowed) == ("no_fit", False)
    assert decision.message.startswith("b: ")
    assert [found.code for found in decision.containers] == ["fit", "no_fit", "fit"]


def test_what_is_let_in_by_policy_hides_no_obstacle() -> None:
    """An unavailable container that fail_open lets in does not let in one whose model is unknown."""
    told: list[Recommendation | ErrorAnswer] = [error(UnavailableError), error(UnknownModelError)]
    answers = iter(told)
    context = replace(
        a_context(recommendation("fits")), read=reading("a", "b"), weigh=lambda _: next(answers), fail_open=True
    )
    decision = decide(POD, context)
    assert (decision.allowed, decision.reason) == (False, "UnknownModel")


def test_nothing_is_weighed_after_the_deadline() -> None:
    """With no time left scales are not asked, and the reason says why."""
    asked: list[Mapping[str, Any]] = []

    def weigh(request: Mapping[str, Any]) -> Recommendation:
        asked.append(request)
        return recommendation("fits")

    decision = decide(POD, replace(a_context(recommendation("fits")), weigh=weigh, deadline_seconds=0.0))
    assert (decision.reason, asked) == ("DeadlineExceeded", [])


def test_overdue_is_decided_by_policy_and_bypass() -> None:
    """Where nothing could be weighed, fail_open lets in, and so does a bypass."""
    context, late = a_context(recommendation("fits")), DeadlineExceededError("late")
    found = context.read(POD, Surroundings())
    assert not overdue(POD, found, context, late).allowed
    assert overdue(POD, found, replace(context, fail_open=True), late).allowed
    assert overdue(POD, replace(found, bypass="now"), context, late).reason == "Bypassed"


def test_alternatives_are_asked_for_and_no_id_is_made_up() -> None:
    """Scales are given the request as it was read, and asked for a few alternatives."""
    asked: list[Mapping[str, Any]] = []

    def weigh(request: Mapping[str, Any]) -> Recommendation:
        asked.append(request)
        return recommendation("fits")

    decide(POD, replace(a_context(recommendation("fits")), weigh=weigh))
    assert {**asked[0], "alternatives": 0} == SMALL
    assert asked[0]["alternatives"] > 0


def test_the_id_is_the_same_for_the_same_question_alone() -> None:
    """Order of keys, times and managed fields do not change it; flavour, generation, rules and what is asked for do."""
    context = a_context(recommendation("fits"))
    named = decide(POD, context).decision_id
    noisy = {"metadata": {"managedFields": [1], "name": "a", "creationTimestamp": "now"}, "kind": "Pod"}
    assert decide({**noisy, "apiVersion": "v1", "status": {}}, context).decision_id == named
    known = Identity(uid="u", generation=2)
    others = [
        decide({**POD, "spec": {}}, context),
        decide(POD, replace(context, identity=Identity(flavor="h100"))),
        decide(POD, replace(context, identity=known)),
        decide(POD, replace(context, identity=replace(known, generation=3))),
        decide(POD, replace(context, versions=context.versions.model_copy(update={"rules": "others"}))),
        decide(POD, replace(context, versions=context.versions.model_copy(update={"catalog": "another"}))),
    ]
    assert len({named, *(each.decision_id for each in others)}) == 7
    assert decide({"kind": "Pod"}, replace(context, identity=known)).decision_id == others[2].decision_id
