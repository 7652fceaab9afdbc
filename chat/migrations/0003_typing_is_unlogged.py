from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("chat", "0002_row_level_security")]

    operations = [
        # Ten-second rows: a crash may forget them.
        migrations.RunSQL(
            "ALTER TABLE chat_typing_indicators SET UNLOGGED", "ALTER TABLE chat_typing_indicators SET LOGGED"
        ),
    ]
