"""A rule file that cannot be meant is refused, with its file, its line and what is wrong."""

from pathlib import Path

import pytest

from rules.facts import PassName
from rules.loader import RuleError, read_defaults, read_rule, read_rules
from rules.rule import AdviceRule, SupportRule
from rules.ruleset import load_rule_set, packaged_defaults, rule_files

ADVICE = """\
title: More GPUs than one
level: info
when:
  gpu_count: {gte: 2}
message:
  en: "{gpu_count} GPUs"
  zh: "{gpu_count} 块 GPU"
why: so that tests have a rule
source: none
cases:
  - {facts: {gpu_count: 2}, fires: true}
  - {facts: {gpu_count: 1}, fires: false}
"""

SUPPORT = """\
title: Everything runs
when:
  engine: vllm
conclude: {subjects: [engine], level: native, effect: none}
message: {en: runs, zh: 可以运行}
why: so that tests have a rule
source: none
cases:
  - {facts: {}, fires: true}
  - {facts: {engine: sglang}, fires: false}
"""


def read(folder: Path, text: str, *, of: PassName = "advice", name: str = "two-gpus") -> AdviceRule | SupportRule:
    """The rule that a file of that text and name is."""
    path = folder / f"{name}.yaml"
    path.write_bytes(text.encode())
    return read_rule(of, path, packaged_defaults()[of])


def test_a_rule_is_read(tmp_path: Path) -> None:
    """A sound file becomes a rule named as the file, with its defaults filled in."""
    rule = read(tmp_path, ADVICE)
    assert isinstance(rule, AdviceRule)
    assert (rule.id, rule.level, rule.facts_read) == ("two-gpus", "info", ("gpu_count",))
    assert [case.facts["gpu_count"] for case in rule.cases] == [2, 1]
    assert isinstance(read(tmp_path, SUPPORT, of="support"), SupportRule)


WHEN = "gpu_count: {gte: 2}"

