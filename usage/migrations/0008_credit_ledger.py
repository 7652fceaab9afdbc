import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models
from django.db.models import F, Q

import common.ids
from accounts.tenancy.operations import EnableRowLevelSecurity, LedgerPrimaryKey
from common.rowlevel import SYSTEM_ROLE

OWNER = {
    "db_constraint": False,
    "db_index": False,
    "on_delete": django.db.models.deletion.DO_NOTHING,
    "related_name": "+",
    "to": "accounts.tenant",
}
ID = {"primary_key": True, "default": common.ids.uuid7, "editable": False, "serialize": False}
UNSCOPED = {"abstract": False, "base_manager_name": "unscoped", "default_manager_name": "unscoped"}


def price(**options):
    return models.DecimalField(max_digits=20, decimal_places=10, **options)


# A line of the ledger stays as it was written, for everybody.
FREEZE = """
CREATE FUNCTION credit_ledger_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A line of the credit ledger never changes; add another.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER credit_entries_frozen BEFORE UPDATE OR DELETE ON credit_entries
    FOR EACH ROW EXECUTE FUNCTION credit_ledger_frozen();
CREATE TRIGGER credit_burns_frozen BEFORE UPDATE OR DELETE ON credit_burns
    FOR EACH ROW EXECUTE FUNCTION credit_ledger_frozen();
"""
THAW = """
DROP TRIGGER credit_burns_frozen ON credit_burns;
DROP TRIGGER credit_entries_frozen ON credit_entries;
DROP FUNCTION credit_ledger_frozen();
"""

# Whoever has credit gets its balance; all of it reserved, so that the first hold works it out.
BALANCES = f"""
SET LOCAL ROLE {SYSTEM_ROLE};
INSERT INTO credit_balances (id, tenant_id, currency, available, held, reserved)
SELECT gen_random_uuid(), tenant_id, min(currency), 0, 0, sum(amount) FROM credit_entries GROUP BY tenant_id;
RESET ROLE;
"""

