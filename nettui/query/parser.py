"""Text to a tree of vectorised tests: recursive descent over the tokens, with the place of each fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from collectors.collector import Equalities
from collectors.table import Column, Table
from nettui.query import words
from nettui.query.comparison import comparison, meant
from nettui.query.pattern import TooCostly
from nettui.query.prefixes import Mask, Test
from nettui.query.units import is_unit
from nettui.suggest import unknown

LONGEST, DEEPEST = 4096, 50
TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
        |(?P<sign>==|!=|!~|<=|>=|&&|\|\||[=<>~!(),])
        |(?P<word>[^\s()<>=~!,"'&|]+)
        |(?P<end>$))""",
    re.VERBOSE | re.DOTALL,
)
OPERATORS = {"=": "=", "==": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "~": "~", "!~": "!~"}
SIGNS = {"&&": "and", "||": "or", "!": "not"}
RESERVED = frozenset({"and", "or", "not", "in", "is", "has", "covers"})


class QueryError(ValueError):
    """What is wrong with a filter: ``message``, and ``position``, the character in ``text`` at which it is."""

    def __init__(self, message: str, text: str = "", position: int = 0) -> None:
        super().__init__(message)
        self.message, self.text, self.position = message, text, position

    def pointed(self) -> str:
        """The filter with a caret below the place, for a terminal."""
        return f"  {self.text}\n  {' ' * self.position}^"


class UnknownColumn(QueryError):
    """A word that is no column of the table."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: str  # quoted, sign, word or end
    text: str
    at: int

    @property
    def keyword(self) -> str:
        """The reserved word or sign that this is, "" for a name or value."""
        if self.kind == "word":
            return self.text.lower() if self.text.lower() in RESERVED else ""
        return "" if self.kind == "quoted" else SIGNS.get(self.text, self.text)


@dataclass(frozen=True, slots=True)
class Equal:
    """A test that one column has this value; ``value`` as comparison.meant gives it."""

    column: str
    value: int | frozenset[str]
    test: Callable[[Table], Mask]

    def __call__(self, table: Table) -> Mask:
        return self.test(table)


@dataclass(frozen=True, slots=True)
class Every:
    """Tests that a row must pass all of."""

    tests: tuple[Callable[[Table], Mask], ...]

    def __call__(self, table: Table) -> Mask:
        found: Mask = np.logical_and.reduce([test(table) for test in self.tests])
        return found


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled filter. ``names``: the columns that it asks about."""

    text: str
    names: frozenset[str]
    test: Callable[[Table], Mask]

    def equalities(self) -> Equalities:
        """What every row that satisfies it is equal in, for a source that can leave out other rows by itself."""
        tests = [self.test]
        while any(isinstance(test, Every) for test in tests):
            tests = [inner for test in tests for inner in (test.tests if isinstance(test, Every) else (test,))]
        return tuple((test.column, test.value) for test in tests if isinstance(test, Equal))

    def mask(self, table: Table) -> Mask:
        """Which rows satisfy it, (rows,) bool. A column that this table lacks is absent in every row."""
        try:
            return self.test(table)
        except TooCostly as error:
            raise QueryError(str(error), self.text) from error


def compile(text: str, columns: Sequence[Column]) -> Query:
    """The filter ``text`` over these columns; empty text lets every row pass. Raises QueryError."""
    if len(text) > LONGEST:
        raise QueryError(f"a filter of more than {LONGEST} characters")
    parser = Parser(text, columns)
    test = parser.whole()
    return Query(text, frozenset(parser.asked), test)


