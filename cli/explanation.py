"""How a recommendation's figures came about, term by term."""

from rich.console import Console
from rich.table import Table

from checkpoints.reader import Reader
from schemas.parse import parse_request
from schemas.recommendation import Recommendation
from schemas.request import Hardware
from sizing.catalog.catalog import load_catalog
from sizing.estimate_request import estimate
from sizing.explain import explain

from .table import gib


def print_explanation(out: Console, asked: object, answer: Recommendation, reader: Reader) -> None:
    """Print the formula of each term of ``answer`` to ``asked``, a decoded request, with its numbers put in."""
    request = parse_request(asked)
    if request.hardware is None:
        weighed = Hardware(gpu=answer.deployment.gpu, count=answer.deployment.gpu_count)
        request = request.model_copy(update={"hardware": weighed})
    table = Table("term", "bytes", "formula")
    for line in explain(estimate(request, load_catalog(), reader.read(request))):
        table.add_row(line.term, gib(line.size_bytes), line.formula)
    out.print(table)
    for finding in answer.findings:
        facts = ", ".join(f"{name} = {value}" for name, value in finding.facts.items())
        out.print(f"{finding.rule} read {facts} ({finding.source})", soft_wrap=True)
