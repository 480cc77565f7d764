"""Where a replica stands, and a container of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .annotations import Said, said_of
from .claims import asked_by_claims
from .commands import Command, commands_of
from .containers import Container, containers_of
from .environment import Environment, environment_of, expand
from .images import EngineImage, engine_in
from .objects import Neighbours
from .reading import Surroundings
from .replica import PodTemplate, Replica
from .resources import Asked, asked_by_resources
from .shapes import mapping, text, words


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where a replica stands."""

    replica: Replica
    annotations: Mapping[str, Any]
    """Of the object itself."""
    at_hand: Neighbours
    surroundings: Surroundings

    @cached_property
    def asks(self) -> Sequence[tuple[PodTemplate, Asked]]:
        """What each container of the replica asks for, with the pods it stands in.

        Raises: UnreadableError.
        """
        replica = self.replica
        return [
            (template, asked_by(container, template, self.at_hand))
            for template in (replica.leader, *replica.followers)
            for container in containers_of(template)
        ]


def asked_by(container: Container, template: PodTemplate, at_hand: Neighbours) -> Asked:
    """The GPUs that ``container`` of ``template`` asks for itself.

    Raises: UnreadableError.
    """
    by_resources = asked_by_resources(container)
    return by_resources if by_resources.count else asked_by_claims(container, template.spec, at_hand)


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
        return asked_by(self.container, self.template, self.scene.at_hand)

    @cached_property
    def commands(self) -> Sequence[Command]:
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
        return (*commands_of(given, self.environment), *commands_of(self._hook(), self.environment))

    def _hook(self) -> Sequence[str]:
        """What is run in it once it has started."""
        place = f"{self.container.place}.lifecycle"
        hook: Mapping[str, Any] = self.container.fields
        for name in ("lifecycle", "postStart", "exec"):
            hook = mapping(hook.get(name), f"{place}.{name}")
        return [
            expand(word, self.environment) for word in words(hook.get("command"), f"{place}.postStart.exec.command")
        ]
