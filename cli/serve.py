"""``weighbridge serve``: the HTTP front door, for clusters and whoever speaks HTTP."""

import os

import click

from .queue_access import errors_told, read_settings


@click.command("serve")
def serve() -> None:
    """Answer reviews of a cluster's API server, sizing requests and Gatekeeper over HTTP until told to stop.

    Weighs in this process; only /v1/requests needs the queue.  WEIGHBRIDGE_ADMISSION_HOST and _PORT say where, _MODE
    what becomes of a deployment that does not fit; `weighbridge settings` lists the rest.
    """
    settings = read_settings()
    from admission.settings import AdmissionSettings

    with errors_told():
        of_admission = AdmissionSettings.from_environment(os.environ)
        of_admission.flavors()
        from worker.telemetry.log_lines import write_log

        try:
            from admission.http.server import serve as serve_http
        except ModuleNotFoundError as error:
            raise click.UsageError(f"{error.name} is missing: pip install 'weighbridge[admission]'") from None
        write_log(settings)
        scheme = "http" if of_admission.tls_cert_file is None else "https"
        click.echo(f"front door: {scheme}://{of_admission.host}:{of_admission.port}", err=True)
        serve_http(settings, of_admission)
