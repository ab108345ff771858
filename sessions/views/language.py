from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from sessions.going import local_address
from sessions.http import HttpRequest


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Keeps the language this person chose, and goes back to where they were."""
    response = redirect(local_address(request, request.POST.get("next"), default="/"))
    wanted = request.POST.get("language")
    if wanted in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            wanted,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            samesite="Lax",
            httponly=True,
        )
    return response
