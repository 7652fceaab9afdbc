from django.apps import AppConfig


class TelephonyConfig(AppConfig):
    name = "telephony"
    verbose_name = "Telephony"

    def ready(self) -> None:
        from accounts.exports.contents import withhold
        from telephony import receivers  # noqa: F401 - connects them
        from telephony.switch import receivers as switch  # noqa: F401

        withhold("extensions", "sealed_a1_hash")
