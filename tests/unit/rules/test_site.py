"""A site's rules lie over ours: they add, disable, change levels, and refuse what ours would let in."""

from pathlib import Path
from typing import Any

import pytest

from rules.loader import RuleError
from rules.recommend import Recommender, answer, packaged
from rules.ruleset import PACKAGED, load_rule_set, packaged_rules
from rules.site import MAX_SITE_FILES, load_with_site
from rules.trial import load_here
from schemas.recommendation import ErrorAnswer, Recommendation

from .site_folders import HEADROOM, NO_FP4, ONLY_H100, SITE, site_folder

QWEN_8B = {"name": "Qwen/Qwen3-8B"}


def by_site(folder: Path) -> Recommender:
    """What answers with the rules of ``folder`` over ours."""
    return packaged().ruled_by(load_with_site(folder))


def told(by: Recommender, **fields: Any) -> Recommendation:  # noqa: ANN401 - fields of a request
    """The recommendation to a request for the small model."""
    answered = answer({"model": QWEN_8B, **fields}, by=by)
    assert isinstance(answered, Recommendation), answered
    return answered


def test_a_denied_format_is_unsupported_and_says_why(tmp_path: Path) -> None:
    """FP4 in production is refused by an error of the site's, with its facts; elsewhere it fits as ever."""
    by = by_site(site_folder(tmp_path, no_fp4_in_production=NO_FP4))
    asked: dict[str, Any] = {"weight_format": "nvfp4", "hardware": {"gpu": "RTX 5090"}}
    denied = told(by, **asked, metadata={"example.org/stage": "production"})
    assert denied.verdict == "unsupported"
    assert denied.findings[0].rule == "no-fp4-in-production"
    assert denied.findings[0].level == "error"
    assert denied.findings[0].facts == {"metadata_stage": "production", "weight_format_kind": "fp4"}
    assert denied.findings[0].message == "This site serves no FP4 in production."
    assert denied.alternatives[0].changes == {"weight_format": "fp8"}
    assert {each.changes.get("weight_format") for each in denied.alternatives}.isdisjoint({"nvfp4", "mxfp4"})
    assert told(by, **asked).verdict == "fits"


def test_too_little_headroom_is_refused(tmp_path: Path) -> None:
    """Where less than 8 % of the usable memory is left the verdict is unsupported, and nowhere else."""
    by = by_site(site_folder(tmp_path, headroom_below_eight_percent=HEADROOM))
    seen = set()
    for sequences in range(1, 9):
        found = told(
            by,
            weight_format="bf16",
            hardware={"gpu": "RTX 4090"},
            workload={"max_model_len": 4096, "concurrent_sequences": sequences},
            alternatives=0,
        )
        is_short = found.per_gpu.headroom_bytes * 100 < 8 * found.per_gpu.usable_bytes
        assert (found.verdict == "unsupported") is is_short
        seen.add(is_short)
    assert seen == {True, False}


def test_a_namespace_with_one_gpu_gets_that_gpu(tmp_path: Path) -> None:
    """Asked without hardware, the ranking passes over every GPU that is refused; other namespaces keep theirs."""
    by = by_site(site_folder(tmp_path, research_has_only_h100=ONLY_H100))
    research = {"metadata": {"namespace": "research"}}
    placed = told(by, weight_format="bf16", **research)
    assert (placed.verdict, placed.deployment.gpu) == ("fits", "H100 SXM5 80GB")
    assert told(by, weight_format="bf16", hardware={"gpu": "L40S"}, **research).verdict == "unsupported"
    assert told(by, weight_format="bf16").deployment.gpu == told(packaged(), weight_format="bf16").deployment.gpu


def test_ours_are_disabled_and_given_other_levels(tmp_path: Path) -> None:
    """A disabled rule is silent, and a rule with another level speaks at that level."""
    site = "disable: [fp4-is-native]\nlevels: {quantization-costs-quality: warning}\n"
    by = by_site(site_folder(tmp_path, site=site))
    asked: dict[str, Any] = {"weight_format": "nvfp4", "hardware": {"gpu": "RTX 5090"}}
    before = {each.rule: each.level for each in told(packaged(), **asked).findings}
    after = {each.rule: each.level for each in told(by, **asked).findings}
    assert before["quantization-costs-quality"] == "info"
    del before["fp4-is-native"]
    assert after == {**before, "quantization-costs-quality": "warning"}


def test_the_version_tells_a_site_apart(tmp_path: Path) -> None:
    """Every answer's version of the rules is another with a site's rules, levels or defaults; with none it is ours."""
    ours = load_rule_set().version
    assert load_with_site(site_folder(tmp_path / "a", site="disable: []\n")).version == ours
    versions = {
        load_with_site(site_folder(tmp_path / name, site=site, **advice)).version
        for name, site, advice in (
            ("b", "levels: {fp4-is-native: warning}\n", {}),
            ("c", "disable: [fp4-is-native]\n", {}),
            ("d", SITE, {}),
            ("e", SITE.replace("development", "production"), {}),
            ("f", SITE, {"no_fp4_in_production": NO_FP4}),
            ("g", SITE, {"no_fp4_in_production": NO_FP4.replace("refuses: true\n", "")}),
        )
    }
    assert len(versions | {ours}) == 7
    by = by_site(tmp_path / "f")
    assert told(by, weight_format="bf16").versions.rules == load_with_site(tmp_path / "f").version


