from typing import Any

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("telephony", "0007_inbound")]
    operations: list[Any] = []
