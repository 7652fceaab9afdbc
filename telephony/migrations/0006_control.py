from typing import Any

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("telephony", "0005_guards")]
    operations: list[Any] = []
