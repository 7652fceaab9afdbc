from django.db import migrations

from accounts.tenancy.operations import EnableRowLevelSecurity, LedgerPrimaryKey


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("common", "0002_row_level_security")]

    operations = [
        EnableRowLevelSecurity("tenants", "id"),
        EnableRowLevelSecurity("memberships"),
        EnableRowLevelSecurity("api_keys"),
        EnableRowLevelSecurity("chat_agent_presence"),
        EnableRowLevelSecurity("webhook_endpoints"),
        EnableRowLevelSecurity("webhook_outbox"),
        EnableRowLevelSecurity("audit_entries"),
        LedgerPrimaryKey("webhook_outbox"),
        LedgerPrimaryKey("audit_entries"),
    ]
