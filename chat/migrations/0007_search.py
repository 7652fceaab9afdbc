from django.contrib.postgres.operations import BtreeGinExtension
from django.db import migrations

# Words as the search knows them: ASCII punctuation parts words, so that the pieces of addresses and file names are found,
# and so does whatever PostgreSQL's parser takes for space. `simple` fits every language: no stemming, no stop words.
SIGNS = r"""!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~"""


def words(of: str) -> str:
    """Return the expression of a text's words; an index serves only the very expression it was made of."""
    return f"to_tsvector('simple'::regconfig, translate({of}, '{SIGNS}', repeat(' ', 32)))"


INDEXES = f"""
CREATE INDEX chat_messages_words ON chat_messages USING gin (tenant_id, {words("text")});
CREATE INDEX chat_visitors_words ON chat_visitors USING gin (tenant_id, {words("name || ' ' || email")});
"""
DROP_INDEXES = "DROP INDEX chat_messages_words; DROP INDEX chat_visitors_words;"

# Row-level security lets only leakproof operators near an index, and `@@` is none. So this one function, owned by
# irisx_system whom the policies let through, looks words up, in the rows of the transaction's tenant alone: it takes no
# tenant, reads the same setting as the policies, and gives keys, whose rows are then read under row-level security.
MAKE = f"""
CREATE FUNCTION chat_search(wanted text, most integer) RETURNS TABLE (conversation_id uuid, message_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
  tenant uuid := NULLIF(current_setting('irisx.tenant', true), '')::uuid;
  words tsquery := plainto_tsquery('simple', translate(wanted, '{SIGNS}', repeat(' ', 32)));
BEGIN
  IF tenant IS NULL OR numnode(words) = 0 THEN
    RETURN;
  END IF;
  words := (words::text || ':*')::tsquery;
  RETURN QUERY
    SELECT m.conversation_id, m.id FROM chat_messages m
    WHERE m.tenant_id = tenant AND {words("m.text")} @@ words
    ORDER BY m.id DESC LIMIT most;
  RETURN QUERY
    SELECT c.id, NULL::uuid FROM chat_conversations c
    WHERE c.tenant_id = tenant AND c.visitor_id IN (
      SELECT v.id FROM chat_visitors v
      WHERE v.tenant_id = tenant AND {words("v.name || ' ' || v.email")} @@ words
      ORDER BY v.id DESC LIMIT most)
    ORDER BY c.created_at DESC LIMIT most;
END $$;
GRANT CREATE ON SCHEMA public TO irisx_system;
ALTER FUNCTION chat_search(text, integer) OWNER TO irisx_system;
REVOKE CREATE ON SCHEMA public FROM irisx_system;
"""


class Migration(migrations.Migration):
    dependencies = [("chat", "0006_visitors_vouched")]

    operations = [
        BtreeGinExtension(),
        migrations.RunSQL(INDEXES, DROP_INDEXES),
        migrations.RunSQL(MAKE, "DROP FUNCTION chat_search(text, integer)"),
    ]
