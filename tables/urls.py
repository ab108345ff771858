from django.urls import path

from tables.views import gallery, here, lobby, table

urlpatterns = [
    path("e/<slug:code>/", here.here, name="here"),
    path("e/<slug:code>/lobby/", lobby.lobby, name="lobby"),
    path("e/<slug:code>/table/", table.table, name="table"),
    path("e/<slug:code>/gallery/", gallery.gallery, name="gallery"),
    path("e/<slug:code>/gallery/<int:board>", gallery.exhibit, name="exhibit"),
]
