"""A site's folder loaded in a process of its own, which may crash or hang: ``python -m rules.trial FOLDER``."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

SECONDS = 60.0
"""What loading a folder and running its cases may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of loading a folder."""

    version: str | None
    """Version of the rule set; None when there is a fault."""
    rules: int = 0
    cases: int = 0
    faults: tuple[str, ...] = ()
    """What is wrong, each with file and line where there is one."""

    @property
    def fault(self) -> str | None:
        """What is wrong, in one line."""
        if not self.faults:
            return None
        return self.faults[0] + (f"; {len(self.faults) - 1} more" if self.faults[1:] else "")


def try_folder(folder: Path, *, seconds: float = SECONDS) -> Trial:
    """What comes of our rules with those of ``folder`` laid over them, loaded and tested in a process that may die."""
    # -P: a folder named rules where the command is given must not be taken for ours.
    command = [sys.executable, "-P", "-m", "rules.trial", str(folder)]
    try:
        ran = subprocess.run(  # noqa: S603 - ourselves
            command, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return _faulty(f"loading it did not end within {seconds:g} s")
    try:
        told = json.loads(ran.stdout)
        return Trial(**{**told, "faults": tuple(told["faults"])})
    except (ValueError, TypeError, KeyError):
        how = f"signal {-ran.returncode}" if ran.returncode < 0 else f"status {ran.returncode}"
        return _faulty(f"loading it ended the process with {how}: {ran.stderr.strip()[-500:] or 'nothing said'}")


def load_here(folder: Path) -> Trial:
    """What comes of loading and testing ``folder`` in this process."""
    from .cases import count_cases, run_cases  # noqa: PLC0415 - only the process that tries needs them
    from .loader import RuleError  # noqa: PLC0415
    from .ruleset import packaged_rules  # noqa: PLC0415
    from .site import load_with_site  # noqa: PLC0415
    from .support_coverage import first_gap  # noqa: PLC0415

    try:
        rule_set = load_with_site(folder)
    except RuleError as error:
        return _faulty(str(error))
    if failures := run_cases(rule_set):
        return _faulty(*(f"{failure}, unlike its case says" for failure in failures))
    kept = {rule.id for rule in rule_set.support}
    without = any(rule.of == "support" and rule.id not in kept for rule in packaged_rules())
    if without and (gap := first_gap(rule_set.support)):
        return _faulty(f"{folder}: with what is disabled, {gap}")
    return Trial(version=rule_set.version, rules=len(rule_set.rules), cases=count_cases(rule_set))


def _faulty(*faults: str) -> Trial:
    return Trial(version=None, faults=faults)


def main(arguments: list[str]) -> int:
    """Print what comes of loading the folder that ``arguments`` name, as JSON."""
    (folder,) = arguments
    sys.stdout.write(json.dumps(asdict(load_here(Path(folder)))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
