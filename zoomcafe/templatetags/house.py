"""Template tags that know how static files are laid out."""

from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from zoomcafe.modules import graph

register = template.Library()


@register.simple_tag(takes_context=True)
def modulepreload(context: dict[str, Any], entry: str) -> SafeString:
    """`<link rel="modulepreload">` for the entry and all it imports: one round trip instead of one per storey."""
    nonce = nonce_in(context)
    links = ((static(name), nonce) for name in graph(entry))
    return format_html_join("\n", '<link rel="modulepreload" href="{}" nonce="{}">', links)


@register.simple_tag(takes_context=True)
def module(context: dict[str, Any], entry: str) -> SafeString:
    """The entry itself, with its imports preloaded."""
    script = format_html('<script type="module" src="{}" nonce="{}"></script>', static(entry), nonce_in(context))
    return format_html("{}\n{}", modulepreload(context, entry), script)


def nonce_in(context: dict[str, Any]) -> str:
    return str(getattr(context.get("request"), "csp_nonce", ""))
