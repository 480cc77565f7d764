"""``weighbridge kueue``: answers the admission checks of Kueue's workloads."""

import os
import sys

import click

from .queue_access import errors_told, read_settings
from .saying import begin_log


@click.command("kueue")
def kueue() -> None:
    """Answer Kueue's admission checks of this cluster until told to stop.

    Needs the extra weighbridge[kueue], a service account or a kubeconfig, and workers behind WEIGHBRIDGE_REDIS_URL.
    """
    try:
        from admission.kueue.serving import serve
    except ModuleNotFoundError as error:
        raise click.UsageError(f"{error.name} is missing: pip install 'weighbridge[kueue]'") from None
    from admission.kueue.deciding import over_the_queue
    from admission.kueue.over_the_queue import QueueWeigher
    from admission.kueue.settings import KueueSettings
    from admission.settings import AdmissionSettings
    from worker.client import Client

    settings = read_settings()
    say = begin_log(settings)
    with errors_told(lambda line: say(line, "start")):
        own, policy = KueueSettings.from_environment(os.environ), AdmissionSettings.from_environment(os.environ)
        with Client.open(settings) as client:
            weigher = QueueWeigher(client, timeout_seconds=own.deadline_seconds)
            try:
                sys.exit(serve(settings, own, policy.mode, over_the_queue(weigher, policy), say))
            finally:
                weigher.stop()
