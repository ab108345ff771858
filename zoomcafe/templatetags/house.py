"""Template tags that know how static files are laid out."""

from typing import Any

from django import template
from django.template import Context
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from zoomcafe.modules import graph

register = template.Library()


@register.simple_tag(takes_context=True)
def modulepreload(context: Context, entry: str) -> SafeString:
    """`<link rel="modulepreload">` for the entry and all it imports: one round trip instead of one per storey.

    Each module once per page.
    """
    remembered: dict[str, Any] = context.render_context  # type: ignore[assignment]
    named: set[str] = remembered.setdefault("modulepreload", set())
    names = [name for name in graph(entry) if name not in named]
    named.update(names)
    links = ((static(name), nonce_in(context)) for name in names)
    return format_html_join("\n", '<link rel="modulepreload" href="{}" nonce="{}">', links)


@register.simple_tag(takes_context=True)
def module(context: Context, entry: str) -> SafeString:
    """The entry itself, with its imports preloaded."""
    script = format_html('<script type="module" src="{}" nonce="{}"></script>', static(entry), nonce_in(context))
    return format_html("{}\n{}", modulepreload(context, entry), script)


def nonce_in(context: Context) -> str:
    return str(getattr(context.get("request"), "csp_nonce", ""))
