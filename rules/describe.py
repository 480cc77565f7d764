"""Rules in words, for people."""

import json

from .conditions import Condition, OtherFact
from .rule import AdviceRule, SupportRule

_WORDS = {
    "eq": "is",
    "ne": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "lt": "<",
    "lte": "<=",
    "gt": ">",
    "gte": ">=",
}


def condition_in_words(condition: Condition) -> str:
    """What a condition asks of its fact."""
    operand = condition.operand
    if isinstance(operand, OtherFact):
        value = operand.name
    else:
        value = (
            ", ".join(json.dumps(each, ensure_ascii=False) for each in operand)
            if isinstance(operand, tuple)
            else json.dumps(operand, ensure_ascii=False)
        )
    return f"{condition.fact} {_WORDS[condition.operator]} {value}"


def conclusion_in_words(rule: SupportRule | AdviceRule) -> str:
    """What follows where a rule fires."""
    if isinstance(rule, SupportRule):
        conclusion = rule.conclusion
        return f"{', '.join(conclusion.subjects)}: {conclusion.level}, {conclusion.effect}"
    return f"{rule.level}, and refuses the deployment" if rule.refuses else rule.level
