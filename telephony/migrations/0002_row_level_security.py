from django.db import migrations

from accounts.tenancy.operations import EnableRowLevelSecurity, LedgerPrimaryKey


class Migration(migrations.Migration):
    dependencies = [("telephony", "0001_initial"), ("common", "0002_row_level_security")]

    operations = [
        EnableRowLevelSecurity("phone_numbers"),
        EnableRowLevelSecurity("sip_trunks"),
        EnableRowLevelSecurity("calls"),
        EnableRowLevelSecurity("call_legs"),
        EnableRowLevelSecurity("call_commands"),
        EnableRowLevelSecurity("call_events"),
        LedgerPrimaryKey("call_events"),
    ]
