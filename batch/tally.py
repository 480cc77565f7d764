"""What the answers of a batch come to, counted as they come."""

from collections import Counter
from dataclasses import dataclass, field

from schemas.vocabulary import VERDICTS, Verdict

from .line import Outcome

ERROR = "error"


@dataclass(kw_only=True)
class Tally:
    """Counts, of as many kinds as there are verdicts, codes, formats and versions."""

    verdicts: Counter[str] = field(default_factory=Counter)
    """Cells by verdict; errors among them."""
    codes: Counter[str] = field(default_factory=Counter)
    """Errors by code."""
    formats: dict[str, Counter[str]] = field(default_factory=dict)
    """Cells by verdict, for each weight format that was asked for."""
    versions: Counter[str] = field(default_factory=Counter)
    """Recommendations by the versions they were computed with."""

    @property
    def done(self) -> int:
        """Cells that are answered."""
        return self.verdicts.total()

    @property
    def errors(self) -> int:
        """Cells whose answer is an error."""
        return self.verdicts[ERROR]

    def by_verdict(self) -> dict[Verdict, int]:
        """Cells of each verdict, best first."""
        return {verdict: self.verdicts[verdict] for verdict in VERDICTS}

    def add(self, told: Outcome) -> None:
        """Counts one cell."""
        verdict = told.verdict or ERROR
        self.verdicts[verdict] += 1
        self.formats.setdefault(told.weight_format, Counter())[verdict] += 1
        if told.code is not None:
            self.codes[told.code] += 1
        if told.versions is not None:
            self.versions[told.versions] += 1
