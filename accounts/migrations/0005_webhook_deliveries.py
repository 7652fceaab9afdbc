from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_agents_are_declared_gone")]

    operations: list[migrations.operations.base.Operation] = []