@pytest.mark.parametrize(
    ("metadata", "field", "reason"),
    [
        ({"example.org/stage": 3}, "metadata.example.org/stage", "3 is not a string"),
        ({"example.org/stage": None}, "metadata.example.org/stage", "None is not a string"),
        ({"replicas": "2"}, "metadata.replicas", "'2' is not a whole number"),
        ({"replicas": True}, "metadata.replicas", "True is not a whole number"),
        ({"replicas": 1.5}, "metadata.replicas", "1.5 is not a whole number"),
        ({"replicas": 2**63}, "metadata.replicas", "is beyond"),
        ({"is_shared": 1}, "metadata.is_shared", "1 is not a boolean"),
        ({"namespace": "x" * 513}, "metadata.namespace", "longer than 512"),
        ({"namespace": "a\0b"}, "metadata.namespace", "cannot be printed"),
    ],
)
def test_metadata_of_another_type_is_an_invalid_request(
    tmp_path: Path, metadata: dict[str, Any], field: str, reason: str
) -> None:
    """Metadata that a site's facts cannot be read from is answered with the field and what it should be."""
    by = by_site(site_folder(tmp_path))
    answered = answer({"model": QWEN_8B, "metadata": metadata}, by=by)
    assert isinstance(answered, ErrorAnswer)
    assert (answered.error.code, answered.error.field) == ("invalid_request", field)
    assert reason in answered.error.message


def test_metadata_that_no_fact_reads_is_free(tmp_path: Path) -> None:
    """What a site declares nothing about is echoed, whatever it is."""
    by = by_site(site_folder(tmp_path))
    metadata = {"pod": ["a", {"b": None}], "stage": 7}
    assert told(by, metadata=metadata).metadata == metadata


SITE_REFUSALS = [
    ("disable: [fp4-is-natve]\n", 1, "we have no rule 'fp4-is-natve'; did you mean 'fp4-is-native'?"),
    ("disable:\n  - fp4-is-native\n  - no-such\n", 3, "we have no rule 'no-such'"),
    ("levels: {fp4-is-native: loud}\n", 1, "levels.fp4-is-native"),
    ("levels:\n  fp4-is-natve: warning\n", 2, "did you mean 'fp4-is-native'?"),
    ("levels: {amd-fp8-units: warning}\n", 1, "concludes support"),
    ("disable: [fp4-is-native]\nlevels: {fp4-is-native: info}\n", 2, "is disabled"),
    ("disabel: [fp4-is-native]\n", 1, "did you mean 'disable'?"),
    ("facts:\n  Stage: {type: string, default: a}\n", 2, "lower case"),
    ("facts:\n  a.b: {type: string, default: a}\n", 2, "lower case"),
    ("facts:\n  stage: {type: text, default: a}\n", 2, "facts.stage.type"),
    ("facts:\n  stage: {type: string}\n", 2, "facts.stage.default"),
    ("facts:\n  stage: {type: string, default: 1}\n", 2, "1 is not a string"),
    ("facts:\n  stage: {type: integer, default: true}\n", 2, "True is not a whole number"),
    ("facts:\n" + "".join(f"  f{n}: {{type: string, default: a}}\n" for n in range(33)), 1, "33 facts, more than 32"),
    ("- a\n", 1, "is not a mapping"),
    ("facts: *x\n", 1, "alias"),
]


@pytest.mark.parametrize(("text", "line", "reason"), SITE_REFUSALS)
def test_a_site_file_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, line: int, reason: str) -> None:
    """Each fault is refused at its line, with the nearest known name."""
    folder = site_folder(tmp_path, site=text)
    with pytest.raises(RuleError) as caught:
        load_with_site(folder)
    assert reason in caught.value.message
    assert str(caught.value).startswith(f"{folder / 'site.yaml'}:{line}: ")


RULE_REFUSALS = [
    ("metadata_stage: production", "metadata_stgae: production", 5, "did you mean 'metadata_stage'?"),
    ("metadata_stage: production", "metadata_stage: 7", 5, "7 is not a string"),
    ("metadata_stage: production", "metadata_stage: {mt: 'prod.*'}", 5, "no operator 'mt'"),
    ("level: error", "level: warning", 2, "a rule that refuses is of level error"),
    ("metadata_stage: production", "consumer_gpus_that_fit: 0", 5, "known only after others were weighed"),
    ("metadata_stage: production", "sixteen_bit_verdict: fits", 5, "known only after others were weighed"),
    ("metadata_stage: production", "gpu_count: {lt: {fact: consumer_gpus_that_fit}}", 5, "known only after"),
    ("{metadata_stage}.", "{metadata_stage.__class__}.", 8, "a brace begins no"),
]


