"""``weighbridge status``: the service at a glance."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from .durations import duration
from .queue_access import errors_told, read_settings

if TYPE_CHECKING:
    from rich.table import Table

    from schemas.progress import BatchProgress
    from worker.settings import Settings
    from worker.telemetry.registry import WorkerReport
    from worker.telemetry.server_state import ConsumerGroup, ServerState
    from worker.telemetry.status import Status

MIB = 2**20
SILENT_SECONDS = 15
"""Whoever runs a batch tells of it each second."""


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(*, as_json: bool) -> None:
    """Say what waits, what is held, what is kept, and who works.

    Exit status: 0, or 3 when the queue's server is away.
    """
    from worker.connection import masked
    from worker.embedded import address
    from worker.telemetry.status import read_status

    settings = read_settings()
    with errors_told():
        url = address(settings)
        found = read_status(settings, url)
    server = masked(url)
    if as_json:
        click.echo(json.dumps(_as_json(server, found)))
        return
    from .table import console

    console().print(_table(server, settings, found))


def _as_json(server: str, found: "Status") -> dict[str, Any]:
    return {
        "server": server,
        **asdict(found.server),
        "memory_fraction": found.server.memory_fraction,
        "workers": {name: asdict(report) for name, report in found.workers.items()},
        "batches": [batch.model_dump(mode="json") for batch in found.batches],
    }


def _table(server: str, settings: "Settings", found: "Status") -> "Table":
    from rich.table import Table
    from rich.text import Text

    state = found.server
    table = Table(show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    table.add_row("server", f"{server}, keys {settings.key_prefix}*")
    table.add_row("memory", _memory(state))
    closed = state.intake_closed
    table.add_row("intake", Text(f"closed: {closed}", style="red") if closed else Text("open", style="green"))
    for queue in state.queues:
        age = "" if queue.oldest_seconds is None else f", the next since {duration(queue.oldest_seconds)}"
        table.add_row(f"queue {queue.queue}", f"{queue.messages} waiting{age}")
    oldest = state.oldest_open_seconds
    age = "" if oldest is None else f"; the oldest open message was sent {duration(oldest)} ago"
    table.add_row("held by workers", f"{state.unacked_messages} messages{age}")
    table.add_row("stream of requests", f"{state.requests_entries} entries{_groups(state.requests_groups)}")
    table.add_row("stream of results", f"{state.results_entries} entries{_groups(state.results_groups)}")
    table.add_row("dead letters", Text(str(state.dead_letters), style="yellow" if state.dead_letters else ""))
    for name, report in found.workers.items():
        table.add_row(f"worker {name}", _worker(report, found.now))
    if not found.workers:
        table.add_row("workers", Text("none", style="yellow"))
    for batch in found.batches:
        table.add_row(f"batch {batch.batch}", _batch(batch, found.now))
    return table


def _memory(state: "ServerState") -> str:
    used = f"{state.used_memory_bytes / MIB:.1f} MiB"
    if (fraction := state.memory_fraction) is None:
        return f"{used} used, no limit"
    return f"{used} of {state.max_memory_bytes / MIB:.0f} MiB used, {fraction:.0%}"


def _groups(groups: Sequence["ConsumerGroup"]) -> str:
    return "".join(
        f"\n{group.name}: {group.pending} not acknowledged, "
        f"{'?' if group.lag is None else group.lag} not read, {group.consumers} consumers"
        for group in groups
    )


def _worker(report: "WorkerReport", now: int) -> str:
    streams = f" and {report.stream_processes} the stream" if report.stream_processes else ""
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    return (
        f"{report.processes} processes serve {', '.join(report.queues)}{streams}\n"
        f"{report.host}, process {report.pid}, for {duration(now - report.since)}\n"
        f"{versions or 'has not answered a health check yet'}"
    )


def _batch(told: "BatchProgress", now: int) -> str:
    state: str = told.state
    if state in {"running", "waiting"} and now - told.at > SILENT_SECONDS:
        state = f"not heard of for {duration(now - told.at)}"
    elif state == "running" and told.seconds_left is not None:
        state = f"running at {told.cells_per_second:.0f} cells a second, {duration(told.seconds_left)} left"
    return f"{told.done} of {told.total} cells, {told.errors} errors\n{told.catalog}, {state}"
