"""Reading Kubernetes objects from files and standard input: YAML or JSON, several documents a file, lists of them."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import click
import yaml

from schemas.bounds import refuse_beyond_bounds
from schemas.errors import InvalidRequestError
from schemas.yaml_loader import LOADER

from .exit_status import BAD_INPUT
from .input_files import read_input

_DEEPEST = 128
"""Objects and lists within each other; aliases of YAML can nest without end."""


def read_manifests(files: tuple[str, ...]) -> list[Mapping[str, Any]]:
    """Every object of ``files``, ``-`` for standard input; a file that holds none ends the command, exit status 2."""
    return [each for file in files for each in _objects(file)]


def _objects(file: str) -> Iterator[Mapping[str, Any]]:
    name, content = read_input(file)
    try:
        documents = list(yaml.load_all(content, Loader=LOADER))
        refuse_beyond_bounds(documents, depth=_DEEPEST, characters=len(content))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        _refuse(f"{name}: no YAML: {' '.join(str(error).split())}")
    except InvalidRequestError as error:
        _refuse(f"{name}: {error.message}")
    for document in documents:
        if document is not None:
            yield from _of_document(document, name)


def _of_document(document: object, name: str) -> Iterator[Mapping[str, Any]]:
    """The object of a document, or each of a list of them."""
    if not isinstance(document, Mapping):
        _refuse(f"{name}: a document is no object")
    items = document.get("items")
    if str(document.get("kind")).endswith("List") and isinstance(items, list):
        for each in items:
            yield from _of_document(each, name)
    else:
        yield document


def _refuse(message: str) -> NoReturn:
    click.echo(f"error: {message}", err=True)
    sys.exit(BAD_INPUT)
