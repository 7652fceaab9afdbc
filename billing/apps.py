from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        from accounts.leaving.kept import keep

        keep(
            *(
                "invoices",
                "invoice_line_items",
                "invoice_documents",
                "invoice_run_items",
                "credit_notes",
                "credit_note_lines",
            ),
            *("payments", "top_ups", "billing_profiles", "billing_mails"),
            reason="Invoices, their payments and letters: the law on taxes keeps them.",
        )
