"""The project's own engine and plain Python, asked as the peers are."""

from collections.abc import Callable
from typing import Any

from rules.conditions import Condition, OtherFact
from rules.engine import RuleEngine
from rules.facts import PassName

from .peers import ORDERINGS, Fired, Rules


def durable(of: PassName) -> Callable[[Rules], Fired]:
    """The engine asked about every fact, none remembered."""

    def engine(rules: Rules) -> Fired:
        ready = RuleEngine(of, {rule: tuple(_condition(*each) for each in told) for rule, told in rules.items()})
        return lambda facts: set(ready.fired([facts])[0])

    return engine


def plain(rules: Rules) -> Fired:
    """Every rule a Python function, written out as a person would."""
    source = "".join(
        f"def rule_{number}(f): return {' and '.join(_python(*each) for each in told)}\n"
        for number, told in enumerate(rules.values())
    )
    written: dict[str, Any] = {}
    exec(source, written)  # noqa: S102 - our own rules
    functions = [(rule, written[f"rule_{number}"]) for number, rule in enumerate(rules)]
    return lambda facts: {rule for rule, holds in functions if holds(facts)}


def _python(fact: str, operator: str, operand: Any) -> str:  # noqa: ANN401 - any JSON
    value = f"f[{operand['fact']!r}]" if isinstance(operand, dict) else repr(operand)
    signs = {**ORDERINGS, "eq": "==", "ne": "!=", "in": "in", "not_in": "not in"}
    return f"f[{fact!r}] {signs[operator]} {value}"


def _condition(fact: str, operator: Any, operand: Any) -> Condition:  # noqa: ANN401 - any JSON
    if isinstance(operand, dict):
        return Condition(fact, operator, OtherFact(operand["fact"]))
    return Condition(fact, operator, tuple(operand) if isinstance(operand, list) else operand)
