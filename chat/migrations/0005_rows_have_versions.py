from django.db import migrations

from accounts.tenancy.operations import EnableRowLevelSecurity

# What the desk's list shows. Marks that only one side keeps (delivered, read by the visitor, mailed) do not raise the version.
SHOWN = (
    "visitor_id, status, assigned_agent_id, assigned_at, accepted_at, queued_at, waiting_since, is_offline, labels, page_url, "
    "page_title, first_response_at, last_message_at, closed_at, message_count, rating, feedback, metadata, last_seq, "
    "agent_read_seq, version"
)
MAKE = f"""
CREATE FUNCTION chat_conversations_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := OLD.version + 1;
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER chat_conversations_touch BEFORE UPDATE OF {SHOWN} ON chat_conversations
  FOR EACH ROW EXECUTE FUNCTION chat_conversations_touch();
"""
DROP = """
DROP TRIGGER chat_conversations_touch ON chat_conversations;
DROP FUNCTION chat_conversations_touch();
"""
# The column's default is one value for every row that was there: give each widget a secret of its own.
SECRETS = """
SET LOCAL ROLE irisx_system;
UPDATE chat_widgets SET identity_secret = replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
UPDATE chat_conversations SET queued_at = created_at WHERE status = 'active' AND assigned_agent_id IS NULL;
RESET ROLE;
"""


class Migration(migrations.Migration):
    dependencies = [("chat", "0004_whole_chat")]

    operations = [
        EnableRowLevelSecurity("chat_attachments"),
        EnableRowLevelSecurity("chat_labels"),
        EnableRowLevelSecurity("chat_canned_replies"),
        migrations.RunSQL(MAKE, DROP),
        migrations.RunSQL(SECRETS, migrations.RunSQL.noop),
    ]
