"""``weighbridge rules``: what the rules are, whether each does what its own cases say, and how to begin a new one."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .exit_status import BAD_INPUT
from .listing import Row, print_rows
from .queue_access import read_settings
from .site_rules import VARIABLE, site_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rules.facts import PassName
    from rules.reload_status import ReloadStatus
    from rules.rule import AdviceRule, SupportRule
    from rules.ruleset import RuleSet


@click.group(name="rules")
def rules() -> None:
    """List, show, test and begin rules: ours, and those of the folder that WEIGHBRIDGE_RULES_PATH names."""


@rules.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def list_rules(context: click.Context, *, as_json: bool) -> None:
    """List every rule: its id, its pass, what it concludes, its title; then which set is in force.

    Exit status 1 when the site's folder is broken.
    """
    from rules.describe import conclusion_in_words
    from rules.trial import try_folder

    rule_set, fault = _in_force()
    folder = site_folder()
    if folder is not None:
        fault = try_folder(folder).fault
    rows: list[Row] = []
    for rule in rule_set.rules:
        is_own = folder is not None and rule.origin.file.is_relative_to(folder)
        rows.append(
            {
                "id": rule.id,
                "pass": rule.of,
                "concludes": conclusion_in_words(rule),
                "title": rule.title,
                "of": "site" if is_own else "weighbridge",
            }
        )
    print_rows(rows, as_json=as_json)
    _tell(rule_set, folder, fault)
    context.exit(1 if fault else 0)


@rules.command(name="show")
@click.argument("rule_id", metavar="ID")
@click.pass_context
def show_rule(context: click.Context, rule_id: str) -> None:
    """Print the rule ID for a person to read."""
    from difflib import get_close_matches

    rule_set, fault = _in_force()
    if fault:
        click.echo(fault, err=True)
    found = {rule.id: rule for rule in rule_set.rules}
    if rule_id not in found:
        near = get_close_matches(rule_id, found, n=1, cutoff=0)
        click.echo(f"there is no rule {rule_id!r}; the nearest is {near[0]!r}", err=True)
        context.exit(BAD_INPUT)
    for name, text in _lines(found[rule_id]):
        click.echo(f"{name:<10} {text}".rstrip())


@rules.command(name="test")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.pass_context
def run_tests(context: click.Context, folder: Path | None) -> None:
    """Run the cases of every rule, with those of a site's FOLDER where one is given; exit 1 if one fails.

    A folder is loaded as a worker loads it: in a process of its own, and as a whole or not at all.
    """
    from rules.cases import count_cases, run_cases
    from rules.loader import RuleError
    from rules.ruleset import load_rule_set

    site = folder or site_folder()
    if site is not None:
        _test_site(context, site)
        return
    try:
        rule_set = load_rule_set()
    except RuleError as error:
        click.echo(str(error))
        context.exit(1)
    failures = run_cases(rule_set)
    for failure in failures:
        click.echo(str(failure))
    click.echo(f"{len(rule_set.rules)} rules, {count_cases(rule_set)} cases, {len(failures)} failed")
    context.exit(1 if failures else 0)


@rules.command(name="new")
@click.argument("rule_id", metavar="ID")
@click.option(
    "--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The site's folder, or rules."
)
@click.option("--pass", "of", type=click.Choice(["advice", "support"]), default="advice", show_default=True)
@click.pass_context
def new_rule(context: click.Context, rule_id: str, folder: Path | None, of: "PassName") -> None:
    """Write the file of a new rule ID, whose cases fail until you have written it."""
    from rules.loader import is_rule_id
    from rules.template import TEMPLATES

    site = folder or site_folder()
    if site is None:
        click.echo(f"say where: --folder, or {VARIABLE}", err=True)
        context.exit(BAD_INPUT)
    if not is_rule_id(rule_id):
        click.echo(f"{rule_id!r} is not a statement in kebab-case, such as fp4-is-not-for-production", err=True)
        context.exit(BAD_INPUT)
    path = site / of / f"{rule_id}.yaml"
    path.parent.mkdir(exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATES[of])
    except FileExistsError:
        click.echo(f"{path} is there already", err=True)
        context.exit(BAD_INPUT)
    click.echo(f"{path}: write it, then run weighbridge rules test")


@rules.command(name="facts")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_facts(*, as_json: bool) -> None:
    """List the facts that rules may read, with what they mean; those of the site's folder too."""
    from rules.fact_meanings import meanings

    rule_set, _ = _in_force()
    passes: tuple[PassName, ...] = ("support", "advice")
    rows: list[Row] = []
    for of in passes:
        for name, kind in rule_set.known(of).items():
            values = ", ".join(kind.allowed) if kind.allowed else kind.spoken
            rows.append({"pass": of, "fact": name, "is": values, "meaning": meanings(of).get(name, "of this site")})
    print_rows(rows, as_json=as_json)


def _in_force() -> "tuple[RuleSet, str | None]":
    """Our rules with the site's; ours alone, and why, where the site's folder is broken."""
    from rules.loader import RuleError
    from rules.ruleset import load_rule_set
    from rules.site import load_with_site

    folder = site_folder()
    if folder is None:
        return load_rule_set(), None
    try:
        return load_with_site(folder), None
    except RuleError as error:
        return load_rule_set(), str(error)


def _tell(rule_set: "RuleSet", folder: Path | None, fault: str | None) -> None:
    """Say which set was listed, what is wrong with the site's folder, and what workers on this machine go by."""
    if fault:
        click.echo(f"{folder} is broken, and ours alone are listed: {fault}", err=True)
    else:
        click.echo(f"rules {rule_set.version}" + (f", with those of {folder}" if folder else ""), err=True)
    for name, status in _workers():
        click.echo(f"worker {name} answers by {status.version} since {status.in_force_since}", err=True)
        if status.broken:
            click.echo(f"worker {name} refuses {status.folder} since {status.broken_since}: {status.broken}", err=True)


def _workers() -> "Iterator[tuple[str, ReloadStatus]]":
    """The workers that note their rules on this machine, running or not, and what they noted."""
    from rules.reload_status import read_status

    home = read_settings().home / "rules"
    for noted in sorted(home.iterdir()) if home.is_dir() else ():
        if (status := read_status(noted)) is not None:
            yield noted.name, status


def _test_site(context: click.Context, folder: Path) -> None:
    from rules.trial import try_folder

    trial = try_folder(folder)
    for fault in trial.faults:
        click.echo(fault)
    if trial.version is None:
        click.echo(f"{folder} would not come into force")
        context.exit(1)
    click.echo(f"{trial.rules} rules, {trial.cases} cases, 0 failed")
    click.echo(f"{folder} comes into force as {trial.version}")


def _lines(rule: "SupportRule | AdviceRule") -> list[tuple[str, str]]:
    from rules.describe import conclusion_in_words, condition_in_words
    from rules.rule import AdviceRule

    lines = [("rule", rule.id), ("title", rule.title), ("pass", rule.of), ("concludes", conclusion_in_words(rule))]
    lines += [("when" if not place else "", condition_in_words(each)) for place, each in enumerate(rule.when)]
    lines += [(f"message {locale}", template.text) for locale, template in rule.message.items()]
    if isinstance(rule, AdviceRule) and rule.prefer:
        lines.append(("prefer", ", ".join(rule.prefer)))
    cases = f"{len(rule.cases)}, of which {sum(case.fires for case in rule.cases)} fire"
    lines += [("why", rule.why), ("source", rule.source), ("cases", cases)]
    return [*lines, ("file", str(rule.origin.file))]
