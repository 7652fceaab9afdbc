from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_members")]

    operations: list[migrations.operations.base.Operation] = []
