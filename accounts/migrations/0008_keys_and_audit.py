import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
from django.db import migrations, models

import common.ids
from accounts.audit.canonical import START, Facts, digest, link
from accounts.tenancy.operations import EnableRowLevelSecurity, LedgerPrimaryKey
from common.rowlevel import SYSTEM_ROLE

# An entry is written once. The database itself numbers it and links it to the one before, as the last thing its transaction does:
# the head's row is held for the commit alone, so that what is audited waits for nobody and no two such transactions can deadlock.
# The tenant's setting is gone by then (it was the request's): the function sets it for its own statements.
CHAIN = r"""
CREATE FUNCTION audit_entries_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was CONSTANT text := coalesce(current_setting('irisx.tenant', true), '');
    head record;
    link bytea;
BEGIN
    PERFORM set_config('irisx.tenant', NEW.tenant_id::text, true);
    INSERT INTO audit_chains AS c (id, tenant_id, last_sequence, last_hash)
        VALUES (gen_random_uuid(), NEW.tenant_id, 0, decode(repeat('00', 32), 'hex'))
        ON CONFLICT (tenant_id) DO UPDATE SET last_sequence = c.last_sequence
        RETURNING last_sequence + 1 AS next, last_hash INTO head;
    link := sha256(head.last_hash || int8send(head.next) || NEW.digest);
    UPDATE audit_entries SET sequence = head.next, entry_hash = link WHERE tenant_id = NEW.tenant_id AND id = NEW.id;
    UPDATE audit_chains SET last_sequence = head.next, last_hash = link WHERE tenant_id = NEW.tenant_id;
    PERFORM set_config('irisx.tenant', was, true);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER audit_entries_chain AFTER INSERT ON audit_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_entries_chain();

CREATE FUNCTION audit_entries_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
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
    END IF;
    RAISE EXCEPTION 'An audit entry never changes and is never deleted.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_entries_frozen BEFORE INSERT OR UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION audit_entries_frozen();

CREATE FUNCTION audit_chains_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.tenant_id = OLD.tenant_id AND (
        NEW.last_sequence = OLD.last_sequence + 1
        OR (NEW.last_sequence = OLD.last_sequence AND NEW.last_hash = OLD.last_hash)
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The head of an audit chain only grows.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_chains_grow BEFORE UPDATE OR DELETE ON audit_chains
    FOR EACH ROW EXECUTE FUNCTION audit_chains_grow();

CREATE FUNCTION audit_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never emptied.', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_entries_never_emptied BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION audit_never_emptied();
CREATE TRIGGER audit_chains_never_emptied BEFORE TRUNCATE ON audit_chains
    FOR EACH STATEMENT EXECUTE FUNCTION audit_never_emptied();
"""
CHAIN_BACK = """
DROP TRIGGER audit_chains_never_emptied ON audit_chains;
DROP TRIGGER audit_entries_never_emptied ON audit_entries;
DROP FUNCTION audit_never_emptied();
DROP TRIGGER audit_chains_grow ON audit_chains;
DROP FUNCTION audit_chains_grow();
DROP TRIGGER audit_entries_frozen ON audit_entries;
DROP FUNCTION audit_entries_frozen();
DROP TRIGGER audit_entries_chain ON audit_entries;
DROP FUNCTION audit_entries_chain();
"""


def chain_what_is_there(apps, schema_editor):
    """Number and link the entries of before, in the order they were written."""
    entries, chains = apps.get_model("accounts", "AuditEntry"), apps.get_model("accounts", "AuditChain")
    heads = {}
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {SYSTEM_ROLE}")
        for entry in entries.unscoped.using(schema_editor.connection.alias).order_by("created_at", "id").iterator():
            sequence, previous = heads.get(entry.tenant_id, (0, START))
            names = [name for name in Facts.__dataclass_fields__ if name != "id"]
            entry.digest = digest(Facts(id=entry.pk, **{name: getattr(entry, name) for name in names}))
            entry.sequence = sequence + 1
            entry.entry_hash = link(previous=previous, sequence=sequence + 1, entry_digest=entry.digest)
            entry.save(update_fields=["digest", "sequence", "entry_hash"])
            heads[entry.tenant_id] = (entry.sequence, entry.entry_hash)
        for tenant_id, (sequence, last_hash) in heads.items():
            chains.unscoped.using(schema_editor.connection.alias).create(
                tenant_id=tenant_id, last_sequence=sequence, last_hash=last_hash
            )
        cursor.execute("RESET ROLE")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_members")]

    operations = [
        migrations.AddField(
            "auditentry",
            "impersonator_id",
            models.UUIDField(null=True, help_text="The operator who acted as this person."),
        ),
        migrations.AddField(
            "auditentry",
            "impersonator_name",
            models.CharField(max_length=254, blank=True, default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            "auditentry", "user_agent", models.CharField(max_length=200, blank=True, default=""), preserve_default=False
        ),
        migrations.AddField(
            "auditentry", "request_id", models.CharField(max_length=128, blank=True, default=""), preserve_default=False
        ),
        migrations.AlterField("auditentry", "created_at", models.DateTimeField(default=django.utils.timezone.now)),
        migrations.AddField(
            "auditentry",
            "digest",
            models.BinaryField(max_length=32, default=b"", help_text="SHA-256 of what the entry says."),
            preserve_default=False,
        ),
        migrations.AddField(
            "auditentry",
            "sequence",
            models.BigIntegerField(null=True, help_text="Gap-free per tenant, from 1; given at the commit."),
        ),
        migrations.AddField(
            "auditentry",
            "entry_hash",
            models.BinaryField(max_length=32, null=True, help_text="SHA-256 over the one before and this one."),
        ),
        migrations.CreateModel(
            name="AuditChain",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("last_sequence", models.BigIntegerField(default=0)),
                ("last_hash", models.BinaryField(max_length=32)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.tenant",
                    ),
                ),
            ],
            options={
                "db_table": "audit_chains",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [models.UniqueConstraint(fields=("tenant",), name="audit_chains_once")],
            },
            managers=[("unscoped", django.db.models.manager.Manager())],
        ),
        EnableRowLevelSecurity("audit_chains"),
        LedgerPrimaryKey("audit_chains"),
        migrations.RunPython(chain_what_is_there, migrations.RunPython.noop),
        migrations.AddConstraint(
            "auditentry", models.UniqueConstraint(fields=("tenant", "sequence"), name="audit_entries_sequence")
        ),
        migrations.AddIndex(
            "auditentry", models.Index(fields=["tenant", "object_id", "-created_at"], name="audit_entries_object")
        ),
        migrations.RunSQL(CHAIN, CHAIN_BACK),
        # --- API keys ---
        migrations.AddField(
            "apikey",
            "per_minute",
            models.PositiveIntegerField(
                null=True,
                blank=True,
                help_text="Requests a minute this key may make; empty: as many as the plan allows.",
            ),
        ),
        migrations.AddField("apikey", "last_used_address", models.GenericIPAddressField(null=True, blank=True)),
        migrations.AddField(
            "apikey",
            "replaced_by",
            models.ForeignKey(
                "accounts.apikey",
                null=True,
                blank=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                help_text="The key that took its place when it was rotated.",
            ),
        ),
        migrations.AddIndex("apikey", models.Index(fields=["tenant", "-created_at", "-id"], name="api_keys_newest")),
        migrations.AddConstraint(
            "apikey",
            models.CheckConstraint(
                condition=models.Q(per_minute__isnull=True) | models.Q(per_minute__gte=1),
                name="api_keys_per_minute",
                violation_error_message="At least one request a minute.",
            ),
        ),
    ]
