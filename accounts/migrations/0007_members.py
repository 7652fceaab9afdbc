import django.db.models.deletion
import django.db.models.manager
from django.conf import settings
from django.db import migrations, models

import common.ids
from accounts.tenancy.operations import EnableRowLevelSecurity


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_identity"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="tenant",
            options={
                "permissions": [
                    ("operate_support", "Act in companies: people, chat and settings"),
                    ("operate_finance", "Act in companies: usage and money"),
                    ("operate_telephony", "Act in companies: calls and numbers"),
                    ("impersonate_user", "Act as a user"),
                ]
            },
        ),
        migrations.AddField(
            model_name="user",
            name="language",
            field=models.CharField(blank=True, help_text="Of mail and pages; empty: the company's.", max_length=10),
        ),
        migrations.CreateModel(
            name="Impersonation",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("reason", models.CharField(max_length=200)),
                ("started_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "db_table": "impersonations",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("operator", models.F("user")), _negated=True),
                        name="impersonations_of_another",
                        violation_error_message="Nobody acts as themselves.",
                    )
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("email", models.EmailField(max_length=254)),
                ("name", models.CharField(blank=True, max_length=120)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "Owner"),
                            ("admin", "Admin"),
                            ("supervisor", "Supervisor"),
                            ("agent", "Agent"),
                            ("finance", "Finance"),
                            ("read_only", "Read Only"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "details",
                    models.JSONField(default=dict, help_text="What an import says beside, e.g. the extension."),
                ),
                ("batch", models.UUIDField(help_text="The job of the import that made it.", null=True)),
                ("token_hash", models.BinaryField(max_length=32, null=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("claimed_at", models.DateTimeField(help_text="When a worker began to mail the link.", null=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("accepted_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "invited_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
            options={
                "db_table": "invitations",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "indexes": [
                    models.Index(
                        condition=models.Q(("accepted_at", None), ("revoked_at", None), ("sent_at", None)),
                        fields=["created_at"],
                        name="invitations_unsent",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("accepted_at", None), ("revoked_at", None)),
                        fields=("tenant", "email"),
                        name="invitations_open",
                        violation_error_message="There is an open invitation for this address.",
                    ),
                    models.UniqueConstraint(fields=("token_hash",), name="invitations_token"),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        EnableRowLevelSecurity("impersonations"),
        EnableRowLevelSecurity("invitations"),
    ]
