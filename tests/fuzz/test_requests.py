"""Whatever is asked, the answer is one of ours; WEIGHBRIDGE_TEST_FUZZ_REQUESTS says how many are asked."""

import os
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.parse import parse_request

from .mutation import VALUES, arbitrary_json, mutated_request, valid_request
from .properties import checked

REQUESTS = int(os.environ.get("WEIGHBRIDGE_TEST_FUZZ_REQUESTS", "300"))

fuzzing = settings(max_examples=REQUESTS, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
# A hang is a failure; a slow machine is none.
hanging = pytest.mark.timeout(300 + REQUESTS)
randoms = st.randoms(use_true_random=False)


@hanging
@fuzzing
@given(randoms)
def test_a_request_with_something_wrong_is_answered(random: Random) -> None:
    """A valid request with one to three values replaced is answered, or refused with a stable code, the same twice."""
    checked(mutated_request(random))


@hanging
@fuzzing
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.text(max_size=12) | st.sampled_from(("model", "config", "hardware")), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
    | randoms.map(arbitrary_json)
)
def test_any_json_is_answered(value: object) -> None:
    """Whatever JSON is sent is answered, or refused with a stable code, the same twice."""
    checked(value)


@hanging
@settings(max_examples=max(REQUESTS // 10, 10))
@given(randoms)
def test_what_is_mutated_is_valid(random: Random) -> None:
    """Before something is made wrong in them, requests obey the contract, so that mutations reach the arithmetic."""
    parse_request(valid_request(random))


@pytest.mark.parametrize("value", VALUES, ids=[f"{place}" for place in range(len(VALUES))])
def test_each_value_alone_is_refused(value: object) -> None:
    """A value in place of a request, of its model or of its config is refused."""
    for request in (value, {"model": value}, {"model": {"config": value}}, {"model": {"config": {"a": value}}}):
        assert checked(request).code != "ok"
