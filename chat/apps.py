from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = "Chat"

    def ready(self) -> None:
        from accounts import visiting
        from chat import receivers  # noqa: F401 - connects them
        from chat.services.visitors import state_of

        visiting.register(state_of)
