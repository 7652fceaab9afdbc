from django.db import migrations

from accounts.tenancy.operations import EnableRowLevelSecurity


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_row_level_security"), ("billing", "0001_initial")]

    operations = [
        EnableRowLevelSecurity("invoices"),
        EnableRowLevelSecurity("invoice_line_items"),
        EnableRowLevelSecurity("invoice_documents"),
    ]
