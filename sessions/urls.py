from django.urls import path, register_converter

from sessions.codes import KeyConverter
from sessions.live import http as live
from sessions.views import account, console, events, home, join, language, me

register_converter(KeyConverter, "key")

urlpatterns = [
    path("", home.home, name="home"),
    path("about/", home.about, name="about"),
    path("check/", home.check, name="check"),
    path("e/<key:code>/me/", me.me, name="me"),
    path("e/<key:code>/me/leave/", me.me_leave, name="me-leave"),
    path("e/<key:code>/me/link/", me.me_link, name="me-link"),
    path("e/<key:code>/me/others/", me.me_others, name="me-others"),
    path("events/", events.events, name="events"),
    path("events/<key:code>/console/", console.console, name="console"),
    path("events/<key:code>/screen/", console.screen, name="screen"),
    path("events/<key:code>/desk", console.desk_now, name="event-desk"),
    path("events/<key:code>/qr.svg", console.join_picture, name="event-qr"),
    path("events/<key:code>/code/", console.renew_code, name="event-code"),
    path("events/<key:code>/doors/", console.doors, name="event-doors"),
    path("events/<key:code>/seats/", console.seats, name="event-seats"),
    path("h/<str:secret>/", join.hand_over, name="hand-over"),
    path("j/<str:code>/", join.join, name="join"),
    path("language/", language.language, name="language"),
    path("live/check/", live.check, name="live-check"),
    path("live/<key:code>/ops", live.ops, name="live-ops"),
    path("live/<key:code>/parts", live.parts, name="live-parts"),
    path("password/", account.password, name="password"),
    path("sign-in/", account.sign_in, name="sign-in"),
    path("sign-in/<str:secret>/", account.sign_in_link, name="sign-in-link"),
    path("sign-out/", account.sign_out, name="sign-out"),
]
