"""What every answer tells the browser to forbid. The content policy itself is in the settings."""

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from zoomcafe import static

NOT_USED = (
    "accelerometer",
    "browsing-topics",
    "camera",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "publickey-credentials-get",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
OURS = ("autoplay", "clipboard-write", "screen-wake-lock")  # the gong, copying a link, a phone that stays awake

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join([f"{name}=()" for name in NOT_USED] + [f"{name}=(self)" for name in OURS]),
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}
BARE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
FOR_FILES = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}


def harden(request: HttpRequest, response: HttpResponseBase) -> None:
    """Sets what the view has not set itself. A static file gets what means something for a file, in few bytes."""
    if static.concerns(request.path):
        for name, value in FOR_FILES.items():
            response.headers[name] = value
        return
    for name, value in FIXED.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", BARE_POLICY)
    response.headers.setdefault("Cache-Control", "private, no-cache")
    if request.path == "/":
        del response.headers["X-Robots-Tag"]
    if may_isolate(request):
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault("Origin-Agent-Cluster", "?1")
    if request.is_secure() and settings.SECURE_HSTS_SECONDS:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}")


def may_isolate(request: HttpRequest) -> bool:
    """On plain http beyond this machine browsers refuse isolation and complain in the console."""
    host = request.META.get("HTTP_HOST", "")
    return request.is_secure() or host.rpartition(":")[0] in LOOPBACK or host in LOOPBACK
