from django.urls import path

from sessions.live import http as live
from sessions.views import account, console, events, home, join, language, me

urlpatterns = [
    path("", home.home, name="home"),
    path("about/", home.about, name="about"),
    path("e/<str:code>/me/", me.me, name="me"),
    path("e/<str:code>/me/leave/", me.me_leave, name="me-leave"),
    path("e/<str:code>/me/link/", me.me_link, name="me-link"),
    path("e/<str:code>/me/others/", me.me_others, name="me-others"),
    path("events/", events.events, name="events"),
    path("events/<str:code>/console/", console.console, name="console"),
    path("events/<str:code>/screen/", console.screen, name="screen"),
    path("events/<str:code>/desk", console.desk_now, name="event-desk"),
    path("events/<str:code>/qr.svg", console.join_picture, name="event-qr"),
    path("events/<str:code>/code/", console.renew_code, name="event-code"),
    path("events/<str:code>/doors/", console.doors, name="event-doors"),
    path("events/<str:code>/seats/", console.seats, name="event-seats"),
    path("h/<str:secret>/", join.hand_over, name="hand-over"),
    path("j/<str:code>/", join.join, name="join"),
    path("language/", language.language, name="language"),
    path("live/<str:code>/ops", live.ops, name="live-ops"),
    path("live/<str:code>/parts", live.parts, name="live-parts"),
    path("password/", account.password, name="password"),
    path("sign-in/", account.sign_in, name="sign-in"),
    path("sign-in/<str:secret>/", account.sign_in_link, name="sign-in-link"),
    path("sign-out/", account.sign_out, name="sign-out"),
]
