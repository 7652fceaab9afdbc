from django.apps import AppConfig


class UsageConfig(AppConfig):
    name = "usage"
    verbose_name = "Usage"

    def ready(self) -> None:
        from accounts.exports.contents import withhold
        from accounts.leaving.kept import keep
        from usage import receivers  # noqa: F401 - connects to tenant_created

        withhold("usage_uploads", "content")
        keep(
            *("subscriptions", "subscription_charges", "billing_periods", "pricing_rates"),
            *("usage_records", "usage_reversals", "usage_summaries", "usage_summary_deltas"),
            *("credit_entries", "credit_burns", "credit_balances", "credit_holds"),
            reason="What invoices are made of: their evidence.",
        )
