from django.db import migrations

from accounts.tenancy.operations import EnableRowLevelSecurity, LedgerPrimaryKey


class Migration(migrations.Migration):
    dependencies = [("chat", "0001_initial"), ("accounts", "0002_row_level_security")]

    operations = [
        EnableRowLevelSecurity("chat_widgets"),
        EnableRowLevelSecurity("chat_visitors"),
        EnableRowLevelSecurity("chat_conversations"),
        EnableRowLevelSecurity("chat_events"),
        EnableRowLevelSecurity("chat_messages"),
        EnableRowLevelSecurity("chat_typing_indicators"),
        LedgerPrimaryKey("chat_events"),
        LedgerPrimaryKey("chat_messages"),
    ]
