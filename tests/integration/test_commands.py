"""``weighbridge worker``, ``submit`` and ``results`` as a person runs them, without a configured server."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rules import recommend
from worker.embedded import find_running
from worker.settings import Settings

from .conftest import a_request, assert_gone
from .polling import eventually

COMMAND = [sys.executable, "-c", "from cli.main import main; main()"]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment without a configured server, with a home folder of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEIGHBRIDGE_REDIS_")}
    return {
        **kept,
        "WEIGHBRIDGE_HOME": str(tmp_path_factory.mktemp("home")),
        "WEIGHBRIDGE_SOFT_SHUTDOWN_SECONDS": "1",
        "WEIGHBRIDGE_CONCURRENCY": "2",
        "WEIGHBRIDGE_STREAM_PROCESSES": "2",
    }


@pytest.fixture(scope="module")
def run(environment: dict[str, str]) -> Run:
    """Runs a ``weighbridge`` command to its end."""

    def run_command(*arguments: str, text: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*COMMAND, *arguments],
            input=text,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run_command


@pytest.fixture(scope="module")
def service(environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """``weighbridge worker`` in another shell, ready."""
    with subprocess.Popen(
        [*COMMAND, "worker"], env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as worker:
        assert worker.stderr is not None
        told = []
        for line in worker.stderr:
            told.append(line)
            if line.startswith("ready"):
                break
        assert "embedded" in told[0]
        assert "sha256:" in told[-1]
        assert "2 the stream weighbridge:requests" in told[-1]
        yield worker
        running = find_running(Settings.from_environment(environment))
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    assert_gone(worker.pid)
    assert running is not None
    assert_gone(running.pid)


@pytest.mark.usefixtures("service")
def test_submit_prints_the_id_whose_answer_results_has(run: Run) -> None:
    """A submitted request's id is printed, and its answer lies on the results stream."""
    submitted = run("submit", text=json.dumps(a_request()))
    assert submitted.returncode == 0, submitted.stderr
    request_id = submitted.stdout.strip()
    assert eventually(lambda: request_id in run("results", "--json").stdout, within=20)
    assert run("results").returncode in {0, 1}


@pytest.mark.usefixtures("service")
def test_submit_and_wait_prints_what_was_answered(run: Run, tmp_path: Path) -> None:
    """The answers to a file's requests are printed in order, as the bytes the requests get in process."""
    requests = [{**a_request(number=number), "request_id": f"waited-{number}"} for number in range(3)]
    file = tmp_path / "requests.jsonl"
    file.write_text("".join(f"{json.dumps(request)}\n" for request in requests), encoding="utf-8")
    waited = run("submit", "--wait", "--json", str(file))
    assert waited.stdout.splitlines() == [recommend.encode(recommend.answer(request)) for request in requests]
    assert waited.stderr == ""
    assert waited.returncode in {0, 1}


@pytest.mark.usefixtures("service")
def test_bad_request_is_exit_status_2(run: Run) -> None:
    """A request that is answered with an error makes the waiting command say so."""
    waited = run("submit", "--wait", "--json", text='{"model": 7}')
    assert waited.returncode == 2
    assert json.loads(waited.stdout)["error"]["code"] == "invalid_request"


@pytest.mark.usefixtures("service")
def test_worker_check_is_0_while_it_works(run: Run) -> None:
    """The health check of a working worker succeeds."""
    checked = run("worker", "--check")
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.usefixtures("service")
def test_worker_check_is_1_when_the_stream_is_not_read(run: Run, environment: dict[str, str]) -> None:
    """One process too few on the stream is no working worker."""
    checked = subprocess.run(
        [*COMMAND, "worker", "--check", "--timeout", "3"],
        env={**environment, "WEIGHBRIDGE_STREAM_PROCESSES": "3"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 1
    assert "does not read the stream" in checked.stderr
    assert run("worker", "--check").returncode == 0


def test_input_that_is_not_json_is_told_with_its_line(run: Run, tmp_path: Path) -> None:
    """A line that is not JSON stops the command before anything is sent."""
    file = tmp_path / "bad.jsonl"
    file.write_text(f"{json.dumps(a_request())}\n{{oops\n", encoding="utf-8")
    refused = run("submit", str(file))
    assert refused.returncode == 2
    assert f"{file}:2" in refused.stderr


def test_commands_without_a_server_say_so(tmp_path: Path, environment: dict[str, str]) -> None:
    """Where nothing runs, submit, results and the health check fail with a hint."""
    alone = {**environment, "WEIGHBRIDGE_HOME": str(tmp_path)}
    for arguments, status in ((["submit"], 3), (["results"], 3), (["worker", "--check"], 1)):
        command = [*COMMAND, *arguments]
        text = json.dumps(a_request())
        ran = subprocess.run(command, input=text, env=alone, capture_output=True, text=True, timeout=30, check=False)
        assert ran.returncode == status
        assert ran.stderr


def test_bad_setting_is_exit_status_2(environment: dict[str, str]) -> None:
    """A setting that cannot be used is named."""
    wrong = {**environment, "WEIGHBRIDGE_PREFETCH": "many"}
    ran = subprocess.run([*COMMAND, "worker"], env=wrong, capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode == 2
    assert "WEIGHBRIDGE_PREFETCH" in ran.stderr
