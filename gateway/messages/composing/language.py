"""The language of texts with variables, a subset of Jinja: `{{ name }}`, `{% if %}`, filters. Pure.

Texts of callers are safe to render: whatever could loop, grow or reach an object is refused, by a list of what is
allowed, before anything is compiled.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import islice
from math import inf

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, meta, nodes
from jinja2 import TemplateError as JinjaError
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_TEXT, MAX_MARKUP = 16 * 1024, 64 * 1024
MAX_RESULT = 64 * 1024
"""Characters of a template, and of one in HTML; bytes of the rendered text."""

MAX_FILTERED = 256 * 1024
"""Characters that the filters of a text may go through: as many filters as there are, times the longest value."""

MAX_TOKENS = 3000
"""Words and signs in the variables and tags of one message's texts. Compiling so many takes some 50 ms."""

MAX_DEPTH = 32
KEPT = 256

Value = str | int | float | bool

FILTERS = frozenset(
    {"capitalize", "default", "d", "float", "int", "length", "lower", "title", "trim", "truncate", "upper"}
)
"""None of them makes a text grow by more than its own length: no replace, center, indent, format."""

UNWRITABLE = (inf, -inf)
"""Constants that Jinja compiles into names that do not exist."""

TESTS = frozenset({"defined", "undefined", "number", "string"})

ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.CondExpr,
    nodes.Name,
    nodes.Const,
    nodes.Keyword,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
)

WORDS: tuple[tuple[tuple[type[nodes.Node], ...], str], ...] = (
    ((nodes.For,), "loops"),
    ((nodes.Call, nodes.CallBlock), "calls"),
    ((nodes.Getattr, nodes.Getitem), "parts of a variable"),
    ((nodes.Macro, nodes.Block, nodes.FilterBlock), "macros and blocks"),
    ((nodes.Assign, nodes.AssignBlock, nodes.With), "assignments"),
    ((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends), "other templates"),
    ((nodes.BinExpr, nodes.UnaryExpr, nodes.Concat), "calculations"),
    ((nodes.Literal,), "lists"),
)


class TemplateError(Exception):
    """The text cannot be rendered. reason: why, in words for the caller."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def render(text: str, variables: Mapping[str, Value], *, markup: bool = False) -> str:
    """Return the text with its variables filled in; markup is left as it is.

    `markup`: the text is HTML, so the values are escaped: what somebody is called changes nothing of it. Raises
    TemplateError, also for a variable that the text names and that has no value.
    """
    _check_variables(variables)
    template, filters = _compile(text, markup=markup)
    _check_filters(filters, (value for value in variables.values() if isinstance(value, str)))
    try:
        return _render(template, variables)
    except JinjaError as error:
        raise TemplateError(f"{error.message}; give it a value") from None
    except TemplateError:
        raise
    except Exception as error:  # noqa: BLE001 - Jinja's filters fail on odd arguments in ways of their own
        raise TemplateError(f"the template does not fit its variables: {error}") from None


def variable_names(text: str) -> frozenset[str]:
    """Return the variables that a text names. Raises TemplateError where no values could fill it."""
    _compile(text)
    return _variable_names(text)


@lru_cache(maxsize=KEPT)
def _variable_names(text: str) -> frozenset[str]:
    return frozenset(meta.find_undeclared_variables(ENVIRONMENT.parse(text)))


def check_tokens(texts: Iterable[str]) -> None:
    """Check the variables and tags of all texts of one message. Raises TemplateError if they are too many.

    Nothing is compiled for that, since compiling is what costs.
    """
    left = MAX_TOKENS
    for text in texts:
        try:
            left -= sum(1 for _ in islice(ENVIRONMENT.lex(text), left + 1)) if "{" in text else 0
        except TemplateSyntaxError:  # it is told where its field is known
            continue
        if left < 0:
            raise TemplateError("there are too many variables and tags in the texts")


def _render(template: Template, variables: Mapping[str, Value]) -> str:
    pieces, size = [], 0
    for piece in template.generate(variables):
        size += len(piece.encode(errors="replace"))
        if size > MAX_RESULT:
            raise TemplateError(f"the text becomes longer than {MAX_RESULT // 1024} KiB")
        pieces.append(piece)
    return "".join(pieces)


def _check_variables(variables: Mapping[str, Value]) -> None:
    for name, value in variables.items():
        if not isinstance(value, str | int | float):
            raise TemplateError(f"{name}: a variable is a text, a number, true or false")
        if isinstance(value, str) and len(value) > MAX_RESULT:
            raise TemplateError(f"{name}: longer than {MAX_RESULT // 1024} KiB")


def _check_filters(filters: int, values: Iterable[str]) -> None:
    if filters and filters * max(map(len, values), default=0) > MAX_FILTERED:
        raise TemplateError("there are too many filters for values of this length")


def _compile(text: str, *, markup: bool = False) -> tuple[Template, int]:
    """Return the template, and how many filters are in it. Raises TemplateError."""
    compiled = _compiled(text, markup=markup)
    if isinstance(compiled, str):
        raise TemplateError(compiled)
    return compiled


@lru_cache(maxsize=KEPT)
def _compiled(text: str, *, markup: bool) -> tuple[Template, int] | str:
    """Return the template and its filters, or why there is none, which is as dear to find out for each recipient."""
    try:
        return _compile_anew(text, markup=markup)
    except TemplateError as error:
        return error.reason


def _compile_anew(text: str, *, markup: bool) -> tuple[Template, int]:
    if len(text) > (MAX_MARKUP if markup else MAX_TEXT):
        raise TemplateError(f"a template has at most {MAX_MARKUP if markup else MAX_TEXT} characters")
    try:
        check_tokens([text])
        tree = ENVIRONMENT.parse(text)
        _check(tree, 0)
        filters = sum(1 for _ in tree.find_all(nodes.Filter))
        constants = (str(constant.value) for constant in tree.find_all(nodes.Const))
        _check_filters(filters, constants)
        return (ESCAPING if markup else ENVIRONMENT).from_string(tree), filters
    except TemplateSyntaxError as error:
        raise TemplateError(_with_blanks(text) or f"line {error.lineno}: {error.message}") from None
    except TemplateError:
        raise
    except Exception:  # noqa: BLE001 - Jinja's and then Python's compiler give up in many ways: RecursionError, MemoryError
        raise TemplateError("the template is too deep, or a number in it too long") from None


BLANKS = re.compile(r"{{\s*(\w+(?:[ \t]+\w+)+)\s*}}")
"""A variable whose name has blanks in it, as a table's headings have."""


