"""``weighbridge schema``: the contract as JSON Schemas."""

import click

from schemas.export import schemas, text_of


@click.command("schema")
@click.argument("name", type=click.Choice(["request", "answer", "catalog", "progress"]))
def schema(name: str) -> None:
    """Print the JSON Schema of a request, an answer, a catalogue file, or a look at a batch."""
    click.echo(text_of(schemas()[f"{name}.schema.json"]), nl=False)
