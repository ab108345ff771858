from django.urls import path

from tables.views import gallery, here, lobby, plan, table

urlpatterns = [
    path("e/<key:code>/", here.here, name="here"),
    path("e/<key:code>/lobby/", lobby.lobby, name="lobby"),
    path("e/<key:code>/table/", table.table, name="table"),
    path("e/<key:code>/gallery/", gallery.gallery, name="gallery"),
    path("e/<key:code>/gallery/<int:board>", gallery.exhibit, name="exhibit"),
    path("events/new/", plan.event_new, name="event-new"),
    path("events/<key:code>/", plan.event_edit, name="event-edit"),
    path("events/<key:code>/copies/", plan.event_copies, name="event-copies"),
    path("events/<key:code>/delete/", plan.event_delete, name="event-delete"),
    path("events/<key:code>/tables/", plan.event_tables, name="event-tables"),
]
