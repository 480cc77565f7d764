"""The benchmark of rule engines asks each the same."""

from benchmarks.peers.environment import requirements
from benchmarks.rules.__main__ import REQUIREMENTS
from benchmarks.rules.ours import durable, plain
from benchmarks.rules.peers import PEERS
from benchmarks.rules.workload import workload
from rules.ruleset import load_rule_set


def test_plain_python_as_it_is_written_out_fires_the_same() -> None:
    """The functions that stand for plain Python mean what the rules mean, on every deployment and in both passes."""
    asked = workload(load_rule_set())
    engines = durable("support")(asked.support), durable("advice")(asked.advice)
    functions = plain(asked.support), plain(asked.advice)
    fired = 0
    for deployment in asked.facts:
        for engine, function, facts in zip(engines, functions, deployment, strict=True):
            assert engine(facts) == function(facts)
            fired += len(function(facts))
    assert fired > len(asked.facts)


def test_every_peer_that_can_be_asked_is_pinned() -> None:
    """Figures can be repeated: each peer has a version in the requirements, and none is pinned that is not asked."""
    assert requirements(REQUIREMENTS).keys() == PEERS.keys()
