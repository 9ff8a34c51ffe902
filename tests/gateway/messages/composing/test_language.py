"""Tests the template language: what callers may write, what is refused, and that no template harms the gateway."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messages.composing.language import MAX_RESULT, MAX_TEXT, TemplateError, Value, render

VALUES = st.text() | st.integers() | st.floats() | st.booleans()


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ("", {}, ""),
        ("no variables & <b>markup</b>", {}, "no variables & <b>markup</b>"),
        ("{{ name }}, заказ {{ order }}", {"name": "Анна & <Ко>", "order": 5}, "Анна & <Ко>, заказ 5"),
        ("{{ price }} {{ paid }}", {"price": 9.5, "paid": True}, "9.5 True"),
        ("{% if vip %}Dear{% else %}Hi{% endif %}", {"vip": False}, "Hi"),
        ("{% if n > 1 and n < 5 %}few{% elif n == 1 %}one{% else %}many{% endif %}", {"n": 3}, "few"),
        ("{{ 'ready' if ready else 'not yet' }}", {"ready": True}, "ready"),
        ("{{ name|default('guest') }}", {}, "guest"),
        ("{% if name is defined %}{{ name }}{% endif %}!", {}, "!"),
        ("{{ name|trim|upper }}", {"name": " anna "}, "ANNA"),
        ("{{ name|truncate(8) }}", {"name": "Konstantinopel"}, "Konst..."),
        ("{% raw %}{{ name }}{% endraw %}{# unsaid #}", {}, "{{ name }}"),
        ("a\n{{ b }}\n", {"b": "c"}, "a\nc\n"),
        ("{{ a }}", {"a": "{{ b }}"}, "{{ b }}"),
    ],
)
def test_texts(text: str, variables: dict[str, Value], expected: str) -> None:
    assert render(text, variables) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Hi {{ name }}", "'name' is undefined"),
        ("{% if vip %}x{% endif %}", "'vip' is undefined"),
        ("one\n{{ name", "line 2: unexpected end of template"),
        ("{% if a %}", "Unexpected end of template"),
        ("{% for x in a %}{{ x }}{% endfor %}", "line 1: loops are not allowed"),
        ("one\n{{ a.b }}", "line 2: parts of a variable are not allowed"),
        ("{{ a|shout }}", "there is no filter 'shout'; there are capitalize, "),
        ("{{ a is callable }}", "there is no test 'callable'; there are defined, "),
        ("{{ a < 3 }}", "does not fit its variables"),
        ("{{ a|truncate(2, end='....') }}", "does not fit its variables"),
        ("{{ self }}", "cannot be called 'self'"),
    ],
)
def test_reasons(text: str, reason: str) -> None:
    with pytest.raises(TemplateError) as refusal:
        render(text, {"a": "abc"})
    assert reason in refusal.value.reason == str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        *("{{ a * 9 }}", "{{ a ** 9 }}", "{{ a % 9 }}", "{{ a + a }}", "{{ a ~ a }}", "{{ -1 }}", "{{ 9 // 0 }}"),
        *("{{ a.format(a) }}", "{{ a.__class__ }}", "{{ a['__class__'] }}", "{{ a|attr('__class__') }}"),
        *("{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ '%999999999d'|format(1) }}", "{{ a() }}"),
        *("{{ range(10**9) }}", "{{ lipsum() }}", "{{ cycler('a') }}", "{{ namespace() }}", "{{ super() }}"),
        *("{% set b = a %}", "{% with b = a %}{% endwith %}", "{% set b %}x{% endset %}"),
        *("{% include 'a' %}", "{% import 'a' as b %}", "{% from 'a' import b %}", "{% extends 'a' %}"),
        *("{% macro b() %}{% endmacro %}", "{% block b %}{% endblock %}", "{% call b() %}{% endcall %}"),
        *("{% filter upper %}a{% endfilter %}", "{% autoescape true %}{{ a }}{% endautoescape %}"),
        *("{{ [a, a] }}", "{{ (a, a) }}", "{{ {a: a} }}", "{{ none }}", "{{ 1e999 }}", "{{ 1e999|int }}"),
        *("{{ a|center(99999999) }}", "{{ a|replace('a', 'aaaa') }}", "{{ a|indent(9999999) }}", "{{ a|e }}"),
        *("{{ a|round(999999999) }}", "{{ a|truncate(*a) }}", "{{ a|truncate(**a) }}", "{{ a|map('upper') }}"),
        *("{{ " + "9" * 5000 + " }}", "{{ 0x" + "f" * 5000 + " }}", "{{ " + "(" * 4000 + "a" + ")" * 4000 + " }}"),
        *("{{ a" + "|upper" * 2000 + " }}", "{{ " + "not " * 3000 + "a }}", "{{ a" + " and a" * 2000 + " }}"),
        *("{% if a %}" * 700 + "{% endif %}" * 700, "{{ a if a else " * 900, "x" * (MAX_TEXT + 1)),
        *("{{ a }}" * 2000, "{{ a|upper|lower }}" * 800, "{#" * 8000, "{{ 'a" * 4000, "{% raw %}" * 1500),
    ],
)
def test_hostile_templates_are_refused_and_cost_little(text: str) -> None:
    began = time.process_time()
    with pytest.raises(TemplateError):
        render(text, {"a": "ΐ" * (MAX_RESULT // 2)})
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "name", ["range", "lipsum", "cycler", "joiner", "namespace", "dict", "loop", "caller", "super"]
)
def test_jinja_brings_no_names_of_its_own(name: str) -> None:
    with pytest.raises(TemplateError, match=f"'{name}' is undefined"):
        render("{{ %s }}" % name, {})  # noqa: UP031 - braces
    assert render("{{ %s }}" % name, {name: "mine"}) == "mine"  # noqa: UP031


def test_results_and_values_are_bounded() -> None:
    assert len(render("{{ a }}", {"a": "x" * MAX_RESULT})) == MAX_RESULT
    with pytest.raises(TemplateError, match="longer than 64 KiB"):
        render("{{ a }}!", {"a": "x" * MAX_RESULT})
    with pytest.raises(TemplateError, match="longer than 64 KiB"):
        render("{{ a }}", {"a": "ы" * (MAX_RESULT // 2 + 1)})
    with pytest.raises(TemplateError, match="a: longer than 64 KiB"):
        render("", {"a": "x" * (MAX_RESULT + 1)})


@pytest.mark.parametrize("value", [None, [], {}, object(), print, b"bytes"])
def test_only_plain_values(value: Value) -> None:
    with pytest.raises(TemplateError, match="a: a variable is a text"):
        render("{{ a }}", {"a": value})


@given(VALUES)
def test_a_value_comes_out_as_it_is(value: Value) -> None:
    assert render("{{ a }}", {"a": value}) == str(value)


@given(st.text(st.sampled_from("{}%#|()'\"~*.a1 \n-+<if"), max_size=60), VALUES)
def test_nothing_but_a_template_error(text: str, value: Value) -> None:
    try:
        result = render(text, {"a": value, "i": value, "f": value})
    except TemplateError:
        return
    assert len(result.encode(errors="replace")) <= MAX_RESULT


@given(st.text(st.characters(exclude_characters="{}\r", exclude_categories=["Cs"])))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert render(text, {}) == text


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>{{ name }}</p>", "<p>&lt;b&gt; &amp; &#34;co&#34;</p>"),
        ("<p>{{ name|upper }}</p>", "<p>&lt;B&gt; &amp; &#34;CO&#34;</p>"),
        ("<p>{{ name|default('guest')|trim }}</p>", "<p>&lt;b&gt; &amp; &#34;co&#34;</p>"),
        ("<p>{% if name %}{{ name }}{% endif %}</p>", "<p>&lt;b&gt; &amp; &#34;co&#34;</p>"),
    ],
)
def test_values_are_no_markup_in_html(html: str, expected: str) -> None:
    assert render(html, {"name": '<b> & "co"'}, markup=True) == expected


@given(st.text(), st.sampled_from(["", "|upper", "|lower", "|title", "|trim", "|capitalize", "|truncate(9)"]))
def test_no_value_ever_opens_a_tag_in_html(value: str, filters: str) -> None:
    rendered = render(f"<i>{{{{ value{filters} }}}}</i>", {"value": value}, markup=True)
    assert not set('<>"') & set(rendered.removeprefix("<i>").removesuffix("</i>"))
