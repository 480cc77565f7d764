"""A worker as its container runs it: an ordinary user, no privileges, and nothing to write to but /tmp."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from worker.client import Client
from worker.health import heartbeat
from worker.settings import Settings

from .conftest import READY_SECONDS, a_request, assert_gone

ROOT = Path(__file__).parents[2]
USER = 10001
WRITABLE = 77
"""Exit status where the project could still be written to."""
CONFINED = """
set -eu
root=$1
closed=$2
shift 2
mount --make-rprivate /
# Of a home that is closed to others, such as root's, the interpreter and the project are shown and nothing else.
if [ -n "$closed" ]; then
  shown=$(mktemp -d)
  mount -t tmpfs tmpfs "$shown"
  for place in $SHOWN; do
    mkdir -p "$shown$place" && mount --bind "$place" "$shown$place"
  done
  mount -t tmpfs -o mode=755 tmpfs "$closed"
  for place in $SHOWN; do
    mkdir -p "$place" && mount --bind "$shown$place" "$place"
  done
fi
# Each mount by itself: what lies on another is not made read-only with it.
awk '{ print $5 }' /proc/self/mountinfo | while read -r place; do
  mount -o remount,bind,ro "$place" 2>/dev/null || true
done
mount -t tmpfs -o mode=1777 tmpfs /tmp
# Every container has it, however read-only; the pool's locks are there.
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
if touch "$root/written" 2>/dev/null; then
  rm "$root/written"
  exit 77
fi
cd /tmp
exec setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all "$@"
"""
"""What `read_only`, `tmpfs`, `user`, `cap_drop` and `security_opt` of a container come to, without one."""


def test_worker_needs_no_privileges_and_writes_to_tmp_only(settings: Settings, url: str) -> None:
    """It answers all the same, as the user and with the rights of the image."""
    why_not = what_is_missing()
    if why_not:
        pytest.skip(why_not)
    confined = settings.model_copy(update={"home": Path("/tmp/weighbridge")})  # noqa: S108 - a tmpfs of its own
    environment = {
        "PATH": os.environ["PATH"],
        "SHOWN": shown(),
        "HOME": "/nonexistent",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        **confined.environment(url),
    }
    command = confined_command("-m", "cli.main", "worker")
    with subprocess.Popen(command, env=environment, start_new_session=True) as worker:
        try:
            answer = heartbeat(settings, url, timeout=READY_SECONDS)
            assert answer is not None
            rights = rights_of(worker.pid)
            assert rights["Uid"].split() == [str(USER)] * 4
            assert rights["NoNewPrivs"] == "1"
            assert int(rights["CapEff"], 16) == int(rights["CapBnd"], 16) == 0
            with Client(settings, url) as client:
                assert client.wait(client.submit(a_request()), timeout=READY_SECONDS).status == "ok"
        finally:
            worker.terminate()
            worker.wait(30)
            assert_gone(worker.pid)


def rights_of(pid: int) -> dict[str, str]:
    """As the kernel tells them."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def what_is_missing() -> str | None:
    """Why a process cannot be confined here; None if it can."""
    if sys.platform != "linux" or os.getuid() != 0:
        return "only root on Linux can take its rights from a process"
    for tool in ("unshare", "setpriv"):
        if shutil.which(tool) is None:
            return f"there is no {tool}"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        return "no mount namespaces may be made here"
    tried = confined_command("-c", "import sys; print(sys.version)")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "SHOWN": shown()}
    said = subprocess.run(tried, env=environment, capture_output=True, text=True, timeout=30, check=False)
    if said.returncode == WRITABLE:
        return "mounts cannot be made read-only here"
    if said.stdout.strip() != sys.version:
        return f"another user cannot run the interpreter: {said.stderr.strip()[-200:]}"
    return None


def confined_command(*arguments: str) -> list[str]:
    """The interpreter with ``arguments``, confined."""
    return ["unshare", "--mount", "sh", "-c", CONFINED, "confined", str(ROOT), closed(), sys.executable, *arguments]


def closed() -> str:
    """The folder above the interpreter that others may not enter; empty where there is none."""
    above = reversed(Path(sys.base_prefix).parents)
    return next((str(folder) for folder in above if not folder.stat().st_mode & 0o001), "")


def shown() -> str:
    """Folders in it that the worker needs."""
    needed = {Path(sys.base_prefix), Path(sys.prefix), ROOT}
    return " ".join(str(folder) for folder in needed if closed() and folder.is_relative_to(closed()))
