"""The mutants of a module: its source with one small change each, made by Cosmic Ray's operators."""

import pickle
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

# The operators that are used, of the two hundred that there are; a name says what becomes of what.
# A comparison becomes its neighbour at the boundary or its opposite, not all seven others, of which most say the same
# twice; a sum a difference, a product a quotient. `|` joins dictionaries, sets and types here: anything else in its
# place is a TypeError. The variable operators put in random numbers. For AddNot and ExceptionReplacer see `removing`.
USED = re.compile(
    r"core/(NumberReplacer|RemoveDecorator|Replace(And|Or|True|False|Break|Continue)With\w+"
    r"|ZeroIterationForLoop|ReplaceUnaryOperator_Delete_\w+"
    r"|ReplaceComparisonOperator_(Eq_NotEq|NotEq_Eq|Is_IsNot|IsNot_Is|Lt_LtE|LtE_Lt|Gt_GtE|GtE_Gt|Lt_GtE|LtE_Gt|Gt_LtE"
    r"|GtE_Lt)|ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|FloorDiv_Mul|Mod_FloorDiv))"
    r"|removing/\w+"
)

# Guards against ourselves, which nothing from outside can meet: whether the two sides of a zip are as long, and whether
# a value may be changed. Without commas and blanks, which are left where one of them was taken away.
GUARDS = re.compile(r"(strict|frozen|slots)=(True|False)|[,\s]")


@dataclass(frozen=True)
class Mutant:
    """A changed source. `within`: the function or class; `was` and `now`: the lines that differ, in one line each."""

    source: str
    operator: str
    within: str
    line: int
    was: str
    now: str

    @cached_property
    def name(self) -> tuple[str, str, str]:
        """What tells it from the others of its module, also after lines were moved."""
        return self.within, self.was, self.now


def mutants_of(source: str) -> Iterator[Mutant]:
    """Each once."""
    made: set[str] = set()
    for operator, line, within, changed in _changes(source):
        if changed not in made and GUARDS.sub("", changed) != GUARDS.sub("", source):
            made.add(changed)
            yield Mutant(changed, operator, within, line, *_difference(source, changed))


def _changes(source: str) -> Iterator[tuple[str, int, str, str]]:
    import cosmic_ray.plugins
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.ast.ast_query import ASTQuery
    from cosmic_ray.mutating import MutationVisitor

    from tests.mutants.removing import Removing

    cosmic_ray.plugins.OPERATOR_PROVIDERS["removing"] = Removing()
    tree = get_ast(source)
    copy = pickle.dumps(tree)  # an operator changes the tree; a copy takes a third of the time of reading it again
    for name in filter(USED.fullmatch, cosmic_ray.plugins.operator_names()):
        operator = cosmic_ray.plugins.get_operator(name)()
        places = ((node, start) for node in ast_nodes(tree) for start, _ in operator.mutation_positions(node))
        for occurrence, (node, (line, _)) in enumerate(places):
            if "BinaryOperator" in name and node.parent.type not in ("term", "arith_expr"):
                continue  # the * of a signature
            visitor = MutationVisitor(occurrence, operator)
            changed = visitor.walk(pickle.loads(copy)).get_code()
            assert visitor.mutation_applied, f"{name} changes nothing on line {line}"
            compile(changed, name, "exec")
            yield name.partition("/")[2], line, ASTQuery(node).get_definition_name() or "", changed


def _difference(source: str, changed: str) -> tuple[str, str]:
    """The lines between those with which both begin and end."""
    was, now = source.splitlines(), changed.splitlines()
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(was, now, strict=False)))
    behind = zip(reversed(was[start:]), reversed(now[start:]), strict=False)
    end = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], behind))
    return _one_line(was[start : len(was) - end]), _one_line(now[start : len(now) - end])


def _one_line(lines: Sequence[str]) -> str:
    return " ".join(" ".join(lines).split())
