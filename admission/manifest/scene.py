"""Where a replica stands, and a container of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .annotations import Said, said_of
from .claims import asked_by_claims
from .commands import Command, commands_of
from .containers import Container
from .environment import Environment, environment_of, expand
from .images import EngineImage, engine_in
from .objects import Neighbours
from .reading import Surroundings
from .replica import PodTemplate, Replica
from .resources import Asked, asked_by_resources
from .shapes import text, words


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where a replica stands."""

    replica: Replica
    annotations: Mapping[str, Any]
    """Of the object itself."""
    at_hand: Neighbours
    surroundings: Surroundings


@dataclass(frozen=True, kw_only=True)
class Inside:
    """One container: what it sees, asks for and runs.  Reading any of it may raise UnreadableError."""

    scene: Scene
    template: PodTemplate
    container: Container

    @property
    def is_of_leader(self) -> bool:
        """Whether it stands in the pods that servers are started in."""
        return self.template is self.scene.replica.leader

    @cached_property
    def environment(self) -> Environment:
        """The variables that its processes see."""
        return environment_of(self.container, self.scene.replica.variables, self.scene.at_hand)

    @cached_property
    def image(self) -> EngineImage | None:
        """The engine that its image is known to have."""
        return engine_in(text(self.container.fields.get("image"), f"{self.container.place}.image"))

    @cached_property
    def said(self) -> Said:
        """What annotations say of it; those of the pod come before those of the object."""
        return said_of(self.container.name, {**self.scene.annotations, **self.template.annotations})

    @cached_property
    def own(self) -> Asked:
        """The GPUs that it asks for itself."""
        by_resources = asked_by_resources(self.container)
        if by_resources.count:
            return by_resources
        return asked_by_claims(self.container, self.template.spec, self.scene.at_hand)

    def commands(self) -> Iterator[Command]:
        """What it runs."""
        fields, place = self.container.fields, self.container.place
        given = [
            expand(word, self.environment)
            for name in ("command", "args")
            for word in words(fields.get(name), f"{place}.{name}")
        ]
        if self.image and not self.image.row.needs_command and not fields.get("command"):
            # The image's own entry point takes the arguments; a shell among them is one all the same.
            given = [*self.image.rows.starts[0].words, *given]
        yield from commands_of(given, self.environment)