@pytest.mark.parametrize(("part", "instead", "line", "reason"), RULE_REFUSALS)
def test_a_sites_rules_are_checked_as_ours_are(tmp_path: Path, part: str, instead: str, line: int, reason: str) -> None:
    """A site's rule file is refused with file, line and the nearest name, just as one of ours."""
    folder = site_folder(tmp_path, no_fp4_in_production=NO_FP4.replace(part, instead, 1))
    with pytest.raises(RuleError) as caught:
        load_with_site(folder)
    assert reason in caught.value.message
    assert str(caught.value).startswith(f"{folder / 'advice' / 'no-fp4-in-production.yaml'}:{line}: ")


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("advise/no-fp4-here.yaml", "did you mean 'advice'?"),
        ("advice/no-fp4-here.yml", "does not end in .yaml"),
        ("no-fp4-here.yaml", "is neither site.yaml nor below"),
        ("sites.yaml", "did you mean 'site.yaml'?"),
        ("advice/fp4-is-native.yaml", "one of our rules is named 'fp4-is-native'"),
    ],
)
def test_a_file_that_would_be_passed_over_is_refused(tmp_path: Path, place: str, reason: str) -> None:
    """A rule that lies where none is looked for would be enforced by nobody, so that the whole folder is refused."""
    folder = site_folder(tmp_path)
    path = folder / place
    path.parent.mkdir(exist_ok=True)
    path.write_text(NO_FP4)
    with pytest.raises(RuleError) as caught:
        load_with_site(folder)
    assert reason in str(caught.value)


@pytest.mark.parametrize("target", ["nowhere", "folder"])
def test_a_link_that_would_be_passed_over_is_refused(tmp_path: Path, target: str) -> None:
    """A rule that cannot be read, and rules behind a link that is not followed, are faults and not absent rules."""
    (tmp_path / "folder").mkdir()
    folder = site_folder(tmp_path / "site")
    (folder / "advice" / "no-fp4-here.yaml").symlink_to(tmp_path / target)
    with pytest.raises(RuleError, match="cannot be read"):
        load_with_site(folder)


def test_folders_that_kubernetes_mounts_are_read(tmp_path: Path) -> None:
    """A mounted map is a folder of links into a folder that begins with two dots."""
    mounted = tmp_path / "mounted"
    site_folder(mounted / "..2026_11_25", no_fp4_in_production=NO_FP4)
    (mounted / "..data").symlink_to("..2026_11_25")
    for name in ("advice", "site.yaml"):
        (mounted / name).symlink_to(f"..data/{name}")
    assert "no-fp4-in-production" in {rule.id for rule in load_with_site(mounted).advice}


def test_a_folder_is_bounded(tmp_path: Path) -> None:
    """Too many files, or one that is too large, are refused before they are read."""
    many = site_folder(tmp_path / "many")
    for number in range(MAX_SITE_FILES + 1):
        (many / "advice" / f"rule-{number}.yaml").touch()
    with pytest.raises(RuleError, match=f"more than {MAX_SITE_FILES}"):
        load_with_site(many)
    with pytest.raises(RuleError, match="bytes, more than"):
        load_with_site(site_folder(tmp_path / "large", too_large="#" * 70_000))


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A misspelt path is a fault, not a site without rules."""
    with pytest.raises(RuleError, match="is not a folder"):
        load_with_site(tmp_path / "nowhere")


def test_disabling_what_support_rests_on_is_refused(tmp_path: Path) -> None:
    """A support rule that nothing stands in for cannot be disabled: something would have no conclusion."""
    trial = load_here(site_folder(tmp_path, site="disable: [vllm-runs-from-turing]\n"))
    assert trial.version is None
    assert "no support rule tells about engine where vendor is nvidia" in str(trial.fault)


def test_a_sites_support_rule_stands_in_for_ours(tmp_path: Path) -> None:
    """One of ours disabled and a rule of the site's in its place is whole, and the site's is what concludes."""
    folder = site_folder(tmp_path, site="disable: [vllm-runs-from-turing]\n")
    ours = (PACKAGED / "support" / "vllm" / "vllm-runs-from-turing.yaml").read_text()
    (folder / "support").mkdir()
    (folder / "support" / "our-vllm-runs-from-turing.yaml").write_text(ours)
    assert load_here(folder).fault is None
    found = told(by_site(folder), weight_format="bf16", hardware={"gpu": "RTX 4090"})
    assert found.support.engine.rule == "our-vllm-runs-from-turing"


def test_ours_are_read_once() -> None:
    """Reading a site's folder again does not read ours again."""
    assert packaged_rules() is packaged_rules()
