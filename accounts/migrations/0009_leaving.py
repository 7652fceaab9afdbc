from django.db import migrations, models

# When a company was closed is the database's to say, whoever closes it: the API, an operator, the admin, SQL. An erased one
# stays closed: there is nothing behind it.
CLOSED = """
CREATE FUNCTION tenants_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.erased_at IS NOT NULL AND (NEW.status <> 'closed' OR NEW.erased_at IS NULL) THEN
        RAISE EXCEPTION 'This company has been erased.' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.status <> 'closed' THEN
        NEW.closed_at := NULL;
    ELSIF OLD.status <> 'closed' THEN
        NEW.closed_at := now();
    ELSE
        NEW.closed_at := coalesce(NEW.closed_at, OLD.closed_at);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tenants_closed BEFORE UPDATE ON tenants FOR EACH ROW EXECUTE FUNCTION tenants_closed();

CREATE FUNCTION tenant_is_due(tenant uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM tenants WHERE id = tenant AND status = 'closed' AND closed_at <= now() - interval '30 days')
$$;
"""
CLOSED_BACK = """
DROP FUNCTION tenant_is_due(uuid);
DROP TRIGGER tenants_closed ON tenants;
DROP FUNCTION tenants_closed();
"""

# The one path by which an audit log goes: with its company, 30 days after that was closed.
FROZEN = """
CREATE OR REPLACE FUNCTION audit_entries_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.sequence := NULL;
        NEW.entry_hash := NULL;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.sequence IS NULL AND NEW.sequence IS NOT NULL
            AND to_jsonb(NEW) - '{sequence,entry_hash}'::text[] = to_jsonb(OLD) - '{sequence,entry_hash}'::text[] THEN
            RETURN NEW;
        END IF;
    %(entries)s
    END IF;
    RAISE EXCEPTION 'An audit entry never changes and is never deleted.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE OR REPLACE FUNCTION audit_chains_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.tenant_id = OLD.tenant_id AND (
            NEW.last_sequence = OLD.last_sequence + 1
            OR (NEW.last_sequence = OLD.last_sequence AND NEW.last_hash = OLD.last_hash)
        ) THEN
            RETURN NEW;
        END IF;
    %(chains)s
    END IF;
    RAISE EXCEPTION 'The head of an audit chain only grows.' USING ERRCODE = 'restrict_violation';
END $$;
"""
PURGE = "ELSIF tenant_is_due(OLD.tenant_id) THEN RETURN OLD;"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_keys_and_audit")]

    operations = [
        migrations.AddField("tenant", "closed_at", models.DateTimeField(null=True, blank=True, editable=False)),
        migrations.AddField("tenant", "erased_at", models.DateTimeField(null=True, blank=True, editable=False)),
        migrations.RunSQL(CLOSED, CLOSED_BACK),
        migrations.RunSQL(FROZEN % {"entries": PURGE, "chains": PURGE}, FROZEN % {"entries": "", "chains": ""}),
    ]