REFUSALS = [
    # what is replaced, by what, line of the fault, part of the message
    (WHEN, "gpu_cuont: 2", 4, "no fact 'gpu_cuont'; did you mean 'gpu_count'?"),
    (WHEN, "weight_format: 1", 4, "1 is not a string"),
    (WHEN, "gpu_count: two", 4, "'two' is not a whole number"),
    (WHEN, 'gpu_count: "2"', 4, "'2' is not a whole number"),
    (WHEN, "gpu_count: true", 4, "True is not a whole number"),
    (WHEN, "hardware_is_given: 1", 4, "1 is not a boolean"),
    (WHEN, "weight_format: fp9", 4, "'fp9' is not one of its values; did you mean 'fp8'?"),
    (WHEN, "weight_format: []", 4, "a list of 1 to 64 values"),
    (WHEN, "weight_format: {in: fp8}", 4, "a list of 1 to 64 values"),
    (WHEN, "weight_format: [fp8, fp16, fp8]", 4, "the same value twice"),
    (WHEN, f"gpu_count: [{', '.join(map(str, range(65)))}]", 4, "a list of 1 to 64 values"),
    (WHEN, "weight_format: [fp8, [fp16]]", 4, "is not a string"),
    (WHEN, "gpu_count: {}", 4, "compared with nothing"),
    (WHEN, "gpu_count: {div: 2}", 4, "no operator 'div'"),
    (WHEN, "gpu_count: {nex: 1}", 4, "no operator 'nex'"),
    (WHEN, "gpu: {mt: '.*'}", 4, "no operator 'mt'"),
    (WHEN, "gpu: {gt: a}", 4, "is not a number"),
    (WHEN, "hardware_is_given: {lt: true}", 4, "is not a number"),
    (WHEN, "gpu_count: {gt: {fact: gpu_cuont}}", 4, "did you mean 'gpu_count'?"),
    (WHEN, "gpu_count: {gt: {fact: gpu}}", 4, "gpu is not a number"),
    (WHEN, "gpu_count: {gt: {fact: num_parameters, times: 2}}", 4, "another fact as"),
    (WHEN, "gpu_count: {eq: {fact: num_parameters}}", 4, "another fact as"),
    (WHEN, "gpu_count: {gt: 4611686018427387905}", 4, "is beyond"),
    (WHEN, f"gpu: {'x' * 513}", 4, "is longer than 512"),
    (WHEN, r'gpu: "a\0b"', 4, "cannot be printed"),
    (WHEN, "gpu_count: 1e3", 4, "read in two ways"),
    (WHEN, "gpu_count: 1.5", 4, "read in two ways"),
    (WHEN, "gpu_count: .nan", 4, "read in two ways"),
    (WHEN, "gpu_count: .inf", 4, "read in two ways"),
    (WHEN, "gpu_count: 0x10", 4, "read in two ways"),
    (WHEN, "gpu: no", 4, "read in two ways"),
    (WHEN, "gpu: ~", 4, "read in two ways"),
    (WHEN, "gpu: 2024-01-01", 4, "read in two ways"),
    (WHEN, "gpu_count: {gte: 2}\n  gpu_count: 3", 5, "said twice"),
    (WHEN, "gpu_count: &two 2", 4, "an anchor or a tag"),
    (WHEN, "gpu_count: !!python/object/apply:os.getpid []", 4, "an anchor or a tag"),
    (WHEN, "gpu_count: *two", 4, "alias"),
    (WHEN, "1: 2", 4, "is not a string"),
    (WHEN, f"gpu: {'[' * 20}{']' * 20}", 4, "nested too deeply"),
    ("when:\n  gpu_count: {gte: 2}", "when: {}", 3, "when"),
    ("when:\n  gpu_count: {gte: 2}\n", "", 1, "the field 'when' is missing"),
    ("level: info", "level: loud", 2, "level"),
    ("level: info", "levle: info", 2, "did you mean 'level'?"),
    ("level: info", "level: info\nprefer: [fp9]", 3, "'fp9' cannot be preferred; did you mean 'fp8'?"),
    ('en: "{gpu_count} GPUs"', 'en: "{gpu_cuont} GPUs"', 6, "no fact 'gpu_cuont'"),
    ('en: "{gpu_count} GPUs"', 'en: "{gpu_count.real} GPUs"', 6, "begins no"),
    ('en: "{gpu_count} GPUs"', 'en: "{gpu_count!r} GPUs"', 6, "begins no"),
    ('en: "{gpu_count} GPUs"', 'en: "{gpu_count:>99} GPUs"', 6, "begins no"),
    ('en: "{gpu_count} GPUs"', 'en: "{gpu_count:TiB} GPUs"', 6, "no display form 'TiB'"),
    ('en: "{gpu_count} GPUs"', 'en: "{gpu:GiB} GPUs"', 6, "GiB does not show"),
    ('en: "{gpu_count} GPUs"', 'en: "{hardware_is_given} GPUs"', 6, "is a boolean"),
    ('en: "{gpu_count} GPUs"', 'en: "{gpu} GPUs"', 5, "only one language"),
    ('  zh: "{gpu_count} 块 GPU"\n', "", 5, "message.zh"),
    ("fires: false", "fires: true", 10, "one must not"),
    ("{gpu_count: 1}", "{gpu_cuont: 1}", 12, "did you mean 'gpu_count'?"),
    ("{gpu_count: 1}", "{gpu_count: many}", 12, "is not a whole number"),
    ("{gpu_count: 1}", "{gpu_count: 9223372036854775808}", 12, "is beyond"),
    ("source: none\n", "", 1, "the field 'source' is missing"),
]


