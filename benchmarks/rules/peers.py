"""The same rules in other engines, run by the interpreter of an environment of their own.

Every condition is a list of a fact, an operator and an operand: a value, a list of them, or ``{"fact": name}``.
"""

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

Rules = dict[str, list[list[Any]]]
Fired = Callable[[dict[str, Any]], set[str]]
"""The ids that fire on the facts of one pass."""

ORDERINGS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


def zen(rules: Rules) -> Fired:
    """A decision table that collects: one row a rule, its conditions one expression."""

    def test(fact: str, operator: str, operand: Any) -> str:  # noqa: ANN401 - any JSON
        value = operand["fact"] if isinstance(operand, dict) else json.dumps(operand, ensure_ascii=False)
        if operator in ORDERINGS:
            return f"{fact} {ORDERINGS[operator]} {value}"
        return f"{fact} { {'eq': '==', 'ne': '!=', 'in': 'in', 'not_in': 'not in'}[operator] } {value}"

    table = {
        "hitPolicy": "collect",
        "inputs": [{"id": "when", "name": "when", "type": "expression"}],
        "outputs": [{"id": "rule", "name": "rule", "field": "rule", "type": "expression"}],
        "rules": [
            {"_id": rule, "when": " and ".join(test(*each) for each in conditions), "rule": json.dumps(rule)}
            for rule, conditions in rules.items()
        ],
    }
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in", "content": {}},
        {"id": "table", "type": "decisionTableNode", "name": "table", "content": table},
        {"id": "out", "type": "outputNode", "name": "out", "content": {}},
    ]
    edges = [
        {"id": "a", "sourceId": "in", "targetId": "table", "type": "edge"},
        {"id": "b", "sourceId": "table", "targetId": "out", "type": "edge"},
    ]
    decision = import_module("zen").ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))

    def fired(facts: dict[str, Any]) -> set[str]:
        found = decision.evaluate(facts)["result"]
        return {each["rule"] for each in found or ()}

    return fired


def clips(rules: Rules) -> Fired:
    """One template, one rule a rule; a fact is asserted, run and retracted."""
    environment = import_module("clips").Environment()
    symbol = import_module("clips").Symbol
    names = sorted({name for conditions in rules.values() for each in conditions for name in _read(each)})
    noted: set[str] = set()
    environment.define_function(noted.add, "note")
    environment.build(f"(deftemplate told {' '.join(f'(slot {name})' for name in names)})")
    for rule, conditions in rules.items():
        environment.build(f'(defrule r-{rule} {_pattern(conditions)} => (note "{rule}"))')
    template = environment.find_template("told")

    def fired(facts: dict[str, Any]) -> set[str]:
        noted.clear()
        values = {name: facts[name] for name in names}
        told = template.assert_fact(
            **{name: symbol(str(each).upper()) if isinstance(each, bool) else each for name, each in values.items()}
        )
        environment.run()
        told.retract()
        return set(noted)

    return fired


def _read(condition: list[Any]) -> list[str]:
    fact, _, operand = condition
    return [fact, operand["fact"]] if isinstance(operand, dict) else [fact]


def _pattern(conditions: list[list[Any]]) -> str:
    """A pattern whose slots have literal constraints where they can, so that rules share tests of the network."""
    slots: dict[str, list[str]] = {}
    for fact, operator, operand in conditions:
        constraints = slots.setdefault(fact, [])
        if operator in ORDERINGS:
            other = f"?{operand['fact']}" if isinstance(operand, dict) else operand
            if isinstance(operand, dict):
                slots.setdefault(operand["fact"], [])
            constraints.append(f":({ORDERINGS[operator]} ?{fact} {other})")
        else:
            values = [_literal(each) for each in (operand if isinstance(operand, list) else [operand])]
            constraints.append(
                "|".join(values) if operator in {"eq", "in"} else "&".join(f"~{each}" for each in values)
            )
    # Variables that a test names must be bound in slots before it.
    bound = sorted(slots, key=lambda name: any(part.startswith(":") for part in slots[name]))
    spelt = (f"({name} {'&'.join([f'?{name}', *slots[name]])})" for name in bound)
    return f"(told {' '.join(spelt)})"


def _literal(value: Any) -> str:  # noqa: ANN401 - any scalar
    return str(value).upper() if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)


PEERS: dict[str, Callable[[Rules], Fired]] = {"zen-engine": zen, "clipspy": clips}
"""By the name of the distribution on PyPI, as ``requirements.txt`` pins it."""
