"""Single points of reading, each in the smallest pod that shows it."""

from collections.abc import Mapping
from typing import Any

import pytest

from admission.manifest.read import read
from admission.manifest.reading import Reading, Surroundings
from sizing.catalog.gpus import load_gpus

GPU = {"nvidia.com/gpu": 1}


def pod(
    *command: str,
    limits: Mapping[str, Any] = GPU,
    annotations: Mapping[str, str] | None = None,
    node: Mapping[str, str] | None = None,
    **fields: Any,  # noqa: ANN401 - of a container
) -> Reading:
    """What is read of a pod with one container that runs ``command``."""
    container = {"name": "c", "command": list(command), "resources": {"limits": limits}, **fields}
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"annotations": annotations or {}},
        "spec": {"nodeSelector": node or {"nvidia.com/gpu.product": "NVIDIA-L4"}, "containers": [container]},
    }
    return read(manifest, Surroundings())


def only_request(reading: Reading) -> Mapping[str, Any]:
    """The request of the one server there is."""
    (server,) = reading.servers
    assert not reading.unreadable
    return server.request


def test_length_that_vllm_fits_itself_is_not_the_models() -> None:
    """``auto`` lowers it to what fits, so that all that the config allows is not asked for."""
    assert "workload" not in only_request(pod("vllm", "serve", "Qwen/Qwen3-8B", "--max-model-len", "auto"))
    assert only_request(pod("vllm", "serve", "Qwen/Qwen3-8B"))["workload"] == {"max_model_len": 40960}


def test_image_of_a_mirror_is_known_by_the_end_of_its_name() -> None:
    """Its tag is the release, and its arguments are the engine's."""
    image = "registry.example:5000/mirror/vllm-openai:v0.10.1@sha256:00"
    request = only_request(pod(command=None, image=image, args=["Qwen/Qwen3-4B", "--max-model-len=4096"]))
    assert request["engine"] == {"name": "vllm", "version": "0.10.1"}
    assert request["model"] == {"name": "Qwen/Qwen3-4B"}


def test_server_that_a_hook_starts_is_found() -> None:
    """What runs once a container has started uses its GPUs too."""
    hook = {"postStart": {"exec": {"command": ["sh", "-c", "nohup vllm serve Qwen/Qwen3-4B --max-model-len 2048 &"]}}}
    assert only_request(pod("sleep", "inf", lifecycle=hook))["model"] == {"name": "Qwen/Qwen3-4B"}


def test_fractions_that_add_up_may_share_a_gpu() -> None:
    """Two servers in one container are both weighed where each says how much it takes."""
    script = "vllm serve Qwen/Qwen3-{} --gpu-memory-utilization 0.{} --max-model-len 2048"
    both = f"{script.format('0.6B', 4)} & {script.format('1.7B', 6)}"
    assert [each.request["engine"]["gpu_memory_utilization"] for each in pod("sh", "-c", both).servers] == [0.4, 0.6]
    more = both.replace("0.6 ", "0.7 ")
    assert [each.reason for each in pod("sh", "-c", more).unreadable] == ["ArgumentUnreadable"]


def test_servers_on_devices_of_their_own_stand_beside_each_other() -> None:
    """Each has as many GPUs as it is let see."""
    script = "CUDA_VISIBLE_DEVICES={} vllm serve Qwen/Qwen3-4B -tp {} --max-model-len 2048"
    both = f"{script.format('0,1', 2)} & {script.format('2', 1)}"
    servers = pod("sh", "-c", both, limits={"nvidia.com/gpu": 3}).servers
    assert [each.request["hardware"]["count"] for each in servers] == [2, 1]
    same = both.replace("DEVICES=2", "DEVICES=1")
    assert pod("sh", "-c", same, limits={"nvidia.com/gpu": 3}).servers == ()


def test_ranks_that_run_in_other_objects_are_counted() -> None:
    """A server that says it is spread has more GPUs than its pod, and one that does not is told it has too few."""
    spread = pod("vllm", "serve", "Qwen/Qwen3-32B", "-tp", "4", "--distributed-executor-backend", "ray")
    assert only_request(spread)["hardware"]["count"] == 4
    assert any("3 of its 4 ranks" in sentence for sentence in spread.servers[0].assumed)
    assert only_request(pod("vllm", "serve", "Qwen/Qwen3-32B", "-tp", "4"))["hardware"]["count"] == 1


def test_share_of_the_memory_is_of_the_catalogues() -> None:
    """Half of an L4 is half of what a process sees of it, rounded down."""
    request = only_request(pod("vllm", "serve", "Qwen/Qwen3-4B", limits={**GPU, "nvidia.com/gpumem-percentage": 50}))
    assert request["hardware"]["memory_bytes"] == load_gpus().find("L4").memory_bytes // 2


def test_annotation_may_be_for_one_container() -> None:
    """The name of a container after a dot comes before what is said of all."""
    annotations = {"weighbridge.dev/model": "Qwen/Qwen3-4B", "weighbridge.dev/model.c": "Qwen/Qwen3-8B"}
    assert only_request(pod("vllm", "serve", "/m", annotations=annotations))["model"] == {"name": "Qwen/Qwen3-8B"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max-model-len", "long"),
        ("gpu-count", "0"),
        ("weight-format", "fp7"),
        ("kv-cache-dtype", "none"),
        ("gpu-memory-utilization", "nan"),
        ("engine", "enigma"),
    ],
)
def test_annotation_that_says_nothing_is_unreadable(name: str, value: str) -> None:
    """It is said which, and what the command line says is not taken in its place."""
    reading = pod("vllm", "serve", "Qwen/Qwen3-4B", annotations={f"weighbridge.dev/{name}": value})
    assert [(each.reason, each.field) for each in reading.unreadable] == [
        ("ArgumentUnreadable", f"metadata.annotations[weighbridge.dev/{name}]")
    ]
    assert not reading.servers


