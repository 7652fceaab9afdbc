from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from accounts import receivers  # noqa: F401 - connects them
        from accounts.exports import receivers as exports  # noqa: F401 - connects them
        from accounts.exports.contents import leave_out, withhold
        from accounts.identity import receivers as identity  # noqa: F401 - connects them

        withhold("api_keys", "secret_hash")
        withhold("invitations", "token_hash")
        withhold("webhook_endpoints", "secret", "former_secret")
        leave_out("idempotency_keys", reason="Answers to repeated requests: a new key's secret may be among them.")
        leave_out("sequences", "jobs", "webhook_lanes", "tenant_exports", reason="How far our own work is.")
