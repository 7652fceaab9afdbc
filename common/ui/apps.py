from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "common.ui"
    label = "ui"
    verbose_name = "Shared look"
