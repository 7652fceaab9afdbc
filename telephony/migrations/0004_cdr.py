from typing import Any

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("telephony", "0003_invariants")]
    operations: list[Any] = []
