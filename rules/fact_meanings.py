"""What each fact means, as the class that declares it says below its name."""

import ast
import inspect
from functools import cache
from itertools import pairwise

from .facts import FACTS_OF, PassName


@cache
def meanings(of: PassName) -> dict[str, str]:
    """A sentence for every fact of a pass, by its name."""
    (declaration,) = ast.parse(inspect.getsource(FACTS_OF[of])).body
    told: dict[str, str] = {}
    for field, text in pairwise(declaration.body if isinstance(declaration, ast.ClassDef) else ()):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            told[field.target.id] = inspect.cleandoc(str(text.value.value))
    return told
