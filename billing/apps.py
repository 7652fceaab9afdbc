from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        from accounts.exports.contents import add_files, withhold
        from accounts.leaving.kept import keep
        from billing.services.documents import files_of

        add_files(files_of)
        withhold("invoice_documents", "content", "xml")
        withhold("invoice_exports", "content")

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
