from django.urls import path

from tables.views import gallery, here, lobby, plan, table

urlpatterns = [
    path("e/<str:code>/", here.here, name="here"),
    path("e/<str:code>/lobby/", lobby.lobby, name="lobby"),
    path("e/<str:code>/table/", table.table, name="table"),
    path("e/<str:code>/gallery/", gallery.gallery, name="gallery"),
    path("e/<str:code>/gallery/<int:board>", gallery.exhibit, name="exhibit"),
    path("events/new/", plan.event_new, name="event-new"),
    path("events/<str:code>/", plan.event_edit, name="event-edit"),
    path("events/<str:code>/copies/", plan.event_copies, name="event-copies"),
    path("events/<str:code>/delete/", plan.event_delete, name="event-delete"),
    path("events/<str:code>/tables/", plan.event_tables, name="event-tables"),
]
