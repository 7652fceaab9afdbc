from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_keys_and_audit")]

    operations: list[migrations.operations.base.Operation] = []
