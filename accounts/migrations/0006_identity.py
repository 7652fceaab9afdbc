from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_webhook_deliveries")]

    operations: list[migrations.operations.base.Operation] = []
