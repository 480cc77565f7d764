"""Every text of the page in both languages; rows of ``texts.yaml``."""

from importlib.resources import files

import yaml
from pydantic import JsonValue, TypeAdapter

from rules.rule import MessageFile

_TEXTS = TypeAdapter(dict[str, MessageFile])


def load_page_texts() -> dict[str, JsonValue]:
    """The texts by their name, each with its languages.

    Raises: ValidationError for a text that lacks a language.
    """
    rows = yaml.safe_load(files(__package__).joinpath("texts.yaml").read_text(encoding="utf-8"))
    return {name: text.model_dump(mode="json") for name, text in _TEXTS.validate_python(rows).items()}
