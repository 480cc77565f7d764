"""The commands that are found in what a container runs."""

import pytest

from admission.manifest.commands import commands_of
from admission.manifest.environment import HIDDEN
from admission.manifest.errors import UnreadableError
from admission.manifest.starts import only_joins, starts_in


def words_of(*command: str, **environment: str | None) -> list[list[str]]:
    """The words of each command in ``command``."""
    return [list(each.words) for each in commands_of(command, environment)]


@pytest.mark.parametrize(
    ("script", "commands"),
    [
        ("a b && c; d | e", [["a", "b"], ["c"], ["d"], ["e"]]),
        ("a 'b c' \"d;e\"", [["a", "b c", "d;e"]]),
        ("a \\\n  b\nc", [["a", "b"], ["c"]]),
        ("a > /log 2>&1 & b 2>/dev/null", [["a"], ["b"]]),
        ("# a ; b\nc # d 'e'\nf", [["c"], ["f"]]),
        ("(a b)", [["a", "b"]]),
        ("X=1 a $X", [["a", "1"]]),
        ("X=1; export Y=$X; a ${Y}", [["a", "1"]]),
        ("a ${NO:-default} ${NO-other}", [["a", "default", "other"]]),
        ("ARGS='--b 1 --c'; a $ARGS", [["a", "--b", "1", "--c"]]),
        ("a $(b c) `d`", [["a", HIDDEN, HIDDEN]]),
        ('eval "a b ${NO:-c}"', [["a", "b", "c"]]),
        ("su - user -c 'a b'", [["a", "b"]]),
        ("bash -lc 'sh -c \"a b\"'", [["a", "b"]]),
    ],
)
def test_shell_is_taken_apart(script: str, commands: list[list[str]]) -> None:
    """Each simple command has the words that a shell would give it."""
    assert words_of("sh", "-c", script) == commands


def test_parameters_of_a_script_are_put_in_place() -> None:
    """``$@`` becomes the words after the script and the name it is called by."""
    assert words_of("bash", "-euo", "pipefail", "-c", 'exec a "$@"', "name", "b", "c d") == [["exec", "a", "b", "c d"]]


def test_hidden_variable_leaves_a_mark() -> None:
    """A value that is not at hand is told from one that is empty."""
    assert words_of("sh", "-c", "a $KEY $NO", KEY=None) == [["a", HIDDEN]]


def test_command_without_a_shell_is_left_alone() -> None:
    """Only a shell takes its words apart."""
    assert words_of("a", "b;c", "$X", X="1") == [["a", "b;c", "$X"]]


def test_script_with_an_open_quote_is_unreadable() -> None:
    """What no shell would run is said to be so."""
    with pytest.raises(UnreadableError) as error:
        words_of("sh", "-c", "vllm serve 'Qwen")
    assert error.value.reason == "ArgumentUnreadable"


@pytest.mark.parametrize(
    ("command", "engine"),
    [
        ("vllm serve m", "vllm"),
        ("/opt/venv/bin/vllm serve m", "vllm"),
        ("nohup numactl -N 0 python3 -u -m vllm.entrypoints.openai.api_server --model m", "vllm"),
        ("python3 -m dynamo.vllm --model m", "vllm"),
        ("python /sgl-workspace/sglang/launch_server.py --model-path m", "sglang"),
        ("mpirun -n 8 trtllm-llmapi-launch trtllm-serve m", "tensorrt-llm"),
        ("/app/llama-server -m m", "llama.cpp"),
        ("text-generation-launcher --model-id m", "text-generation-inference"),
        ("echo vllm serve m", None),
        ("vllm bench serve --model m", None),
        ("huggingface-cli download m", None),
        ("python train.py --model m", None),
    ],
)
def test_start_of_an_engine_is_found_behind_wrappers(command: str, engine: str | None) -> None:
    """It is the engine that the words start, or none."""
    starts = starts_in(commands_of(["sh", "-c", command], {}))
    assert [start.rows.engine for start in starts] == ([engine] if engine else [])


def test_workers_that_only_join_are_known() -> None:
    """A command that lends its GPUs to a server elsewhere is no server."""
    assert only_joins(commands_of(["ray", "start", "--address", "leader:6379"], {}))
    assert not only_joins(commands_of(["bash", "start.sh"], {}))