# Backwards: before it, the table held grants alone, and all that was taken of them is forgotten.
GRANTS_ALONE = f"""
SET LOCAL ROLE {SYSTEM_ROLE};
DELETE FROM credit_entries WHERE amount < 0;
RESET ROLE;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_row_level_security"), ("usage", "0007_corrections")]

    operations = [
        migrations.RemoveConstraint("creditentry", "credit_entries_once"),
        migrations.RemoveConstraint("creditentry", "credit_entries_amount"),
        migrations.RunSQL(migrations.RunSQL.noop, GRANTS_ALONE),
        migrations.RenameField("creditentry", "grant_key", "key"),
        migrations.AlterField(
            "creditentry",
            "key",
            models.CharField(
                max_length=120, help_text="What it is for, once: `trial`, `included:<period>`, `invoice:<id>`."
            ),
        ),
        migrations.AddField(
            "creditentry",
            "kind",
            models.CharField(
                choices=[("grant", "Grant"), ("burn", "Used for an invoice"), ("expiry", "Lapsed")],
                default="grant",
                max_length=6,
            ),
        ),
        migrations.AddField(
            "creditentry",
            "grant_id",
            models.UUIDField(blank=True, null=True, help_text="The grant it is taken from; empty on a grant."),
        ),
        migrations.AddField(
            "creditentry",
            "note",
            models.CharField(blank=True, default="", help_text="Shown to the tenant.", max_length=200),
            preserve_default=False,
        ),
        migrations.AlterField(
            "creditentry",
            "source",
            models.CharField(
                choices=[
                    ("trial", "Trial"),
                    ("included", "Included"),
                    ("promotional", "Promotional"),
                    ("prepaid", "Prepaid"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            "creditentry",
            "priority",
            models.PositiveSmallIntegerField(default=0, help_text="Of a grant: the smallest is used first."),
        ),
        migrations.AlterField(
            "creditentry",
            "starts_at",
            models.DateTimeField(help_text="Of a grant: usable from; else when it was used or lapsed."),
        ),
        migrations.AlterField(
            "creditentry",
            "expires_at",
            models.DateTimeField(blank=True, null=True, help_text="The first moment it is no longer usable."),
        ),
        migrations.AddConstraint(
            "creditentry",
            models.UniqueConstraint(
                fields=["tenant", "key"],
                name="credit_entries_once",
                condition=Q(kind="grant"),
                violation_error_message="This credit was granted already.",
            ),
        ),
        migrations.AddConstraint(
            "creditentry",
            models.UniqueConstraint(
                fields=["tenant", "grant_id", "key"],
                name="credit_entries_taken_once",
                condition=~Q(kind="grant"),
                violation_error_message="This was taken from the grant already.",
            ),
        ),
        migrations.AddConstraint(
            "creditentry",
            models.CheckConstraint(
                condition=Q(kind="grant", amount__gt=0, grant_id__isnull=True)
                | (~Q(kind="grant") & Q(amount__lt=0, grant_id__isnull=False)),
                name="credit_entries_sign",
                violation_error_message="A grant is more than 0; what is taken is less than 0 and names its grant.",
            ),
        ),
        migrations.AddConstraint(
            "creditentry",
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("starts_at")),
                name="credit_entries_expiry",
                violation_error_message="Credit expires after it starts.",
            ),
        ),
        migrations.CreateModel(
            name="CreditBurn",
            fields=[
                ("id", models.UUIDField(**ID)),
                ("tenant", models.ForeignKey(**OWNER)),
                ("key", models.CharField(max_length=120)),
                (
                    "period_id",
                    models.UUIDField(null=True, help_text="The billing period whose usage it paid for, if any."),
                ),
                ("asked", price()),
                ("burned", price()),
                ("burned_at", models.DateTimeField()),
            ],
            options={
                "db_table": "credit_burns",
                **UNSCOPED,
                "indexes": [models.Index(fields=["tenant", "period_id"], name="credit_burns_period")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["tenant", "key"],
                        name="credit_burns_once",
                        violation_error_message="This was burned already.",
                    ),
                    models.CheckConstraint(
                        condition=Q(asked__gte=0, burned__gte=0, burned__lte=F("asked")),
                        name="credit_burns_amounts",
                        violation_error_message="No more is burned than was asked for.",
                    ),
                ],
            },
            managers=[("unscoped", django.db.models.manager.Manager())],
        ),
        migrations.CreateModel(
            name="CreditBalance",
            fields=[
                ("id", models.UUIDField(**ID)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("available", price(default=0)),
                ("held", price(default=0)),
                ("reserved", price(default=0)),
                (
                    "good_until",
                    models.DateTimeField(
                        null=True, help_text="Until when `available` may be relied on; empty: work it out first."
                    ),
                ),
            ],
            options={
                "db_table": "credit_balances",
                **UNSCOPED,
                "constraints": [
                    models.UniqueConstraint(fields=["tenant"], name="credit_balances_one"),
                    models.CheckConstraint(
                        condition=Q(available__gte=0, held__gte=0, reserved__gte=0),
                        name="credit_balances_not_negative",
                        violation_error_message="Credit never falls below 0.",
                    ),
                ],
            },
            managers=[("unscoped", django.db.models.manager.Manager())],
        ),
        migrations.CreateModel(
            name="CreditHold",
            fields=[
                ("id", models.UUIDField(**ID)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
                ("key", models.CharField(help_text="What it is for, e.g. `call:<id>`.", max_length=120)),
                ("amount", price()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("held", "Held"),
                            ("settled", "Settled"),
                            ("released", "Released"),
                            ("expired", "Expired"),
                        ],
                        default="held",
                        max_length=8,
                    ),
                ),
                ("settled_amount", price(blank=True, help_text="What it came to cost.", null=True)),
                ("expires_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "db_table": "credit_holds",
                **UNSCOPED,
                "indexes": [
                    models.Index(fields=["tenant", "expires_at"], name="credit_holds_live", condition=Q(status="held")),
                    models.Index(fields=["expires_at"], name="credit_holds_due", condition=Q(status="held")),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["tenant", "key"],
                        name="credit_holds_once",
                        violation_error_message="This has a hold already.",
                    ),
                    models.CheckConstraint(
                        condition=Q(amount__gt=0) & (Q(settled_amount__isnull=True) | Q(settled_amount__gte=0)),
                        name="credit_holds_amount",
                        violation_error_message="A hold is more than 0.",
                    ),
                    models.CheckConstraint(
                        condition=Q(status="held", ended_at__isnull=True, settled_amount__isnull=True)
                        | (~Q(status="held") & Q(ended_at__isnull=False)),
                        name="credit_holds_ended",
                        violation_error_message="A hold that ended has its moment, a live one has none.",
                    ),
                ],
            },
            managers=[("unscoped", django.db.models.manager.Manager())],
        ),
        EnableRowLevelSecurity("credit_burns"),
        EnableRowLevelSecurity("credit_balances"),
        EnableRowLevelSecurity("credit_holds"),
        LedgerPrimaryKey("credit_burns"),
        migrations.RunSQL(BALANCES, migrations.RunSQL.noop),
        migrations.RunSQL(FREEZE, THAW),
    ]