def tokens(text: str) -> list[Token]:
    found: list[Token] = []
    at = 0
    while not found or found[-1].kind != "end":
        match = TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise QueryError("a quote that is never closed" if text[at] in "\"'" else "not understood", text, at)
        found.append(Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    return found


class Parser:
    """Recursive descent over one filter's tokens; each rule gives the test that it stands for."""

    def __init__(self, text: str, columns: Sequence[Column]) -> None:
        self.text, self.columns = text, columns
        self.by_name = {column.path.lower(): column for column in columns if column.path}
        self.by_name |= {column.name.lower(): column for column in columns}
        self.tokens, self.next, self.depth = tokens(text), 0, 0
        self.asked: set[str] = set()

    @property
    def token(self) -> Token:
        return self.tokens[self.next]

    def take(self) -> Token:
        token = self.token
        self.next += token.kind != "end"
        return token

    def accept(self, *keywords: str) -> bool:
        if self.token.kind != "end" and self.token.keyword in keywords:
            self.next += 1
            return True
        return False

    def wrong(self, message: str, token: Token | None = None) -> QueryError:
        return QueryError(message, self.text, (token or self.token).at)

    def whole(self) -> Callable[[Table], Mask]:
        if self.token.kind == "end":
            return lambda table: np.ones(len(table), np.bool_)
        test = self.either()
        if self.token.kind != "end":
            raise self.wrong("expected `and`, `or` or the end here")
        return test

    def either(self) -> Callable[[Table], Mask]:
        tests = [self.both()]
        while self.accept("or"):
            tests.append(self.both())
        return tests[0] if len(tests) == 1 else lambda table: np.logical_or.reduce([test(table) for test in tests])

    def both(self) -> Callable[[Table], Mask]:
        tests = [self.unary()]
        while self.accept("and"):
            tests.append(self.unary())
        return tests[0] if len(tests) == 1 else Every(tuple(tests))

    def unary(self) -> Callable[[Table], Mask]:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.wrong(f"nested more than {DEEPEST} deep")
        try:
            if self.accept("not"):
                inner = self.unary()
                return lambda table: ~inner(table)
            if self.accept("("):
                inner = self.either()
                if not self.accept(")"):
                    raise self.wrong("expected `)` here")
                return inner
            if self.accept("has"):
                return self.tested(self.named(), presence)
            return self.comparison()
        finally:
            self.depth -= 1

    def comparison(self) -> Callable[[Table], Mask]:
        place = self.token
        columns = self.named()
        if self.accept("is"):
            return self.presence(columns)
        if self.accept("covers"):
            return self.compared(columns, "covers", [self.value(columns)])
        if self.accept("in"):
            return self.compared(columns, "in", self.values(columns))
        if self.token.keyword == "not" and self.tokens[self.next + 1].keyword == "in":
            self.next += 2
            inner = self.compared(columns, "in", self.values(columns))
            present = self.tested(columns, presence, every=True)
            return lambda table: present(table) & ~inner(table)
        if self.token.kind == "sign" and self.token.text in OPERATORS:
            return self.compared(columns, OPERATORS[self.take().text], [self.value(columns)])
        if self.token.keyword in ("", "is") and self.token.kind != "end":
            return self.compared(columns, "=", [self.value(columns)])
        if all(column.dtype == "bool" for column in columns):
            return self.tested(columns, comparison(columns[0], "=", ["true"]))
        raise self.wrong(f"{place.text} is compared with nothing; `has {place.text}` asks whether it is there", place)

    def presence(self, columns: Sequence[Column]) -> Callable[[Table], Mask]:
        turned = self.accept("not")
        word = self.take()
        if word.text.lower() not in ("absent", "present", "unknown", "known"):
            raise self.wrong("expected `absent` or `present` here", word)
        test = self.tested(columns, presence)
        return test if (word.text.lower() in ("present", "known")) != turned else lambda table: ~test(table)

    def named(self) -> list[Column]:
        """The column that the next token names, or each of several by one of tcpdump's words."""
        token = self.take()
        if token.kind != "word" or token.keyword:
            raise self.wrong("expected a column's name here", token)
        name = token.text.lower()
        if name in self.by_name:
            return self.seen([self.by_name[name]])
        others = [self.by_name[other] for other in words.COLUMNS.get(name, ()) if other in self.by_name]
        either = [self.by_name[other] for other in words.EITHER.get(name, ()) if other in self.by_name]
        if others or either:
            return self.seen(others[:1] or either)
        raise UnknownColumn(unknown("column", token.text, [c.name for c in self.columns]), self.text, token.at)

    def seen(self, columns: list[Column]) -> list[Column]:
        self.asked |= {column.name for column in columns}
        return columns

    def values(self, columns: Sequence[Column]) -> list[Token]:
        bracketed = self.accept("(")
        found = [self.value(columns)]
        while self.accept(","):
            found.append(self.value(columns))
        if bracketed and not self.accept(")"):
            raise self.wrong("expected `,` or `)` here")
        return found

    def value(self, columns: Sequence[Column]) -> Token:
        token = self.take()
        if token.kind == "quoted":
            return Token("quoted", re.sub(r"\\([\"'])", r"\1", token.text[1:-1]), token.at)
        if token.kind != "word" or token.keyword:
            raise self.wrong("expected a value here; a reserved word needs quotes", token)
        if columns[0].numeric and self.token.kind == "word" and is_unit(self.token.text):
            return Token("word", f"{token.text}{self.take().text}", token.at)
        return token

    def compared(self, columns: Sequence[Column], operator: str, values: Sequence[Token]) -> Callable[[Table], Mask]:
        """One comparison of one column, or of any of several; a negative one must hold for all of them."""
        for value in values:  # one after the other, so that an error stands where its value does
            for column in columns:
                try:
                    comparison(column, operator, [value.text])
                except ValueError as error:
                    raise self.wrong(str(error), value) from error
        texts = [value.text for value in values]
        tests = [self.tested([column], comparison(column, operator, texts)) for column in columns]
        if operator == "=" and len(columns) == 1 and (wanted := meant(columns[0], texts[0])) is not None:
            return Equal(columns[0].name, wanted, tests[0])
        join = np.logical_and if operator.startswith("!") else np.logical_or
        return tests[0] if len(tests) == 1 else lambda table: join.reduce([test(table) for test in tests])

    def tested(self, columns: Sequence[Column], test: Test, every: bool = False) -> Callable[[Table], Mask]:
        join = np.logical_and if every else np.logical_or
        return lambda table: join.reduce([tested(table, column.name, test) for column in columns])


def tested(table: Table, name: str, test: Test) -> Mask:
    return test(table[name]) if name in table else np.zeros(len(table), np.bool_)


def presence(cells: object) -> Mask:
    found: Mask = cells.present()  # type: ignore[attr-defined]
    return found
