"""What deploy/kubernetes ships, checked without a cluster: by schemas, and by how its parts refer to each other."""

import base64
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cel
import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from admission.kueue import kinds
from admission.kueue.names import CONTROLLER_NAME, GPU_ANNOTATION, PARAMETERS_GROUP, PARAMETERS_KIND
from admission.kueue.parameters import Parameters, parameters_of
from admission.kueue.settings import KueueSettings
from admission.manifest.kinds import registry
from admission.settings import AdmissionSettings
from cli.main import COMMANDS, main
from sizing.catalog.gpus import load_gpus
from worker.keys import Keys
from worker.settings import QUEUES, SECRETS, Settings

from .kubernetes import FOLDERS, KUBERNETES, ROOT, called, kustomization, objects, of_kind, pod_of

NAMESPACE = "weighbridge"
OURS = ("weighbridge-worker", "weighbridge-webhook", "weighbridge-kueue")
DATA = ROOT / "tests" / "data" / "kubernetes"
SETTINGS = (Settings, AdmissionSettings, KueueSettings)
VARIABLES = {kind.variable(name): name for kind in SETTINGS for name in kind.model_fields}
FILES = {f"{Settings.variable(name)}_FILE" for name in SECRETS}

Object = dict[str, Any]


def custom_schema(kind: str) -> Object | None:
    """The schema of a kind that Kubernetes does not bring; None where it does."""
    for file in ("kueue.yaml", "others.yaml"):
        told = yaml.safe_load((DATA / file).read_text(encoding="utf-8"))
        if kind in told:
            return {**told[kind], "$defs": told["$defs"]}
    return None


@pytest.mark.parametrize("value", objects(), ids=lambda value: f"{value['kind']}-{value['metadata']['name']}")
def test_objects_obey_their_schemas(value: Object) -> None:
    """Kubernetes' own kinds are valid, unknown fields included; those of others by what is written down of them."""
    schema = custom_schema(value["kind"])
    if value["kind"] == PARAMETERS_KIND:
        (version,) = called("CustomResourceDefinition", "sizingchecks.weighbridge.dev")["spec"]["versions"]
        schema = version["schema"]["openAPIV3Schema"]
    if schema is None:
        kubernetes_validate.validate(value, kubernetes_validate.latest_version(), strict=True)
    else:
        Draft202012Validator(schema).validate(value)


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_file_is_in_its_kustomization(folder: str) -> None:
    """What lies in a folder is applied with it, and what it names is there."""
    told = kustomization(folder)
    Draft202012Validator(custom_schema("Kustomization") or {}).validate(told)
    named = {(KUBERNETES / folder / name).resolve() for name in told["resources"]}
    assert all(path.exists() for path in named)
    there = {path.resolve() for path in (KUBERNETES / folder).glob("*.yaml")} - {
        (KUBERNETES / folder / "kustomization.yaml").resolve()
    }
    assert there == {path for path in named if path.is_file()}


