"""``weighbridge size``: weighs requests in this process, without a server."""

import sys

import click

from rules.recommend import Recommender, answer, encode
from schemas.errors import WeighbridgeError
from schemas.recommendation import ErrorAnswer, Recommendation

from .exit_status import exit_status
from .request_files import read_requests
from .site_rules import site_recommender


@click.command("size")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="One answer a line, as JSON.")
@click.option("--explain", is_flag=True, help="Add each term's formula with its numbers, and what each rule read.")
def size(files: tuple[str, ...], *, as_json: bool, explain: bool) -> None:
    """Weigh the requests in FILES, JSON or JSON Lines; without FILES, or for -, standard input.

    WEIGHBRIDGE_MODEL_ROOT says below which folder model.path is, WEIGHBRIDGE_HUB=on lets model.repo be read.
    """
    if as_json and explain:
        raise click.UsageError("--explain is for people, --json for programs")
    asked, by = read_requests(files), site_recommender()
    if as_json:
        sys.exit(max((_print_line(_answered(place, value, by)) for place, value in asked), default=0))
    from .table import console, print_answers, print_one

    out, told = console(), [(value, _answered(place, value, by)) for place, value in asked]
    if explain:
        from .explanation import print_explanation

        for value, each in told:
            if isinstance(each, Recommendation):
                print_one(out, each)
                print_explanation(out, value, each, by)
            else:
                print_answers(out, [each])
    else:
        print_answers(out, [each for _, each in told])
    sys.exit(exit_status(each for _, each in told))


def _answered(place: str, value: object, by: Recommender) -> Recommendation | ErrorAnswer:
    if isinstance(value, WeighbridgeError):
        return ErrorAnswer.of(place, value)
    return answer(value, by=by)


def _print_line(each: Recommendation | ErrorAnswer) -> int:
    click.echo(encode(each))
    return exit_status([each])
