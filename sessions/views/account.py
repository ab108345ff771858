import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.contrib import auth
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from sessions.codes import digest
from sessions.forms.entry import PasswordForm, SignInForm
from sessions.going import local_address
from sessions.http import HttpRequest
from sessions.identity import ask_moderator_again
from sessions.limits import TooMany
from sessions.models import Moderator, SignInLink
from sessions.tries import wait_for_sign_in, wrong_password

BACKEND = "django.contrib.auth.backends.ModelBackend"
BY_LINK = "came_by_link"
PATIENCE_S = 2
lane = threading.BoundedSemaphore(max(1, min(4, settings.LANES // 2)))  # the other lanes are for guests


@contextmanager
def hashing() -> Iterator[None]:
    """Passwords are dear to compute; nobody waits for that on a lane that others need. Raises `TooMany`."""
    if not lane.acquire(blocking=False):
        raise TooMany(PATIENCE_S, _("Many people are signing in just now. Please try again in a moment."))
    try:
        yield
    finally:
        lane.release()


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    going = local_address(request, request.POST.get("next") or request.GET.get("next"), default=reverse("events"))
    if request.method != "POST":
        return render(request, "sessions/sign_in.html", {"form": SignInForm(), "next": going})
    form = SignInForm(request.POST)
    email, address = request.POST.get("email", "")[:254].strip().lower(), request.META["REMOTE_ADDR"]
    wait = wait_for_sign_in(email, address)
    moderator = known(request, email, form.cleaned_data["password"]) if form.is_valid() and not wait else None
    if moderator is not None:
        auth.login(request, moderator, backend=BACKEND)
        return redirect(going)
    if not wait:
        wrong_password(email, address)
    again = SignInForm(initial={"email": request.POST.get("email", "")})  # as it was typed
    context = {"form": again, "next": going, "wrong": True}
    response = render(request, "sessions/sign_in.html", context, status=429 if wait else 422)
    if wait:
        response["Retry-After"] = str(wait)
    return response


def known(request: HttpRequest, email: str, password: str) -> Moderator | None:
    """The moderator with this address and password; the same work whether the address is known or not."""
    with hashing():
        moderator = auth.authenticate(request, username=email, password=password)
    return moderator if isinstance(moderator, Moderator) else None


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_link(request: HttpRequest, secret: str) -> HttpResponse:
    """GET shows a button, so that link previews use nothing up; POST uses the link."""
    link = SignInLink.objects.select_related("moderator").filter(digest=digest(secret)).first()
    if link is None:
        raise Http404
    if request.method == "POST" and came_by(link, request):
        return redirect("events")
    gone = request.method == "POST" or not link.is_good()
    context = {"gone": gone, "moderator": link.moderator}
    return render(request, "sessions/sign_in_link.html", context, status=410 if gone else 200)


@transaction.atomic
def came_by(link: SignInLink, request: HttpRequest) -> bool:
    """Signs in by a link that is good; it is used up only together with that, or not at all."""
    good = link.use()
    if good:
        auth.login(request, link.moderator, backend=BACKEND)
        request.session[BY_LINK] = True
        request.session.save()
    return good


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    moderator = request.user
    auth.logout(request)
    if isinstance(moderator, Moderator):
        ask_moderator_again(moderator)
    return redirect("home")


@never_cache
@sensitive_post_parameters("present", "new")
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    moderator = request.user
    if not isinstance(moderator, Moderator):
        return redirect(f"{reverse('sign-in')}?{urlencode({'next': reverse('password')})}")
    ask = moderator.has_usable_password() and not request.session.get(BY_LINK)
    form = PasswordForm(request.POST or None, moderator=moderator, ask=ask)
    context = {"form": form, "moderator": moderator, "done": False}
    if request.method != "POST":
        return render(request, "sessions/password.html", context | {"done": "done" in request.GET})
    with hashing():
        valid = form.is_valid()
        if valid:
            moderator.choose_password(form.cleaned_data["new"])
    if not valid:
        return render(request, "sessions/password.html", context, status=422)
    auth.update_session_auth_hash(request, moderator)
    request.session.pop(BY_LINK, None)
    ask_moderator_again(moderator)
    return redirect(f"{reverse('password')}?done")
