from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = "Chat"

    def ready(self) -> None:
        from accounts import visiting
        from accounts.exports.contents import add_files, leave_out, withhold
        from chat import receivers
        from chat.services.visitors import state_of

        visiting.register(state_of)
        withhold("chat_widgets", "identity_secret")
        leave_out("chat_typing_indicators", reason="Who types just now.")
        add_files(receivers.files_of)
