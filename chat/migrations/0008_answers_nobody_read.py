from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chat", "0007_search")]

    operations = [
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                fields=["last_message_at"],
                condition=models.Q(visitor_read_seq__lt=models.F("last_visitor_seq"), agent_message_count__gt=0),
                name="chat_conv_unread",
            ),
        )
    ]