def test_assigned_flavour_comes_before_what_the_object_says() -> None:
    """It is where the pod will run."""
    manifest = {
        "kind": "Pod",
        "metadata": {"annotations": {"weighbridge.dev/gpu": "H200 SXM 141GB"}},
        "spec": {
            "containers": [{"name": "c", "command": ["vllm", "serve", "Qwen/Qwen3-4B"], "resources": {"limits": GPU}}]
        },
    }
    flavors = Surroundings(flavors={"small": "Tesla T4"}, assigned_flavor="small")
    assert only_request(read(manifest, flavors))["hardware"]["gpu"] == "Tesla T4"
    assert only_request(read(manifest, Surroundings()))["hardware"]["gpu"] == "H200 SXM 141GB"


def test_label_of_two_cards_is_weighed_as_both() -> None:
    """What a cloud calls a100 may have either memory."""
    node = {"karpenter.k8s.aws/instance-gpu-name": "a100"}
    found = pod("vllm", "serve", "Qwen/Qwen3-8B", "--max-model-len", "4096", node=node).servers
    assert [each.request["hardware"]["gpu"] for each in found] == ["A100 SXM4 40GB", "A100 SXM4 80GB"]


def test_more_types_than_are_weighed_are_too_many() -> None:
    """A pod that may run nearly anywhere is to name where."""
    values = [
        "Tesla-T4",
        "NVIDIA-L4",
        "NVIDIA-L40S",
        "NVIDIA-A10",
        "NVIDIA-A10G",
        "NVIDIA-A2",
        "NVIDIA-A16",
        "NVIDIA-A30",
    ]
    expression = {"key": "nvidia.com/gpu.product", "operator": "In", "values": values}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    container = {"name": "c", "command": ["vllm", "serve", "Qwen/Qwen3-0.6B"], "resources": {"limits": GPU}}
    manifest = {"kind": "Pod", "spec": {"affinity": affinity, "containers": [container]}}
    assert len(read(manifest, Surroundings()).servers) == len(values)
    values.append("NVIDIA-A40")
    (found,) = read(manifest, Surroundings()).unreadable
    assert found.reason == "GpuTypeNotNamed"


def test_presets_that_transformers_serves_are_said_not_to_be_weighed() -> None:
    """KAITO's other runtime is none of the engines that are read."""
    workspace = {
        "apiVersion": "kaito.sh/v1beta1",
        "kind": "Workspace",
        "metadata": {"annotations": {"kaito.sh/runtime": "transformers"}},
        "resource": {"instanceType": "Standard_NC24ads_A100_v4"},
        "inference": {"preset": {"name": "phi-4"}},
    }
    (found,) = read(workspace, Surroundings()).unreadable
    assert found.reason == "KindNotSupported"


def test_claims_for_other_devices_are_none_of_our_business() -> None:
    """A pod that serves nothing may claim what is not at hand."""
    manifest = {
        "kind": "Pod",
        "spec": {
            "resourceClaims": [{"name": "nic", "resourceClaimTemplateName": "fast"}],
            "containers": [{"name": "c", "command": ["run"], "resources": {"claims": [{"name": "nic"}]}}],
        },
    }
    assert read(manifest, Surroundings()) == Reading()


def test_file_of_arguments_may_be_named_from_the_working_folder() -> None:
    """A path that begins with none is below the container's folder."""
    config_map = {"kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a.yaml": "max_seq_len: 2048"}}
    container = {
        "name": "c",
        "workingDir": "/work",
        "command": ["trtllm-serve", "Qwen/Qwen3-4B", "--config", "./options/a.yaml"],
        "volumeMounts": [{"name": "v", "mountPath": "/work/options"}],
        "resources": {"limits": GPU},
    }
    volumes = [{"name": "v", "configMap": {"name": "m"}}]
    spec = {"nodeSelector": {"accelerator": "L4"}, "volumes": volumes, "containers": [container]}
    request = only_request(read({"kind": "Pod", "spec": spec}, Surroundings(objects=[config_map])))
    assert request["workload"] == {"max_model_len": 2048}


def test_objects_of_another_namespace_are_not_at_hand() -> None:
    """A ConfigMap is found by kind, name and namespace."""
    env = [{"name": "M", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}}]
    container = {"name": "c", "command": ["vllm", "serve", "$(M)"], "env": env, "resources": {"limits": GPU}}
    spec = {"nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-L4"}, "containers": [container]}
    manifest = {"kind": "Pod", "metadata": {"namespace": "a"}, "spec": spec}
    elsewhere = {"kind": "ConfigMap", "metadata": {"name": "m", "namespace": "b"}, "data": {"k": "Qwen/Qwen3-4B"}}
    here = {**elsewhere, "metadata": {"name": "m", "namespace": "a"}}
    (found,) = read(manifest, Surroundings(objects=[elsewhere])).unreadable
    assert found.reason == "ReferenceNotAtHand"
    assert only_request(read(manifest, Surroundings(objects=[elsewhere, here])))["model"] == {"name": "Qwen/Qwen3-4B"}
