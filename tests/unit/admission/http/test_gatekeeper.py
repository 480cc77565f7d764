"""Gatekeeper's external data: keys, values, and what is whose fault."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.http.gatekeeper_keys import FIELDS, parse_key
from schemas.errors import InvalidRequestError, UnavailableError
from schemas.recommendation import Recommendation

from ..scales import alternative, recommendation
from .doors import a_door, ask

KEY = "model=Qwen/Qwen3-8B;tp=2;len=8192;kv=fp8;gpu=H100 SXM5 80GB"


def a_call(*keys: str) -> dict[str, Any]:
    """A ProviderRequest."""
    version = "externaldata.gatekeeper.sh/v1beta1"
    return {"apiVersion": version, "kind": "ProviderRequest", "request": {"keys": list(keys)}}


def test_a_key_spells_a_request() -> None:
    """Each part is a field of the contract, in the kind that it has there."""
    assert parse_key(KEY) == {
        "model": {"name": "Qwen/Qwen3-8B"},
        "parallelism": {"tensor_parallel_size": 2},
        "workload": {"max_model_len": 8192},
        "kv_cache_dtype": "fp8",
        "hardware": {"gpu": "H100 SXM5 80GB"},
    }


@pytest.mark.parametrize(
    "key", ["", "tp=2", "model", "model=a;model=b;gpu=x", "tp=two;gpu=x", "size=1;gpu=x", "a" * 2000]
)
def test_a_key_that_spells_none_says_so(key: str) -> None:
    """What is missing, unknown, said twice, no number or too long is refused."""
    with pytest.raises(InvalidRequestError):
        parse_key(key)


@given(st.text(max_size=60) | st.lists(st.sampled_from([*FIELDS]), max_size=4).map("=1;".join))
def test_no_key_ends_in_anything_else(key: str) -> None:
    """Any text is a request or an InvalidRequestError."""
    try:
        parse_key(key)
    except InvalidRequestError:
        return
    assert "gpu" in key


def test_each_key_has_its_verdict_or_its_error() -> None:
    """One bad key spoils no other; nothing about them is a system error."""
    answered = ask(a_door(), "/gatekeeper", a_call("tp=x", f"{KEY};count=2", "model=no/such;gpu=T4")).json
    assert (answered["apiVersion"], answered["kind"]) == (a_call()["apiVersion"], "ProviderResponse")
    assert set(answered["response"]) == {"idempotent", "items"}
    bad, good, unknown = answered["response"]["items"]
    assert (bad["key"], set(bad)) == ("tp=x", {"key", "error"})
    assert (good["value"]["fits"], good["value"]["code"]) == (True, "fit")
    assert "UnknownModel" in unknown["error"]


def test_a_value_names_the_arguments_of_the_smallest_change() -> None:
    """Where it would start otherwise, the engine's arguments are told."""
    told = recommendation(
        "does_not_fit", alternative({"workload": {"max_model_len": 1}}, arguments=("--max-model-len 1",))
    )
    (item,) = ask(a_door(weigh=lambda _: told), "/gatekeeper", a_call(KEY)).json["response"]["items"]
    assert (item["value"]["fits"], item["value"]["arguments"]) == (False, ["--max-model-len 1"])


def test_an_outage_is_a_system_error() -> None:
    """Gatekeeper then does what its policy says of providers that fail."""

    def away(request: object) -> Recommendation:
        del request
        raise UnavailableError("away")

    answered = ask(a_door(weigh=away), "/gatekeeper", a_call(KEY)).json["response"]
    assert answered == {"idempotent": True, "systemError": "away"}


@pytest.mark.parametrize("body", [b"{", {"kind": "ProviderRequest"}, a_call() | {"kind": "Pod"}])
def test_what_is_no_provider_request_is_an_error(body: object) -> None:
    """With 400 and what is wrong with it."""
    assert ask(a_door(), "/gatekeeper", body).status == 400
