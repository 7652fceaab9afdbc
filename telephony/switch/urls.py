"""Paths of the switch, mounted under /freeswitch/."""

from django.urls import path

from telephony.switch import views

urlpatterns = [
    path("dialplan", views.dialplan),
    path("directory", views.directory),
]
