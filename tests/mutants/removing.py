"""Operators that Cosmic Ray does not have, given to it as a provider of their own, as its plugins are.

A statement is left out; a keyword argument is left out; `in` becomes `not in`; a condition becomes its opposite; an
exception is not handled any more. For the last two it has some, of which one negates only the first operand of
`a or b`, and no `elif`, comprehension or `:=`; the other cannot read a dotted name.
"""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import parso
from cosmic_ray.operators.operator import Operator
from parso.python.tree import Function, Keyword, Name, PythonNode
from parso.tree import NodeOrLeaf

Position = tuple[tuple[int, int], tuple[int, int]]
LOGGING = ("log.", "LOG.", "self._log.")  # a line of the log decides nothing


def position(node: NodeOrLeaf) -> Position:
    return node.start_pos, node.end_pos


class RemoveStatement(Operator):  # type: ignore[misc]
    """Puts `pass` in place of a call, a raise, a return, or an assignment to what existed before."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[Position]:
        if node.type == "simple_stmt" and self._matters(node.children[0]):
            yield position(node.children[0])

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        statement = node.children[0]
        node.children[0] = Keyword("pass", statement.start_pos, statement.get_first_leaf().prefix)
        return node

    @staticmethod
    def _matters(statement: NodeOrLeaf) -> bool:
        if statement.search_ancestor("funcdef") is None:
            return False  # without what a module or class defines, nothing at all would work
        if statement.type == "expr_stmt":
            return not _is_first_binding(statement)
        if statement.type in ("atom_expr", "await_expr"):
            return not statement.get_code(include_prefix=False).startswith(LOGGING)
        return statement.type in ("raise_stmt", "return_stmt", "yield_expr", "del_stmt")

    @classmethod
    def examples(cls) -> Iterable[Any]:
        return ()


def _is_first_binding(statement: Any) -> bool:
    """Whether a local variable is made here: without it the next line would raise a NameError."""
    defined = [name.value for name in statement.get_defined_names()]
    function: Function = statement.search_ancestor("funcdef")
    before = {
        name.value
        for name in _names(function)
        if name.is_definition() and name.start_pos < statement.start_pos and name.parent.type != "trailer"
    }
    targets = [child for child in statement.children if isinstance(child, Name | PythonNode)]
    only_names = bool(targets) and isinstance(statement.children[0], Name)
    return only_names and not set(defined) & before


def _names(node: NodeOrLeaf) -> Iterator[Name]:
    if isinstance(node, Name):
        yield node
    for child in getattr(node, "children", ()):
        yield from _names(child)


class RemoveKeywordArgument(Operator):  # type: ignore[misc]
    """Leaves out `name=value` in a call."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[Position]:
        yield from map(position, self._keywords(node))

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        keyword = list(self._keywords(node))[index]
        if node.type == "trailer":  # (name=value), and nothing else
            node.children.remove(keyword)
            return node
        at = node.children.index(keyword)
        node.children[at : at + 2] = []  # with the comma behind it
        return node

    @staticmethod
    def _keywords(node: NodeOrLeaf) -> Iterator[NodeOrLeaf]:
        called = node.type == "trailer" and node.children[0].value == "("
        if called or (node.type == "arglist" and node.parent.type == "trailer"):
            for child in node.children:
                if child.type == "argument" and child.children[0].type == "name" and child.children[1] == "=":
                    yield child

    @classmethod
    def examples(cls) -> Iterable[Any]:
        return ()


class ReplaceInWithNotIn(Operator):  # type: ignore[misc]
    """`in` and `not in`, each for the other."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[Position]:
        if node.type == "comparison":
            yield from (position(child) for child in node.children[1::2] if self._other(child))

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        found = [at for at, child in enumerate(node.children) if at % 2 and self._other(child)]
        node.children[found[index]] = parso.parse(f" {self._other(node.children[found[index]])}")
        return node

    @staticmethod
    def _other(operator: NodeOrLeaf) -> str | None:
        words = " ".join(operator.get_code(include_prefix=False).split())
        return {"in": "not in", "not in": "in"}.get(words)

    @classmethod
    def examples(cls) -> Iterable[Any]:
        return ()


class NegateCondition(Operator):  # type: ignore[misc]
    """The whole condition of `if`, `elif`, `while`, of a conditional expression and of a comprehension."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[Position]:
        yield from (position(node.children[at]) for at in self._conditions(node))

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        at = list(self._conditions(node))[index]
        node.children[at] = parso.parse(f" not ({node.children[at].get_code(include_prefix=False)})")
        return node

    @staticmethod
    def _conditions(node: NodeOrLeaf) -> Iterator[int]:
        if node.type in ("if_stmt", "while_stmt", "test", "comp_if"):
            for at, child in enumerate(node.children[:-1], start=1):
                keyword = child.type == "keyword" and child.value in ("if", "elif", "while")
                # `a < b` and `not a` have opposites of their own among the operators.
                if keyword and node.children[at].type not in ("comparison", "not_test"):
                    yield at

    @classmethod
    def examples(cls) -> Iterable[Any]:
        return ()


class ForgetException(Operator):  # type: ignore[misc]
    """Handles a RecursionError, which nothing here raises, in place of each exception of an `except`."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[Position]:
        if node.type == "except_clause":
            parent, at = self._classes(node)
            yield from (position(parent.children[one]) for one in at)

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        parent, at = self._classes(node)
        parent.children[at[index]] = parso.parse(" RecursionError")
        return node

    @staticmethod
    def _classes(clause: NodeOrLeaf) -> tuple[NodeOrLeaf, list[int]]:
        caught = clause.children[1]
        if caught.type == "atom" and caught.children[1].type == "testlist_comp":
            some = caught.children[1]
            return some, [at for at, child in enumerate(some.children) if child != ","]
        return clause, [1]

    @classmethod
    def examples(cls) -> Iterable[Any]:
        return ()


class Removing:
    """The provider."""

    OPERATORS: ClassVar = {
        one.__name__: one
        for one in (RemoveStatement, RemoveKeywordArgument, ReplaceInWithNotIn, NegateCondition, ForgetException)
    }

    def __iter__(self) -> Iterator[str]:
        return iter(self.OPERATORS)

    def __getitem__(self, name: str) -> type[Operator]:
        return self.OPERATORS[name]
