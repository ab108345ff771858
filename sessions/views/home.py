from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sessions.forms.entry import CodeForm
from sessions.http import HttpRequest
from sessions.models import Event
from sessions.tries import wrong_code


@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "sessions/home.html", {"form": CodeForm()})
    form = CodeForm(request.POST)
    if form.is_valid():
        code = form.cleaned_data["code"]
        if Event.objects.filter(join_code=code).exists():
            return redirect("join", code=code)
        return no_such_code(request, form, status=422)
    return render(request, "sessions/home.html", {"form": form}, status=422)


def no_such_code(request: HttpRequest, form: CodeForm, *, status: int) -> HttpResponse:
    """Says so beside the field; after too many of them, that it is time for a pause."""
    wait = wrong_code(request.META["REMOTE_ADDR"])
    if not wait:
        form.add_error("code", _("There is no event with this code. Please compare it with your invitation."))
        return render(request, "sessions/home.html", {"form": form}, status=status)
    form.add_error("code", _("These were many wrong codes. Please wait a minute, then compare each character."))
    response = render(request, "sessions/home.html", {"form": form}, status=429)
    response["Retry-After"] = str(wait)
    return response


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    return render(request, "sessions/about.html", {"source": settings.SOURCE_URL})


@require_safe
def check(request: HttpRequest) -> HttpResponse:
    """Tests the connection from the visitor's browser; needs no event and knows nobody."""
    return render(request, "sessions/check.html", {"longest": settings.LIMIT_FRAME_BYTES})
