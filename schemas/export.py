"""The contract as JSON Schemas, for other languages: ``python -m schemas.export [--check]``."""

import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from .catalog_file import CatalogFile
from .progress import BatchProgress
from .recommendation import Answer
from .request import SizingRequest

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """Each exported schema by the name of its file."""
    request = SizingRequest.model_json_schema(mode="validation")
    answer = TypeAdapter[object](Answer).json_schema(mode="serialization")
    catalog = CatalogFile.model_json_schema(mode="validation")
    progress = BatchProgress.model_json_schema(mode="serialization")
    return {
        "request.schema.json": {"$schema": DIALECT, **request, "title": "Weighbridge sizing request"},
        "answer.schema.json": {"$schema": DIALECT, **answer, "title": "Weighbridge answer"},
        "catalog.schema.json": {"$schema": DIALECT, **catalog, "title": "Weighbridge catalogue file"},
        "progress.schema.json": {"$schema": DIALECT, **progress, "title": "Weighbridge progress of a batch"},
    }


def text_of(schema: dict[str, Any]) -> str:
    """The text of a schema file."""
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def drifted() -> list[str]:
    """Names of the committed schema files that no longer say what the shapes say."""
    folder = files(__package__).joinpath("json")
    return [
        name
        for name, schema in schemas().items()
        if not (file := folder.joinpath(name)).is_file() or file.read_text() != text_of(schema)
    ]


def main(arguments: list[str]) -> int:
    """Write the schema files, or with ``--check`` say which have drifted."""
    if "--check" in arguments:
        stale = drifted()
        for name in stale:
            sys.stderr.write(f"schemas/json/{name} has drifted: run python -m schemas.export\n")
        return 1 if stale else 0
    folder = Path(str(files(__package__).joinpath("json")))
    folder.mkdir(exist_ok=True)
    for name, schema in schemas().items():
        folder.joinpath(name).write_text(text_of(schema))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
