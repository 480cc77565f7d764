"""The model servers in the pods of a replica, each as a sizing request or as what keeps it from being one."""

from collections.abc import Iterator

from .assemble import Told, request_for
from .config_file import arguments_in
from .containers import containers_of
from .crowd import refuse_crowd, visible
from .engine_rows import EngineRows, find_rows
from .errors import UnreadableError
from .flags import settings_of
from .gpu_rows import load_gpu_rows
from .reading import ModelServer, Unreadable
from .replica import PodTemplate
from .replica_gpus import gpus_of, types_for
from .resources import Asked
from .scene import Inside, Scene
from .starts import Start, only_joins, starts_in


def servers_of(scene: Scene) -> Iterator[ModelServer | Unreadable]:
    """All that serves a model in the replica of ``scene``; a server that followers start too is told of once."""
    leaders: list[ModelServer | Unreadable] = []
    for template in (scene.replica.leader, *scene.replica.followers):
        for found in _in_template(scene, template):
            if template is scene.replica.leader:
                leaders.append(found)
            elif any(_same(found, other) for other in leaders):
                continue
            yield found


def _same(found: ModelServer | Unreadable, other: ModelServer | Unreadable) -> bool:
    if isinstance(found, ModelServer):
        return isinstance(other, ModelServer) and found.request == other.request
    return isinstance(other, Unreadable) and (found.reason, found.message) == (other.reason, other.message)


def _in_template(scene: Scene, template: PodTemplate) -> Iterator[ModelServer | Unreadable]:
    try:
        containers = list(containers_of(template))
    except UnreadableError as error:
        yield unreadable(template.place, error)
        return
    for container in containers:
        try:
            yield from _in_container(Inside(scene=scene, template=template, container=container))
        except UnreadableError as error:
            yield unreadable(container.place, error)


def unreadable(place: str, error: UnreadableError) -> Unreadable:
    """What ``error`` is told as, of what stands at ``place``."""
    return Unreadable(
        container=place, code=error.decision, reason=error.reason, message=error.message, field=error.field
    )


def _in_container(inside: Inside) -> Iterator[ModelServer]:
    try:
        gpus = gpus_of(inside)
    except UnreadableError:
        # Claims may be for devices that are none of our business.
        if inside.image or starts_in(inside.commands()):
            raise
        return
    if not gpus.count:
        _refuse_gpus_taken_unasked(inside)
        return
    started = _started(inside)
    if not started:
        return
    told = [_told(inside, start, gpus) for start in started]
    fractions = [each.settings.values.get("engine.gpu_memory_utilization") for each in told]
    refuse_crowd([start.environment for start in started], fractions)
    types = types_for(inside, gpus)
    for each in told:
        for gpu in types:
            request, assumed = request_for(each, gpu)
            if len(types) > 1:
                assumed.append(f"{len(types)} types of GPU are allowed, each of which is weighed: this is {gpu.name}")
            yield ModelServer(
                container=inside.container.place,
                request=request,
                assumed=(*inside.scene.replica.assumed, *dict.fromkeys(assumed)),
            )


def _refuse_gpus_taken_unasked(inside: Inside) -> None:
    """Raises: UnreadableError for a server that takes GPUs which nobody knows it has."""
    row = load_gpu_rows().devices_variable
    if inside.environment.get(row.name, "") in row.nothing or not starts_in(inside.commands()):
        return
    raise UnreadableError(
        f"it takes GPUs by {row.name} and asks for none; ask for them, or say how many with weighbridge.dev/gpu-count",
        reason="NoGpuRequested",
        field=f"{inside.container.place}.env",
    )


def _started(inside: Inside) -> list[Start]:
    """The engines that the container starts; one that is only said to be there where an annotation names a model.

    Raises: UnreadableError where an image has an engine, and what is done with it cannot be read.
    """
    started = starts_in(inside.commands())
    if started or not inside.is_of_leader or not inside.own.count:
        return started
    if "model" in inside.said.words:
        rows = inside.image.rows if inside.image else find_rows(inside.said.words.get("engine", "vllm"))
        return [Start(rows=rows, arguments=(), environment=inside.environment, takes_model=False)] if rows else []
    if inside.image and not only_joins(inside.commands()):
        raise UnreadableError(
            f"its image has {inside.image.rows.engine}, and its command cannot be read; "
            "name what it serves in the annotation weighbridge.dev/model",
            reason="ModelNotNamed",
            field=f"{inside.container.place}.command",
        )
    return []


def _told(inside: Inside, start: Start, gpus: Asked) -> Told:
    rows = _rows(inside, start)
    spec, at_hand = inside.template.spec, inside.scene.at_hand
    image = inside.image
    tag_is_release = image is not None and image.rows is rows and rows.engine == rows.weighed_as
    return Told(
        rows=rows,
        settings=settings_of(start, lambda path: arguments_in(path, inside.container, spec, at_hand)),
        said=inside.said,
        asked=visible(start.environment, gpus),
        version=image.version if image and tag_is_release else None,
        model_names=inside.scene.replica.model_names,
        adapts_length=inside.scene.replica.adapts_length,
    )


def _rows(inside: Inside, start: Start) -> EngineRows:
    """The engine that is weighed: the one started, unless an annotation names another.

    Raises: UnreadableError.
    """
    named = inside.said.words.get("engine")
    if named is None:
        return start.rows
    rows = find_rows(named)
    if rows is None:
        raise UnreadableError(
            f"weighbridge.dev/engine: no engine is known as {named!r:.60}",
            reason="ArgumentUnreadable",
            field="metadata.annotations[weighbridge.dev/engine]",
        )
    return rows if rows.weighed_as != start.rows.weighed_as else start.rows