@pytest.mark.parametrize(("part", "instead", "line", "reason"), REFUSALS, ids=[row[1][:40] for row in REFUSALS])
def test_what_cannot_be_meant_is_refused(tmp_path: Path, part: str, instead: str, line: int, reason: str) -> None:
    """Each fault is refused at its line, in words that say what to change."""
    assert part in ADVICE
    with pytest.raises(RuleError) as caught:
        read(tmp_path, ADVICE.replace(part, instead, 1))
    assert reason in caught.value.message
    assert str(caught.value).startswith(f"{tmp_path / 'two-gpus.yaml'}:{line}: ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("- a list", "is not a mapping"),
        ("title: [", "expected"),
        ("a: b\n---\na: b\n", "second document"),
        ("a: b\n" * 20_000, "bytes, more than"),
        ("[" * 30_000, "nest"),
    ],
)
def test_what_is_not_a_rule_file_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    """A file that is no small mapping is refused, however it is spelt."""
    with pytest.raises(RuleError, match=reason):
        read(tmp_path, text)


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are refused."""
    path = tmp_path / "two-gpus.yaml"
    path.write_bytes(ADVICE.encode().replace(b"GPUs", b"\xff\xfe"))
    with pytest.raises(RuleError, match="not UTF-8"):
        read_rule("advice", path, packaged_defaults()["advice"])


@pytest.mark.parametrize("name", ["TwoGpus", "two_gpus", "gpus", "two--gpus", 'a"b-c', "a-" + "b" * 64])
def test_a_name_that_is_no_statement_in_kebab_case_is_refused(tmp_path: Path, name: str) -> None:
    """The id goes to the engine as it is, so it holds nothing that JSON would escape."""
    with pytest.raises(RuleError, match="kebab-case"):
        read(tmp_path, ADVICE, name=name)


def test_two_rules_of_one_name_are_refused(tmp_path: Path) -> None:
    """Ids are unique across folders and passes."""
    (tmp_path / "other").mkdir()
    read(tmp_path, ADVICE)
    read(tmp_path / "other", SUPPORT, of="support")
    files: list[tuple[PassName, Path]] = [
        ("advice", tmp_path / "two-gpus.yaml"),
        ("support", tmp_path / "other" / "two-gpus.yaml"),
    ]
    with pytest.raises(RuleError, match="ids are unique"):
        read_rules(files, packaged_defaults())


def test_a_rule_of_the_other_pass_is_refused(tmp_path: Path) -> None:
    """Advice cannot conclude support, and support cannot prefer."""
    with pytest.raises(RuleError):
        read(tmp_path, ADVICE, of="support")
    with pytest.raises(RuleError):
        read(tmp_path, SUPPORT)


def test_defaults_must_be_complete(tmp_path: Path) -> None:
    """A fact without a default, or one that is not declared, is refused where the defaults are read."""
    packaged = Path(rule_files.__code__.co_filename).parent / "default_facts.yaml"
    for part, instead, reason in (
        ("  gpu_count: 1\n", "", "no default for gpu_count"),
        ("  gpu_count: 1\n", "  gpu_count: 1\n  gpu_cuont: 1\n", "did you mean"),
        ("  gpu_count: 1\n", "  gpu_count: one\n", "whole number"),
    ):
        path = tmp_path / "default_facts.yaml"
        path.write_text(packaged.read_text().replace(part, instead))
        with pytest.raises(RuleError, match=reason):
            read_defaults(path)


def test_the_version_tells_what_rules_say_and_nothing_else(tmp_path: Path) -> None:
    """Shuffled files and rewritten cases have the same version; another threshold has another."""
    read(tmp_path, ADVICE)
    files = [*rule_files(Path(rule_files.__code__.co_filename).parent), ("advice", tmp_path / "two-gpus.yaml")]
    version = load_rule_set(files).version
    assert version.startswith("sha256:")
    assert load_rule_set(files[::-1]).version == version
    read(tmp_path, ADVICE.replace("{gpu_count: 2}", "{gpu_count: 8}"))
    assert load_rule_set(files).version == version
    read(tmp_path, ADVICE.replace("gte: 2", "gt: 1"))
    assert load_rule_set(files).version != version
    assert load_rule_set(files[:-1]).version == load_rule_set().version
