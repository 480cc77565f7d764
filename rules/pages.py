"""A page for every rule that comes with the project: ``python -m rules.pages [--check]`` writes docs/rules/."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import get_args

from schemas.recommendation import FactValue

from .describe import conclusion_in_words, condition_in_words
from .fact_meanings import meanings
from .facts import PassName, declared
from .loader import Defaults
from .rule import AdviceRule, Case, SupportRule
from .ruleset import PACKAGED, RuleSet, load_rule_set, packaged_defaults

FOLDER = PACKAGED.parent / "docs" / "rules"
COMMAND = "python -m rules.pages"

_WRITTEN = f"<!-- Written by `{COMMAND}`; do not edit. -->"
_LONG_LIST = 8
_PASSES: tuple[PassName, ...] = get_args(PassName)
_TITLES: dict[PassName, str] = {"support": "What is supported", "advice": "What is worth saying"}


def pages(rule_set: RuleSet) -> dict[str, str]:
    """The text of every page, by the name of its file."""
    usual = packaged_defaults()
    told = {f"{rule.id}.md": _page(rule, usual[rule.of]) for rule in rule_set.rules}
    return told | {"README.md": _index(rule_set), "facts.md": _facts(usual)}


def drifted() -> list[str]:
    """Names of the files in docs/rules/ that do not say what the rules say, or should not be there."""
    told = pages(load_rule_set())
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    return sorted(name for name in told.keys() | there.keys() if told.get(name) != there.get(name))


def _page(rule: SupportRule | AdviceRule, usual: Mapping[str, FactValue]) -> str:
    lines = [f"# {rule.id}", "", _WRITTEN, "", f"{rule.title}. {_PASS_OF[rule.of]}", ""]
    lines += [f"**{_heading(rule)}** {conclusion_in_words(rule)}", "", "**Fires when**", ""]
    lines += [f"- `{condition_in_words(each)}`" for each in rule.when]
    lines += ["", "**Says**", "", *(f"> {template.text}\n>" for template in rule.message.values())]
    lines[-1] = lines[-1].removesuffix("\n>")
    lines += ["", f"**Because** {rule.why}", ""]
    if isinstance(rule, AdviceRule) and rule.prefer:
        lines += [f"**Prefers** {', '.join(f'`{each}`' for each in rule.prefer)}", ""]
    lines += [f"**Source** {rule.source}", "", "| case | fires |", "|---|---|"]
    lines += [f"| {_given(case, usual)} | {'yes' if case.fires else 'no'} |" for case in rule.cases]
    lines += ["", "Facts that a case leaves out have the value that [facts](facts.md) gives.", ""]
    return "\n".join([*lines, f"In [`{_file(rule)}`](../../{_file(rule)}).", ""])


_PASS_OF: dict[PassName, str] = {
    "support": "A rule of the first pass, which concludes what GPU and engine support.",
    "advice": "A rule of the second pass, which finds what is worth saying.",
}


def _heading(rule: SupportRule | AdviceRule) -> str:
    return "Concludes" if isinstance(rule, SupportRule) else "Level"


def _given(case: Case, usual: Mapping[str, FactValue]) -> str:
    given = [f"`{name}` {_shown(value)}" for name, value in case.facts.items() if value != usual[name]]
    return ", ".join(given) or "as by default"


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value}" if value != "" else "empty"


def _index(rule_set: RuleSet) -> str:
    lines = ["# Rules", "", _WRITTEN, ""]
    lines += ["Every rule that comes with the project; what they may read is in [facts](facts.md)."]
    for of in _PASSES:
        lines += ["", f"## {_TITLES[of]}", ""]
        rules = sorted((rule for rule in rule_set.rules if rule.of == of), key=lambda rule: (_group(rule), rule.id))
        for group, members in groupby(rules, _group):
            lines += [f"### {group}", ""] if group else []
            lines += [*_rows(members), ""]
    return "\n".join(lines).replace("\n\n\n", "\n\n")


def _rows(rules: Iterable[SupportRule | AdviceRule]) -> Iterator[str]:
    yield "| rule | says | concludes |"
    yield "|---|---|---|"
    for rule in rules:
        yield f"| [{rule.id}]({rule.id}.md) | {rule.title} | {conclusion_in_words(rule)} |"


def _group(rule: SupportRule | AdviceRule) -> str:
    """The folders a rule lies in below that of its pass."""
    return "/".join(rule.origin.file.relative_to(PACKAGED / rule.of).parts[:-1])


def _file(rule: SupportRule | AdviceRule) -> str:
    return rule.origin.file.relative_to(PACKAGED.parent).as_posix()


def _facts(usual: Defaults) -> str:
    left_out = "A case that leaves a fact out takes the last column's value for it."
    lines = ["# Facts", "", _WRITTEN, "", f"What rules may read. {left_out}"]
    for of in _PASSES:
        lines += ["", f"## {_TITLES[of]}", "", "| fact | is | meaning | in cases |", "|---|---|---|---|"]
        for name, kind in declared(of).items():
            values = ", ".join(kind.allowed) if kind.allowed and len(kind.allowed) < _LONG_LIST else kind.spoken
            lines.append(f"| `{name}` | {values} | {meanings(of)[name]} | {_shown(usual[of][name])} |")
    return "\n".join([*lines, ""])


def main(arguments: list[str]) -> int:
    """Write docs/rules/, or with ``--check`` say which pages have drifted."""
    if "--check" in arguments:
        stale = drifted()
        for name in stale:
            sys.stderr.write(f"docs/rules/{name} has drifted: run {COMMAND}\n")
        return 1 if stale else 0
    told = pages(load_rule_set())
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.md"):
        if path.name not in told:
            path.unlink()
    for name, text in told.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
