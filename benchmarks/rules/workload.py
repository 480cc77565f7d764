"""The project's rules and the facts of a hundred deployments, as plain values that any engine can be told."""

from typing import Any, NamedTuple

from rules.conditions import Condition, OtherFact
from rules.evaluate import flat
from rules.recommend import packaged
from rules.ruleset import RuleSet
from schemas.parse import parse_request
from schemas.recommendation import FactValue

MODELS = ("Qwen/Qwen3-8B", "Qwen/Qwen3-235B-A22B", "meta-llama/Llama-3.1-70B-Instruct", "Qwen/Qwen3-14B")
GPUS = ("RTX 3090", "RTX 4090", "H100-SXM-80GB", "RTX 5090", "MI300X")
FORMATS = (None, "fp8", "awq-int4", "nvfp4", "int8")
ENGINES = ("vllm", "sglang", "llama.cpp")

Facts = dict[str, FactValue]


class Workload(NamedTuple):
    """What every engine is asked."""

    support: dict[str, list[list[Any]]]
    """Rules of the first pass by id: fact, operator and operand of every condition."""
    advice: dict[str, list[list[Any]]]
    facts: list[tuple[Facts, Facts]]
    """Facts of both passes of each deployment."""


def workload(rule_set: RuleSet) -> Workload:
    """Both passes' rules, and the facts of deployments of several models, GPUs, formats and engines."""
    return Workload(
        support={rule.id: [_plain(each) for each in rule.when] for rule in rule_set.support},
        advice={rule.id: [_plain(each) for each in rule.when] for rule in rule_set.advice},
        facts=real_facts(),
    )


def real_facts() -> list[tuple[Facts, Facts]]:
    """The facts that both passes are told of each deployment."""
    told: list[tuple[Facts, Facts]] = []
    for model in MODELS:
        for gpu in GPUS:
            for weight_format in FORMATS:
                request = {
                    "model": {"name": model},
                    "weight_format": weight_format,
                    "engine": {"name": ENGINES[len(told) % len(ENGINES)]},
                    "hardware": {"gpu": gpu, "count": 4},
                }
                judged = packaged().judge(parse_request(request))
                told.append((dict(flat(judged.weighed.facts)), dict(judged.facts)))
    return told


def _plain(condition: Condition) -> list[Any]:
    operand = condition.operand
    if isinstance(operand, OtherFact):
        return [condition.fact, condition.operator, {"fact": operand.name}]
    return [condition.fact, condition.operator, list(operand) if isinstance(operand, tuple) else operand]