def _with_blanks(text: str) -> str:
    """Return what to write in place of a name with blanks, or "" if that is not what is wrong."""
    found = BLANKS.search(text)
    meant = "_".join(found[1].split()) if found else ""
    return f"{found[0]}: a variable's name has no blanks; write {{{{{meant}}}}}" if found else ""


def _check(node: nodes.Node, depth: int) -> None:
    """Raise TemplateError at the first node that is not allowed."""
    if reason := _refusal(node) or ("it is nested too deep" if depth > MAX_DEPTH else ""):
        raise TemplateError(f"line {node.lineno or 1}: {reason}")
    for child in node.iter_child_nodes():
        _check(child, depth + 1)


def _refusal(node: nodes.Node) -> str:
    """Return why this node is not allowed, or ""."""
    match node:
        case nodes.Filter():
            return _name_refusal(node, "filter", FILTERS)
        case nodes.Test():
            return _name_refusal(node, "test", TESTS)
        case nodes.Name(name="self"):
            return "a variable cannot be called 'self'"
        case nodes.Const(value=value) if not isinstance(value, str | int | float) or value in UNWRITABLE:
            return "none and endless numbers are not allowed"
        case _ if type(node) in ALLOWED:
            return ""
    words = (words for kinds, words in WORDS if isinstance(node, kinds))
    return f"{next(words, 'tags of this kind')} are not allowed"


def _name_refusal(node: nodes.Filter | nodes.Test, kind: str, allowed: frozenset[str]) -> str:
    return "" if node.name in allowed else f"there is no {kind} {node.name!r}; there are {', '.join(sorted(allowed))}"


def _environment() -> ImmutableSandboxedEnvironment:
    # Messages are plain text: escaping would show people &amp; for &.
    environment = ImmutableSandboxedEnvironment(
        autoescape=False,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        cache_size=0,
    )
    environment.globals.clear()
    environment.filters = {name: call for name, call in environment.filters.items() if name in FILTERS}
    environment.tests = {name: call for name, call in environment.tests.items() if name in TESTS}
    return environment


ENVIRONMENT = _environment()
ESCAPING = ENVIRONMENT.overlay(autoescape=True)
"""For HTML, in which a value must not be markup."""
