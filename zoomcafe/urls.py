from django.urls import include, path

from zoomcafe import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("sessions.urls")),
    path("", include("tables.urls")),
]

handler400 = "zoomcafe.errors.bad_request"
handler403 = "zoomcafe.errors.permission_denied"
handler404 = "zoomcafe.errors.page_not_found"
handler500 = "zoomcafe.errors.server_error"
