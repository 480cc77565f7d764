"""How a recommendation came about: its figures term by term, then the chain from facts to verdict."""

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rules.describe import conclusion_in_words
from rules.evaluate import flat
from rules.recommend import Recommender
from rules.rule import Rule
from rules.weigh import Judged
from schemas.parse import parse_request
from schemas.recommendation import FactValue, Recommendation
from sizing.explain import explain

from .table import gib


def print_explanation(out: Console, asked: object, answer: Recommendation, by: Recommender) -> None:
    """Print how ``by`` came to ``answer`` when it was ``asked``, a decoded request."""
    judged = by.judge(parse_request(asked))
    table = Table("term", "bytes", "formula")
    for line in explain(judged.weighed.estimate):
        table.add_row(line.term, gib(line.size_bytes), line.formula)
    out.print(table)
    for part in (_support(judged), _advice(judged, answer), _verdict(judged, answer)):
        out.print(part, soft_wrap=True)


def _support(judged: Judged) -> Text:
    """What the first pass read, and which rules concluded what from it."""
    weighed = judged.weighed
    about = flat(weighed.facts)
    told = Text("facts of the support pass\n", style="bold")
    told.append(f"  {_values(about, about)}\n", style="default")
    told.append("support\n")
    for subject, found in weighed.support.shown:
        told.append(f"  {subject}: {found.level}, {found.effect}, by {found.rule}\n", style="default")
    told.append("rules that fired in the support pass\n")
    for rule in weighed.support.fired:
        told.append(f"  {rule.id} concludes {conclusion_in_words(rule)}\n{_read(rule, about)}", style="default")
    told.rstrip()
    return told


def _advice(judged: Judged, answer: Recommendation) -> Text:
    told = Text("rules that fired in the advice pass\n", style="bold")
    by_id = {rule.id: rule for rule in judged.advice}
    for rule in (by_id[finding.rule] for finding in answer.findings if finding.rule in by_id):
        told.append(f"  {rule.id} finds {conclusion_in_words(rule)}\n{_read(rule, judged.facts)}", style="default")
    if not by_id:
        told.append("  none\n", style="default")
    told.rstrip()
    return told


def _verdict(judged: Judged, answer: Recommendation) -> Text:
    """What speaks for and against, the worst of which is the verdict."""
    weighed = judged.weighed
    per_gpu, support = answer.per_gpu, weighed.support
    told = Text("verdict\n", style="bold")
    memory = f"needs {gib(per_gpu.total_bytes)}, at most {gib(answer.range.high_bytes)}, of {gib(per_gpu.usable_bytes)}"
    reasons = [
        f"support: the worst level is {support.level}{_named(' by ', support.refusals)}",
        f"refusals: {_named('', (rule for rule in judged.advice if rule.refuses)) or 'none'}",
        f"memory: {judged.facts['memory_verdict']}: {memory}",
    ]
    if judged.facts["engine_finds_too_little_free"]:
        reasons.append("engine: does not start, for less is free than it plans with")
    told.append("".join(f"  {reason}\n" for reason in reasons), style="default")
    return told.append(f"  therefore: {answer.verdict}")


def _read(rule: Rule, facts: Mapping[str, FactValue]) -> str:
    return f"    read {_values(rule.facts_read, facts)}\n    source: {rule.source}\n"


def _values(names: Iterable[str], facts: Mapping[str, FactValue]) -> str:
    return ", ".join(f"{name} = {facts[name]}" for name in names)


def _named(before: str, rules: Iterable[Rule]) -> str:
    names = ", ".join(rule.id for rule in rules)
    return f"{before}{names}" if names else ""
