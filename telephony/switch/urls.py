"""Paths of the switch, mounted under /freeswitch/."""

from django.urls import path

from telephony.cdr.views import receive
from telephony.switch import views

urlpatterns = [
    path("cdr", receive),
    path("dialplan", views.dialplan),
    path("directory", views.directory),
]
