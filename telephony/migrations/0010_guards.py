import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import common.ids
from accounts.tenancy.operations import EnableRowLevelSecurity


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_exports"), ("telephony", "0009_campaigns")]

    operations = [
        migrations.AddField(
            model_name="siptrunk",
            name="max_concurrent",
            field=models.PositiveSmallIntegerField(
                blank=True, help_text="Calls it carries at a time; empty: any number.", null=True
            ),
        ),
        migrations.CreateModel(
            name="DialingPolicy",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "countries",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=2),
                        blank=True,
                        default=list,
                        help_text="ISO 3166 codes in capitals, such as DE.",
                        size=None,
                    ),
                ),
                (
                    "is_premium_allowed",
                    models.BooleanField(
                        default=False, help_text="Premium-rate and shared-cost numbers: what toll fraud calls."
                    ),
                ),
                ("is_paused", models.BooleanField(default=False, help_text="No call goes out.")),
                (
                    "pause_reason",
                    models.CharField(blank=True, help_text="Told to whoever tries to call.", max_length=200),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "dialing policies",
                "db_table": "dialing_policies",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant",),
                        name="dialing_policies_once",
                        violation_error_message="This company has one.",
                    )
                ],
            },
            managers=[("unscoped", django.db.models.manager.Manager())],
        ),
        migrations.CreateModel(
            name="DoNotCall",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("number", models.CharField(help_text="E.164.", max_length=16)),
                ("note", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
            options={
                "verbose_name": "number not to call",
                "verbose_name_plural": "numbers not to call",
                "db_table": "do_not_call",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("number__regex", "^\\+[1-9][0-9]{6,14}$")),
                        name="do_not_call_e164",
                        violation_error_message="Numbers are written in E.164: a plus, then 7 to 15 digits.",
                    ),
                    models.UniqueConstraint(
                        fields=("tenant", "number"),
                        name="do_not_call_once",
                        violation_error_message="It is on the list.",
                    ),
                ],
            },
            managers=[("unscoped", django.db.models.manager.Manager())],
        ),
        EnableRowLevelSecurity("do_not_call"),
        EnableRowLevelSecurity("dialing_policies"),
    ]
