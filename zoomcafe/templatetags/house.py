"""Template tags that know how static files are laid out."""

from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template import Context
from django.templatetags.static import static
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from zoomcafe.modules import graph

register = template.Library()
NONCE = "\0"


@register.simple_tag
@lru_cache(maxsize=200)
def icon(name: str) -> SafeString:
    """One of those in `icons.svg`, for the eyes alone."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="#i-{}"/></svg>', name)


@register.simple_tag(takes_context=True)
def modulepreload(context: Context, entry: str) -> SafeString:
    """`<link rel="modulepreload">` for the entry and all it imports: one round trip instead of one per storey.

    Each module once per page.
    """
    remembered: dict[str, Any] = context.render_context  # type: ignore[assignment]
    named: set[str] = remembered.setdefault("modulepreload", set())
    names = tuple(name for name in graph(entry) if name not in named)
    named.update(names)
    links = preloads.__wrapped__(names) if settings.DEBUG else preloads(names, settings.STATIC_URL)
    return mark_safe(links.replace(NONCE, escape(nonce_in(context))))  # noqa: S308  both are


@lru_cache(maxsize=200)
def preloads(names: tuple[str, ...], _below: str = "") -> str:
    """Safe markup in which `NONCE` stands for the page's own."""
    links = ((static(name), NONCE) for name in names)
    return str(format_html_join("\n", '<link rel="modulepreload" href="{}" nonce="{}">', links))


@register.simple_tag(takes_context=True)
def module(context: Context, entry: str) -> SafeString:
    """The entry itself, with its imports preloaded."""
    script = format_html('<script type="module" src="{}" nonce="{}"></script>', static(entry), nonce_in(context))
    return format_html("{}\n{}", modulepreload(context, entry), script)


def nonce_in(context: Context) -> str:
    return str(getattr(context.get("request"), "csp_nonce", ""))
