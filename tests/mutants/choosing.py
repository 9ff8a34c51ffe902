"""Chooses mutants: small plausible mistakes at places drawn at random from the code of a room."""

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

PLAUSIBLE = re.compile(
    r"core/(ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_FloorDiv|Div_Mul|FloorDiv_Mul|Mod_FloorDiv|BitAnd_BitOr|BitXor_BitOr)"
    r"|ReplaceComparisonOperator_(Eq_NotEq|NotEq_Eq|Lt_LtE|Lt_GtE|LtE_Lt|LtE_Gt|Gt_GtE|Gt_LtE|GtE_Gt|GtE_Lt|Is_IsNot|IsNot_Is)"
    r"|ReplaceUnaryOperator_(USub_UAdd|Delete_USub|Delete_Not)|AddNot|Replace(True|False|And|Or|Break|Continue)With\w+"
    r"|ExceptionReplacer|NumberReplacer|RemoveDecorator|ZeroIterationForLoop)"
)
"""The operators that are used. The others mostly make code that cannot be imported, or means the same."""

BOOLEANS = {"core/ReplaceTrueWithFalse", "core/ReplaceFalseWithTrue"}

GUARDS = re.compile(r"\b(frozen|strict|ordered)=(True|False)")
"""Arguments that only matter beside another mistake, or for the speed: turned round, they mean the same."""


class Mutant(NamedTuple):
    """One mistake: the `occurrence`-th place in a file where this operator applies, which is on this line."""

    path: str
    line: int
    operator: str
    occurrence: int

    def source(self, root: Path) -> str:
        """Return the file with the mistake in it. Raises ValueError where the operator finds no place."""
        code = (root / self.path).read_text()
        mutated = mutate_code(code, get_operator(self.operator)(), self.occurrence)
        if mutated is None:
            raise ValueError(f"{self} is no mutant")
        return str(mutated)


def choose(root: Path, room: str, count: int, seed: int) -> Sequence[Mutant]:
    """Return so many mutants of a folder or file: first the lines are drawn, then one operator for each."""
    by_line = defaultdict(list)
    for mutant in _mutants(root, room):
        by_line[mutant.path, mutant.line].append(mutant)
    chance = random.Random(f"{room}:{seed}")
    lines = chance.sample(sorted(by_line), min(count, len(by_line)))
    return [chance.choice(by_line[line]) for line in lines]


def _mutants(root: Path, room: str) -> Iterator[Mutant]:
    folder = root / room
    for path in [folder] if folder.is_file() else sorted(folder.rglob("*.py")):
        tree, lines = get_ast(code := path.read_text()), code.splitlines()
        for name in filter(PLAUSIBLE.fullmatch, operator_names()):
            for occurrence, line in enumerate(_lines(tree, get_operator(name)())):
                if not (name in BOOLEANS and GUARDS.search(lines[line - 1])):
                    yield Mutant(str(path.relative_to(root)), line, name, occurrence)


def _lines(tree: Any, operator: Any) -> Iterator[int]:
    """Return the line of each place where an operator applies, in the tool's own order."""
    for node in ast_nodes(tree):
        for start, _ in operator.mutation_positions(node):
            yield start[0]
