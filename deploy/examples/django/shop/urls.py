"""The token endpoints that were here (/api/token/, …/refresh/, …) are tollgate's now."""

from django.urls import path

from . import views

urlpatterns = [
    path("api/me/", views.me),
    path("api/staff/", views.staff),
]
