"""The desk, mounted under /desk/."""

from django.urls import path

from chat.desk.views import desk

urlpatterns = [path("", desk, name="desk")]
