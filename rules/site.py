"""A site's own rules: a folder laid over the rules that come with the project, checked as they are."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field

from schemas.closed import Closed
from schemas.recommendation import FactValue
from schemas.vocabulary import FindingLevel

from .condition_parser import nearest
from .facts import FactType, PassName
from .limits import MAX_STRING, beyond_limits
from .lined_yaml import Lined
from .lined_yaml import Path as LinedPath
from .loader import MAX_FILE_BYTES, RuleError, read_file, read_rules, shaped
from .metadata_facts import MAX_METADATA_FACTS, PREFIX, MetadataFact
from .rule import AdviceRule, Origin, SupportRule
from .ruleset import RuleSet, packaged_defaults, packaged_rules, rule_files, rule_set_of

MAX_SITE_FILES = 256
"""Files in a site's folder."""

SITE_FILE = "site.yaml"

_PASSES: tuple[PassName, ...] = get_args(PassName)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_KINDS: dict[str, type[str] | type[int] | type[bool]] = {"string": str, "integer": int, "boolean": bool}


class MetadataFactFile(Closed):
    """A fact that is read from the metadata of requests."""

    type: Literal["string", "integer", "boolean"]
    default: FactValue
    """What it is of a request that does not say."""
    key: Annotated[str, Field(min_length=1, max_length=MAX_STRING)] | None = None
    """Its key in the metadata; null means its name."""


class SiteFile(Closed):
    """What ``site.yaml`` may say."""

    disable: list[str] = Field(default_factory=list)
    """Ids of our rules that this site leaves out."""
    levels: dict[str, FindingLevel] = Field(default_factory=dict)
    """Levels of our advice, by id, where this site's differ."""
    facts: dict[str, MetadataFactFile] = Field(default_factory=dict)
    """Facts over the metadata of requests; rules read ``namespace`` as ``metadata_namespace``."""


def load_with_site(folder: Path) -> RuleSet:
    """Our rules with those of the site's ``folder`` laid over them.

    Raises: RuleError naming the file and line at fault.
    """
    check_files(folder)
    site = _Site(folder)
    metadata = site.metadata()
    own = read_rules(rule_files(folder), packaged_defaults(), metadata)
    _check_ids(own)
    return rule_set_of([*site.applied(packaged_rules()), *own], metadata)


def site_files(folder: Path) -> list[Path]:
    """Everything below ``folder`` but folders and what begins with a dot, as Kubernetes' own links do.

    Links to nothing and links to folders, which are followed at the top alone, count: they may be meant as rules.
    """
    return sorted(path for path in _walk(folder) if not path.is_dir() or (path.is_symlink() and path.parent != folder))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        yield path
        if path.is_dir() and len(path.relative_to(folder).parts) == 1:
            yield from (each for each in path.rglob("*") if not each.name.startswith("."))


def check_files(folder: Path) -> None:
    """A file that would be passed over in silence is a rule that nobody enforces."""
    if not folder.is_dir():
        raise _fault(folder, "is not a folder")
    files = site_files(folder)
    if len(files) > MAX_SITE_FILES:
        raise _fault(folder, f"holds {len(files)} files, more than {MAX_SITE_FILES}")
    for path in files:
        place = path.relative_to(folder)
        if not path.is_file():
            raise _fault(path, "cannot be read: it is no plain file")
        if place.suffix == ".md" or place == Path(SITE_FILE):
            continue
        if place.parts[0] not in _PASSES:
            hint = nearest(place.parts[0], (*_PASSES, SITE_FILE))
            raise _fault(path, f"is neither {SITE_FILE} nor below {' or '.join(f'{each}/' for each in _PASSES)}{hint}")
        if place.suffix != ".yaml":
            raise _fault(path, "does not end in .yaml")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _fault(path, f"is {path.stat().st_size} bytes, more than {MAX_FILE_BYTES}")


def _check_ids(own: Iterable[SupportRule | AdviceRule]) -> None:
    ours = {rule.id for rule in packaged_rules()}
    for rule in own:
        if rule.id in ours:
            raise RuleError(
                rule.origin, f"one of our rules is named {rule.id!r}; disable that and name yours otherwise"
            )


class _Site:
    """Reads ``site.yaml``, knowing where everything in it stands."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / SITE_FILE
        is_there = self._path.is_symlink() or self._path.exists()
        self._lined = read_file(self._path) if is_there else Lined({}, {(): 1})
        self._file = shaped(SiteFile, self._lined, self._path)

    def metadata(self) -> tuple[MetadataFact, ...]:
        if len(self._file.facts) > MAX_METADATA_FACTS:
            raise self._error(("facts",), f"{len(self._file.facts)} facts, more than {MAX_METADATA_FACTS}")
        return tuple(self._fact(name, said) for name, said in self._file.facts.items())

    def _fact(self, name: str, said: MetadataFactFile) -> MetadataFact:
        if not _NAME.match(name):
            raise self._error(("facts", name), f"{name!r} is not lower case letters, digits and underscores")
        kind = FactType(_KINDS[said.type], None)
        if refusal := kind.refuses(said.default) or beyond_limits(said.default):
            raise self._error(("facts", name, "default"), f"{name}: {refusal}")
        return MetadataFact(name=f"{PREFIX}{name}", key=said.key or name, type=kind, default=said.default)

    def applied(self, rules: Sequence[SupportRule | AdviceRule]) -> Iterator[SupportRule | AdviceRule]:
        """``rules`` but those that are disabled, at the levels this site gives them."""
        ids = [rule.id for rule in rules]
        for place, name in enumerate(self._file.disable):
            self._known(name, ids, ("disable", place))
            if name in self._file.levels:
                raise self._error(("levels", name), f"{name} is disabled, so that it has no level")
        by_id = {rule.id: rule for rule in rules}
        for name in self._file.levels:
            self._known(name, ids, ("levels", name))
            if not isinstance(by_id[name], AdviceRule):
                text = (
                    f"{name} concludes support, which has no level; disable it, and add a rule that concludes otherwise"
                )
                raise self._error(("levels", name), text)
        for rule in rules:
            if rule.id in self._file.disable:
                continue
            level = self._file.levels.get(rule.id)
            yield replace(rule, level=level) if level and isinstance(rule, AdviceRule) else rule

    def _known(self, name: str, ids: Sequence[str], path: LinedPath) -> None:
        if name not in ids:
            raise self._error(path, f"we have no rule {name!r}{nearest(name, ids)}")

    def _error(self, path: LinedPath, message: str) -> RuleError:
        return RuleError(Origin(file=self._path, line=self._lined.line_of(path)), message)


def _fault(path: Path, message: str) -> RuleError:
    return RuleError(Origin(file=path, line=1), message)
