from typing import Any

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_leaving")]
    operations: list[Any] = []
