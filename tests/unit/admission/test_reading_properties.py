"""What holds of reading whatever an object says."""

import copy
import shlex
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from admission.manifest.engine_rows import load_engines
from admission.manifest.read import read
from admission.manifest.reading import Reading, Surroundings
from schemas.parse import parse_request

from .corpus import NAMES, manifest

MODELS = ("Qwen/Qwen3-8B", "meta-llama/Llama-3.1-8B-Instruct", "nobody/nothing", "/models/here", "s3://bucket/a/b")
SPELLINGS = sorted(
    {spelling for rows in load_engines() for spelling in (*rows.by_spelling, *rows.model_flags, *rows.config_flags)}
)
VALUES = ("1", "2", "8", "0", "-1", "8k", "0.9", "fp8", "auto", "true", "{}", '{"method": "mtp"}', "", "$X", "$(X)")

words = st.lists(
    st.sampled_from(SPELLINGS)
    | st.sampled_from(SPELLINGS).map(lambda flag: flag.replace("-", "_").replace("__", "--", 1))
    | st.builds("{}={}".format, st.sampled_from(SPELLINGS), st.sampled_from((*VALUES, *MODELS)))
    | st.sampled_from(VALUES)
    | st.sampled_from(MODELS)
    | st.text(max_size=12),
    max_size=14,
)
starts = st.sampled_from([list(row.words) for rows in load_engines() for row in rows.starts])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


def pod(command: list[str]) -> Mapping[str, Any]:
    """A pod with one GPU that runs ``command``."""
    container = {"name": "c", "command": command, "resources": {"limits": {"nvidia.com/gpu": 1}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "spec": {"nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-L4"}, "containers": [container]},
    }


def models_of(reading: Reading) -> list[str]:
    """Every model that the requests of ``reading`` name, drafts included."""
    named = []
    for server in reading.servers:
        draft = server.request.get("speculative", {}).get("draft_model", {})
        named += [each[key] for each in (server.request["model"], draft) for key in ("name", "repo") if key in each]
    return named


@given(start=starts, arguments=words)
def test_any_arguments_are_read_and_no_model_is_made_up(start: list[str], arguments: list[str]) -> None:
    """Nothing is raised, requests are requests, and a model that is named stands among the words."""
    reading = read(pod([*start, *arguments]), Surroundings())
    for server in reading.servers:
        parse_request(dict(server.request))
    for model in models_of(reading):
        assert any(model in word for word in arguments)
    assert len(reading.servers) + len(reading.unreadable) == 1


@given(start=starts, arguments=words)
def test_a_shell_around_a_command_changes_nothing(start: list[str], arguments: list[str]) -> None:
    """What is read of ``sh -c`` and the quoted words is what is read of the words."""
    plain = [word.replace("$", "").replace("`", "") for word in (*start, *arguments)]
    direct = read(pod(plain), Surroundings())
    wrapped = read(pod(["sh", "-c", "exec " + shlex.join(plain)]), Surroundings())
    assert [each.request for each in wrapped.servers] == [each.request for each in direct.servers]


@given(script=st.text(max_size=60) | words.map(" ".join))
def test_any_script_is_read(script: str) -> None:
    """Nothing is raised, whatever a shell is given."""
    read(pod(["bash", "-c", f"vllm serve Qwen/Qwen3-8B {script}"]), Surroundings())


@given(value=json_values)
def test_any_value_is_read_as_an_object(value: Any) -> None:  # noqa: ANN401 - of any type
    """Nothing is raised, whatever is no object."""
    read(value, Surroundings(objects=[value]))


@given(
    name=st.sampled_from(NAMES),
    path=st.lists(st.integers(0, 5), min_size=1, max_size=12),
    put=json_values | st.sampled_from([*VALUES, *MODELS]),
)
def test_any_part_of_a_manifest_may_be_wrong(name: str, path: list[int], put: Any) -> None:  # noqa: ANN401 - as above
    """Nothing is raised with some value at some place of a manifest, and requests are requests."""
    original, surroundings = manifest(name)
    objects = [copy.deepcopy(each) for each in (original, *surroundings.objects)]
    place: Any = objects
    for step in path:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            break
        key = keys[step % len(keys)]
        if step == path[-1] or not isinstance(place[key], dict | list) or not place[key]:
            place[key] = put
            break
        place = place[key]
    reading = read(objects[0], Surroundings(objects=objects[1:], gpu="L4"))
    for server in reading.servers:
        parse_request(dict(server.request))


def growing(rounds: int) -> list[dict[str, str]]:
    """Variables of which each holds the one before ten times."""
    names = [f"V{number}" for number in range(rounds)]
    first = {"name": names[0], "value": "x" * 10}
    return [first, *({"name": new, "value": f"$({old})" * 10} for old, new in pairwise(names))]


def test_variables_that_hold_each_other_end() -> None:
    """They are said to be too long before they fill the memory."""
    command = pod(["vllm", "serve", "$(V30)"])
    command["spec"]["containers"][0]["env"] = growing(31)
    (found,) = read(command, Surroundings()).unreadable
    assert found.reason == "ArgumentUnreadable"


def test_script_without_end_is_not_read() -> None:
    """A cluster waits for the answer, and gets one at once."""
    (found,) = read(pod(["sh", "-c", "vllm serve x; " * 10_000]), Surroundings()).unreadable
    assert found.reason == "ArgumentUnreadable"


def test_file_of_aliases_is_not_followed() -> None:
    """YAML that means more than it says is refused by its bounds."""
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12))
    data = {"serve.yaml": f"l0: &l0 [x]\n{levels}\nmodel: Qwen/Qwen3-8B\n"}
    config_map = {"kind": "ConfigMap", "metadata": {"name": "m"}, "data": data}
    command = pod(["vllm", "serve", "--config", "/v/serve.yaml"])
    command["spec"]["volumes"] = [{"name": "v", "configMap": {"name": "m"}}]
    command["spec"]["containers"][0]["volumeMounts"] = [{"name": "v", "mountPath": "/v"}]
    (found,) = read(command, Surroundings(objects=[config_map])).unreadable
    assert found.reason == "ArgumentUnreadable"