def test_names_are_unique_and_in_our_namespace() -> None:
    """No two objects have a name in common, and what is of the service lies in its namespace."""
    told = [(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in objects()]
    assert len(told) == len(set(told))
    assert {namespace for kind, namespace, _ in told if namespace and kind != "LocalQueue"} == {NAMESPACE}


@pytest.mark.parametrize("deployment", of_kind("Deployment"), ids=lambda value: value["metadata"]["name"])
def test_pods_are_restricted(deployment: Object) -> None:
    """Every pod meets the pod security standard "restricted", writes to volumes alone, and has limits."""
    pod = pod_of(deployment)
    told = pod["securityContext"]
    assert told["runAsNonRoot"] is True
    assert told["runAsUser"] > 0
    assert told["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert not {"privileged", "runAsUser"} & set(context)
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
    assert all(set(volume) & {"secret", "emptyDir"} for volume in pod["volumes"])


@pytest.mark.parametrize("deployment", of_kind("Deployment"), ids=lambda value: value["metadata"]["name"])
def test_parts_of_a_deployment_refer_to_each_other(deployment: Object) -> None:
    """Selectors find the pods, mounts have volumes, probes have ports, accounts are there."""
    spec, pod = deployment["spec"], pod_of(deployment)
    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
    called("ServiceAccount", pod["serviceAccountName"])
    volumes = {volume["name"] for volume in pod["volumes"]}
    for container in pod["containers"]:
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes
        ports = {port["name"] for port in container["ports"]}
        for probe in (container.get(name) for name in ("readinessProbe", "livenessProbe")):
            told = (probe or {}).get("httpGet") or (probe or {}).get("tcpSocket")
            assert told is None or told["port"] in ports


@pytest.mark.parametrize("name", OURS)
def test_our_containers_run_commands_with_settings_that_exist(name: str) -> None:
    """The command is one of ours, each variable a setting, each plain value one that it accepts."""
    (container,) = pod_of(called("Deployment", name))["containers"]
    assert container["image"] == f"weighbridge:{version('weighbridge')}"
    command, *options = container["args"]
    assert command in COMMANDS
    assert not options
    assert CliRunner().invoke(main, [command, "--help"]).exit_code == 0
    variables = [each["name"] for each in container["env"]]
    assert len(variables) == len(set(variables))
    assert set(variables) <= set(VARIABLES) | FILES
    for kind in SETTINGS:
        plain = {
            each["name"]: each["value"]
            for each in container["env"]
            if "value" in each
            and each["name"] in {kind.variable(field) for field in kind.model_fields}
            and not each["name"].endswith("_FILE")
        }
        if kind is AdmissionSettings and plain:
            plain[kind.variable("plain_http")] = "true"  # the certificate is not on this machine
        kind.from_environment(plain)


@pytest.mark.parametrize("name", OURS)
def test_files_that_variables_name_are_mounted(name: str) -> None:
    """A variable that names a file names one below a volume, by a key that its secret has."""
    pod = pod_of(called("Deployment", name))
    (container,) = pod["containers"]
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    secrets = {volume["name"]: volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
    keys = {"weighbridge-redis": {"url"}, "weighbridge-webhook-tls": {"tls.crt", "tls.key", "ca.crt"}}
    named = [Path(each["value"]) for each in container["env"] if each["name"].endswith("_FILE")]
    assert named
    for path in named:
        assert path.name in keys[secrets[mounts[str(path.parent)]]]


def test_secrets_are_made_by_what_is_shipped() -> None:
    """The certificate's secret is what cert-manager writes; the queue's is in the trial alone."""
    mounted = {
        volume["secret"]["secretName"]
        for each in of_kind("Deployment")
        for volume in pod_of(each)["volumes"]
        if "secret" in volume
    }
    issued = {each["spec"]["secretName"] for each in of_kind("Certificate")}
    trial = {each["metadata"]["name"] for each in of_kind("Secret")}
    assert mounted <= issued | trial
    assert not [each for each in objects("base") if each["kind"] == "Secret"]
    address = called("Secret", "weighbridge-redis")["stringData"]["url"]
    assert Settings.from_environment({"WEIGHBRIDGE_REDIS_URL": address}).url == address


def test_issuers_are_there() -> None:
    """Each certificate is of an issuer that is shipped, and the authority's secret is what the second signs with."""
    for certificate in of_kind("Certificate"):
        called("Issuer", certificate["spec"]["issuerRef"]["name"])
    authority = called("Certificate", "weighbridge-authority")["spec"]
    assert authority["isCA"] is True
    assert called("Issuer", "weighbridge-authority")["spec"]["ca"]["secretName"] == authority["secretName"]


def test_services_find_pods_and_ports() -> None:
    """Each service selects the pods of one deployment, by a port that they have."""
    for service in of_kind("Service"):
        selected = [
            each
            for each in of_kind("Deployment")
            if service["spec"]["selector"].items() <= each["spec"]["template"]["metadata"]["labels"].items()
        ]
        assert len(selected) == 1
        ports = {port["name"] for each in pod_of(selected[0])["containers"] for port in each["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_webhook_is_asked_where_it_serves() -> None:
    """The API server's address is the service's, by a name in the certificate, on a path for a mode there is."""
    configuration = called("ValidatingWebhookConfiguration", "weighbridge")
    names = called("Certificate", "weighbridge-webhook")["spec"]["dnsNames"]
    for webhook in configuration["webhooks"]:
        service = webhook["clientConfig"]["service"]
        called("Service", service["name"])
        assert f"{service['name']}.{service['namespace']}.svc" in names
        (mode,) = webhook["namespaceSelector"]["matchExpressions"][0]["values"]
        assert service["path"] == f"/validate/{mode}"
        AdmissionSettings.from_environment({"WEIGHBRIDGE_ADMISSION_MODE": mode})
    injected = configuration["metadata"]["annotations"]["cert-manager.io/inject-ca-from"]
    assert injected == f"{NAMESPACE}/{called('Certificate', 'weighbridge-webhook')['metadata']['name']}"


def test_webhook_can_never_hold_up_a_cluster() -> None:
    """It is ignored where it does not answer, within two seconds, and never asked about itself or the system."""
    for webhook in called("ValidatingWebhookConfiguration", "weighbridge")["webhooks"]:
        assert webhook["failurePolicy"] == "Ignore"
        assert AdmissionSettings().deadline_seconds < webhook["timeoutSeconds"] <= 2
        assert webhook["sideEffects"] == "None"
        opted, excluded = webhook["namespaceSelector"]["matchExpressions"]
        assert (opted["key"], opted["operator"]) == ("weighbridge.dev/mode", "In")
        assert excluded["operator"] == "NotIn"
        assert {"kube-system", NAMESPACE} <= set(excluded["values"])
        assert webhook["matchConditions"]
    budget = called("PodDisruptionBudget", "weighbridge-webhook")["spec"]
    deployment = called("Deployment", "weighbridge-webhook")["spec"]
    assert budget["selector"] == deployment["selector"]
    assert budget["minAvailable"] < deployment["replicas"]


def test_webhook_is_asked_about_every_kind_that_is_read() -> None:
    """Whatever the reader knows, the rules name, in its group; and nothing else."""
    templated = {("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "ReplicaSet"), ("batch", "Job")}
    # Workloads are Kueue's to ask about, and answered by their check.
    known = (set(registry.KINDS) | templated) - {("kueue.x-k8s.io", "Workload")}
    ours = {(group, kind.lower()) for group, kind in known}
    for webhook in called("ValidatingWebhookConfiguration", "weighbridge")["webhooks"]:
        told = {
            (group, resource.removesuffix("s"))
            for rule in webhook["rules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
        }
        assert told == ours


SERVES = {"name": "vllm", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
PLAIN = {"name": "web", "resources": {"limits": {"cpu": "1"}}}
BARE = {"name": "web"}


@pytest.mark.parametrize(
    ("pod", "is_asked"),
    [
        ({"containers": [SERVES]}, True),
        ({"containers": [BARE, SERVES]}, True),
        ({"containers": [{"name": "x", "resources": {"limits": {"amd.com/gpu": "1"}}}]}, True),
        ({"containers": [{"name": "x", "resources": {"limits": {"nvidia.com/mig-1g.10gb": "1"}}}]}, True),
        ({"containers": [BARE], "initContainers": [SERVES]}, True),
        ({"containers": [BARE], "resourceClaims": [{"name": "gpu"}]}, True),
        ({"containers": [BARE]}, False),
        ({"containers": [PLAIN, BARE]}, False),
        ({"containers": [{"name": "x", "resources": {"requests": {"cpu": "1"}}}]}, False),
        ({"containers": [BARE], "initContainers": [PLAIN], "resourceClaims": []}, False),
    ],
)
def test_only_what_names_a_gpu_is_sent(pod: Object, is_asked: bool) -> None:  # noqa: FBT001 - a case
    """The condition holds of pods, and of what is made of a template, where a container or a claim may get a GPU."""
    for webhook in called("ValidatingWebhookConfiguration", "weighbridge")["webhooks"]:
        (condition,) = webhook["matchConditions"]
        for group, resource, value in (
            ("", "pods", {"spec": pod}),
            ("apps", "deployments", {"spec": {"template": {"spec": pod}}}),
            ("batch", "jobs", {"spec": {"template": {"spec": pod}}}),
            ("batch", "cronjobs", {"spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}}),
        ):
            told = {"request": {"resource": {"group": group, "version": "v1", "resource": resource}}, "object": value}
            assert cel.evaluate(condition["expression"], told) is is_asked
        custom = {"group": "ray.io", "version": "v1", "resource": "rayservices"}
        assert cel.evaluate(condition["expression"], {"request": {"resource": custom}, "object": {"spec": {}}}) is True


def test_controller_may_do_what_it_does_and_no_more() -> None:
    """It reads what it follows, writes two statuses and one lease; nobody else has a role or a token."""
    cluster = {
        (group, resource): set(rule["verbs"])
        for rule in called("ClusterRole", "weighbridge-kueue")["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    kueue = kinds.KueueKinds.of(kinds.VERSIONS[0])
    followed = {(each.group, each.plural) for each in (kueue.workloads, kueue.checks, kueue.flavors, kinds.PARAMETERS)}
    read, written = {"get", "list", "watch"}, {"patch"}
    statuses = {(kinds.GROUP, "workloads/status"), (kinds.GROUP, "admissionchecks/status")}
    assert cluster == dict.fromkeys(followed, read) | dict.fromkeys(statuses, written)
    held, made = called("Role", "weighbridge-kueue")["rules"]
    assert (held["verbs"], held["resourceNames"]) == (["get", "patch"], [KueueSettings().lease])
    assert made["verbs"] == ["create"]
    assert held["resources"] == made["resources"] == [kinds.LEASES.plural]
    for kind in ("ClusterRoleBinding", "RoleBinding"):
        (binding,) = of_kind(kind)
        called(binding["roleRef"]["kind"], binding["roleRef"]["name"])
        assert [subject["name"] for subject in binding["subjects"]] == ["weighbridge-kueue"]
    tokens = {
        each["metadata"]["name"] for each in of_kind("Deployment") if pod_of(each)["automountServiceAccountToken"]
    }
    assert tokens == {"weighbridge-kueue"}
    assert KueueSettings().namespace == NAMESPACE


def test_ports_that_are_served_are_let_through() -> None:
    """What is not named is closed, and each container's port is named in a policy that selects its pods."""
    closed = called("NetworkPolicy", "weighbridge-nothing")["spec"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for deployment in of_kind("Deployment"):
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        opened = {
            port["port"]
            for policy in of_kind("NetworkPolicy")
            if _selects(policy["spec"]["podSelector"], labels)
            for rule in policy["spec"].get("ingress", [])
            for port in rule["ports"]
        }
        served = {port["containerPort"] for each in pod_of(deployment)["containers"] for port in each["ports"]}
        assert opened == served, deployment["metadata"]["name"]


def _selects(selector: Object, labels: dict[str, str]) -> bool:
    listed = all(labels[each["key"]] in each["values"] for each in selector.get("matchExpressions", []))
    return listed and selector.get("matchLabels", {}).items() <= labels.items()


def test_workers_are_scaled_by_every_queue_there_is() -> None:
    """KEDA counts the lists that the service's queues are, at the server that the trial has."""
    scaled = called("ScaledObject", "weighbridge-worker")["spec"]
    called("Deployment", scaled["scaleTargetRef"]["name"])
    prefix = Keys(prefix=Settings().key_prefix).prefix
    assert {each["metadata"]["listName"] for each in scaled["triggers"]} == {f"{prefix}{queue}" for queue in QUEUES}
    service = called("Service", "weighbridge-redis")
    (port,) = service["spec"]["ports"]
    at = f"{service['metadata']['name']}.{NAMESPACE}.svc:{port['port']}"
    assert {each["metadata"]["address"] for each in scaled["triggers"]} == {at}
    assert scaled["minReplicaCount"] >= 1


def test_kueue_example_names_what_there_is() -> None:
    """The check is ours with parameters it can use; the queue names it and flavours that exist, of GPUs we know."""
    check = called("AdmissionCheck", "gpu-fit")
    assert check["spec"]["controllerName"] == CONTROLLER_NAME
    told = {each["metadata"]["name"]: each for each in of_kind(PARAMETERS_KIND)}
    assert parameters_of(check, told, Parameters(mode="off", annotate=False)) == Parameters(mode="warn", annotate=True)
    (queue,) = of_kind("ClusterQueue")
    flavors = {each["metadata"]["name"] for each in of_kind("ResourceFlavor")}
    (group,) = queue["spec"]["resourceGroups"]
    assert {each["name"] for each in group["flavors"]} == flavors
    for each in group["flavors"]:
        assert [resource["name"] for resource in each["resources"]] == group["coveredResources"]
    (named,) = queue["spec"]["admissionChecksStrategy"]["admissionChecks"]
    assert named["name"] == check["metadata"]["name"]
    assert set(named["onFlavors"]) == flavors
    assert called("LocalQueue", "inference")["spec"]["clusterQueue"] == queue["metadata"]["name"]
    annotated = [
        each["metadata"]["annotations"] for each in of_kind("ResourceFlavor") if "annotations" in each["metadata"]
    ]
    assert [load_gpus().find(each[GPU_ANNOTATION]).name for each in annotated] == ["L40S"]


def test_parameters_are_what_the_controller_reads() -> None:
    """The definition has the fields of our shape, with its modes, under the name that the controller asks for."""
    definition = called("CustomResourceDefinition", "sizingchecks.weighbridge.dev")["spec"]
    assert (definition["group"], definition["names"]["kind"]) == (PARAMETERS_GROUP, PARAMETERS_KIND)
    (version,) = definition["versions"]
    assert (version["name"], definition["names"]["plural"]) == (kinds.PARAMETERS.version, kinds.PARAMETERS.plural)
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    assert set(spec) == set(Parameters.model_fields)
    assert spec["mode"]["enum"] == Parameters.model_json_schema()["properties"]["mode"]["enum"]


def test_gatekeeper_asks_the_webhook() -> None:
    """The provider is the webhook's service, and the constraint is of the kind that the template defines."""
    provider = called("Provider", "weighbridge")
    host = provider["spec"]["url"].removeprefix("https://").partition("/")
    assert host[0] in called("Certificate", "weighbridge-webhook")["spec"]["dnsNames"]
    assert host[2] == "gatekeeper"
    assert base64.b64decode(provider["spec"]["caBundle"]) == b"REPLACE ME"
    (template,) = of_kind("ConstraintTemplate")
    kind = template["spec"]["crd"]["spec"]["names"]["kind"]
    assert template["metadata"]["name"] == kind.lower()
    assert f'"provider": "{provider["metadata"]["name"]}"' in template["spec"]["targets"][0]["rego"]
    (constraint,) = of_kind(kind)
    assert constraint["spec"]["enforcementAction"] == "warn"
