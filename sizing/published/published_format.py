"""In which format a checkpoint stores which module."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from schemas.vocabulary import WeightFormat

from .module_table import ModuleTable
from .modules import Patterns

Per = Literal["tensor", "channel", "group", "block"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAs:
    """A weight format, and what a checkpoint says of its scales where it departs from the format's row."""

    weight_format: WeightFormat
    per: Per | None = None
    """What shares a scale."""
    group: int | None = None
    """Elements that share a scale."""
    has_zero_points: bool | None = None
    is_reordered: bool = False
    """Whether the order in which columns were quantized is stored too."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PublishedFormat:
    """How a quantized checkpoint stores its weights."""

    stored: StoredAs
    """What the checkpoint is called by: its only format, or of several the one that asks most of the hardware."""
    usual: StoredAs | None
    """How modules are stored that no list names; None is 16 bit."""
    modules: ModuleTable[StoredAs | None]
    """What the checkpoint's own lists say of modules; None is 16 bit."""

    @property
    def weight_format(self) -> WeightFormat:
        """Name of the format the checkpoint is called by."""
        return self.stored.weight_format

    @property
    def formats(self) -> frozenset[StoredAs]:
        """Every format that some module may be stored in."""
        named = (stored for _, stored in self.modules.entries)
        return frozenset(each for each in (self.stored, self.usual, *named) if each)

    def stored_as(self, module: str, *, by_default: bool, if_named: bool) -> StoredAs | None:
        """How the weights of ``module``, a dotted path, are stored; None is 16 bit.

        ``by_default`` says whether formats apply to it where no list names it, ``if_named`` whether where one does.
        """
        if not (by_default or if_named):
            return None
        listed = self.modules.find(module)
        if listed is None:
            return self.usual if by_default else None
        return listed[0] if if_named else None


Entries = Iterable[tuple[Patterns, StoredAs | None]]


def uniform(stored: StoredAs, plain: Patterns) -> PublishedFormat:
    """A checkpoint of one format, which leaves the modules ``plain`` in 16 bit."""
    return PublishedFormat(stored=stored, usual=stored, modules=table([(plain, None)]))


def table(entries: Entries) -> ModuleTable[StoredAs | None]:
    """The table of ``entries``, lists with what is stored where they match, the first to match deciding."""
    return ModuleTable(tuple((patterns, stored) for patterns, stored in entries if patterns))
