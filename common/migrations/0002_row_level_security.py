from django.db import migrations

from common.rowlevel import EnableRowLevelSecurity


class Migration(migrations.Migration):
    dependencies = [("common", "0001_initial")]

    operations = [
        EnableRowLevelSecurity("sequences", "owner"),
        EnableRowLevelSecurity("idempotency_keys", "owner"),
        EnableRowLevelSecurity("jobs", "owner"),
    ]
