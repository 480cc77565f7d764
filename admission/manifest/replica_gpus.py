"""The GPUs that a server may use: how many, and of which types."""

from dataclasses import replace

from .containers import containers_of
from .errors import UnreadableError
from .gpu_types import GpuType, types_called, types_of_nodes
from .resources import Asked
from .scene import Inside


def gpus_of(inside: Inside) -> Asked:
    """The GPUs of the whole replica: the container's own, and what other pods lend.

    Raises: UnreadableError.
    """
    said = inside.said.numbers.get("hardware.count")
    if said is not None:
        return Asked(count=int(said))
    scene = inside.scene
    lent = inside.own.count * (inside.template.pods - 1)
    first = inside.own
    for template in (scene.replica.leader, *scene.replica.followers):
        if template is not inside.template:
            for container in containers_of(template):
                asked = Inside(scene=scene, template=template, container=container).own
                lent += asked.count * template.pods
                first = first if first.count else asked
    return replace(first, count=inside.own.count + lent)


def types_for(inside: Inside, gpus: Asked) -> list[GpuType]:
    """The types of GPU that the server may run on: of the flavour assigned, else as said, else as selected.

    A flavour is where a pod will run, whatever it says itself.

    Raises: UnreadableError where there is none.
    """
    scene = inside.scene
    flavor = scene.replica.flavor or scene.surroundings.assigned_flavor
    if flavor in scene.surroundings.flavors:
        return types_called(scene.surroundings.flavors[str(flavor)], f"flavor {flavor}")
    if "gpu" in inside.said.words:
        return types_called(inside.said.words["gpu"], "metadata.annotations[weighbridge.dev/gpu]")
    if gpus.products:
        return [each for name in gpus.products for each in types_called(name, "resourceClaims")]
    for template in (inside.template, scene.replica.leader, *scene.replica.followers):
        found = types_of_nodes(template.spec, template.place)
        if found:
            return found
    if scene.surroundings.gpu is not None:
        return types_called(scene.surroundings.gpu, "gpu")
    raise UnreadableError(
        "nothing says on which type of GPU it runs; select it by a node label, or name it with weighbridge.dev/gpu",
        reason="GpuTypeNotNamed",
        field=f"{inside.template.place}.nodeSelector",
    )
