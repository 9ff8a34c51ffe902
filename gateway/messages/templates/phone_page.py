"""The phone page: HTML that shows messages as a phone does, without scripts or other files. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jinja2 import Environment
from markupsafe import Markup, escape

from gateway.domain.model.message_template import MessageTemplate, fill, places
from gateway.domain.model.nouns import TemplateMessage

MONO = re.compile(r"```(.+?)```", re.DOTALL)
MARKS = tuple(
    (re.compile(rf"(?<![\w{mark}]){re.escape(mark)}(?=\S)([^{mark}\n]*[^{mark}\s]){re.escape(mark)}(?!\w)"), tag)
    for mark, tag in (("*", "b"), ("_", "i"), ("~", "s"))
)
ARROW, BACK, CALL = "\u2197", "\u21a9", "\u260f"


@dataclass(frozen=True)
class Bubble:
    """A message as a person sees it.

    caption: the line above it. kind: that of the file or place above the text. buttons: pairs of sign and text.
    """

    body: Markup
    caption: str = ""
    kind: str = ""
    title: str = ""
    footer: str = ""
    buttons: Sequence[tuple[str, str]] = ()


def format_markup(text: str) -> Markup:
    """Return a text with *bold*, _italic_, ~struck~ and ```mono``` as the messenger shows them."""
    return Markup().join(_pieces(text))


def _pieces(text: str) -> Iterator[Markup]:
    for index, piece in enumerate(MONO.split(text)):
        markup = str(escape(piece))
        if index % 2:
            yield Markup(f"<code>{markup}</code>")  # noqa: S704 - escaped above
            continue
        for mark, tag in MARKS:
            markup = mark.sub(rf"<{tag}>\1</{tag}>", markup)
        yield Markup(markup)  # noqa: S704 - escaped above


def plain(text: str) -> Markup:
    """Return the text as it is written, escaped."""
    return escape(text)


def template_bubble(template: MessageTemplate, message: TemplateMessage | None = None, caption: str = "") -> Bubble:
    """Return a provider's template with the message's values, or with its examples without a message."""
    head, values = template.header, message.values if message else template.body_examples
    head_values = message.header.values if message and message.header else {}
    if head and not head_values:
        head_values = dict.fromkeys(places(head.text), head.example)
    return Bubble(
        format_markup(fill(template.body, values)),
        caption,
        head.type if head and head.type != "text" else "",
        fill(head.text, head_values) if head else "",
        template.footer,
        [(SIGNS[button.type], button.text) for button in template.buttons],
    )


SIGNS = {"quickReply": BACK, "url": ARROW, "phone": CALL}


def page(title: str, bubbles: Sequence[Bubble]) -> str:
    """Return the whole page as HTML."""
    return PAGE.render(title=title, bubbles=bubbles)


PAGE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ title }}</title>
<style>
:root { color-scheme: light dark; --ground: #f3f4f7; --card: #fff; --ink: #191d26; --soft: #596070; --line: #e1e4ea;
  --link: #1d6fb3; --wall: #e9e4dc; }
@media (prefers-color-scheme: dark) { :root { --ground: #0f1218; --card: #272d39; --ink: #eceef3; --soft: #a3abbb;
  --line: #3a4150; --link: #7db8ee; --wall: #191d26; } }
* { box-sizing: border-box; margin: 0; }
body { background: var(--ground); color: var(--ink); padding: 24px 12px;
  font: 14px/1.45 -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif; }
main { width: min(360px, 100%); margin: auto; border: 1px solid var(--line); border-radius: 26px; overflow: hidden;
  background: var(--wall); box-shadow: 0 8px 24px rgb(20 26 40 / 12%); }
h1 { font-size: 15px; padding: 14px 16px; background: #167a55; color: #fff; overflow-wrap: anywhere; }
section { padding: 14px 12px; }
section + section { padding-top: 0; }
h2 { font-size: 12px; font-weight: 600; color: var(--soft); text-align: center; padding-bottom: 8px; }
article { width: 88%; background: var(--card); border-radius: 4px 14px 14px; overflow: hidden;
  box-shadow: 0 1px 2px rgb(20 26 40 / 18%); overflow-wrap: anywhere; }
.file { display: grid; place-items: center; height: 120px; margin: 4px 4px 0; border-radius: 10px;
  background: var(--line); color: var(--soft); font-weight: 600; }
.title { padding: 8px 12px 0; font-weight: 650; }
.text { padding: 8px 12px; white-space: pre-wrap; }
.footer { padding: 0 12px 8px; font-size: 12.5px; color: var(--soft); }
.button { border-top: 1px solid var(--line); padding: 9px 12px; text-align: center; color: var(--link);
  font-weight: 600; }
code { font: 13px ui-monospace, "SF Mono", Menlo, "Liberation Mono", monospace; }
</style>
</head>
<body>
<main>
<h1>{{ title }}</h1>
{% for bubble in bubbles %}
<section>
{% if bubble.caption %}<h2>{{ bubble.caption }}</h2>{% endif %}
<article>
{% if bubble.kind %}<div class="file">{{ bubble.kind }}</div>{% endif %}
{% if bubble.title %}<div class="title">{{ bubble.title }}</div>{% endif %}
<div class="text">{{ bubble.body }}</div>
{% if bubble.footer %}<div class="footer">{{ bubble.footer }}</div>{% endif %}
{% for sign, text in bubble.buttons %}
<div class="button">{{ sign }} {{ text }}</div>
{% endfor %}
</article>
</section>
{% endfor %}
</main>
</body>
</html>
""")
