import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import common.ids

KINDS = (
    ("verify", "Verify"),
    ("reset", "Reset"),
    ("new_address", "New Address"),
    ("address_changed", "Address Changed"),
    ("password_changed", "Password Changed"),
    ("second_factor_on", "Second Factor On"),
    ("second_factor_off", "Second Factor Off"),
)


def own_id() -> models.UUIDField:
    return models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_webhook_deliveries")]

    operations: list[migrations.operations.base.Operation] = [
        migrations.AddField(
            model_name="user",
            name="second_factor_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="Since when a code is asked for at sign-in; empty: it is not.",
                null=True,
            ),
        ),
        migrations.CreateModel(
            name="Letter",
            fields=[
                ("id", own_id()),
                ("kind", models.CharField(choices=KINDS, max_length=20)),
                ("email", models.EmailField(max_length=254)),
                ("about", models.UUIDField(help_text="The sign-up, or the person.", null=True)),
                ("created_at", models.DateTimeField()),
                ("claimed_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("done_at", models.DateTimeField(null=True)),
                ("was_sent", models.BooleanField(default=False)),
            ],
            options={
                "db_table": "identity_letters",
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_at", None)), fields=["created_at"], name="identity_letters_waiting"
                    ),
                    models.Index(fields=["email", "-created_at"], name="identity_letters_address"),
                    models.Index(fields=["created_at"], name="identity_letters_created"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SignUp",
            fields=[
                ("id", own_id()),
                ("email", models.EmailField(max_length=254)),
                ("name", models.CharField(max_length=120)),
                ("company", models.CharField(max_length=120)),
                ("language", models.CharField(max_length=10)),
                ("timezone", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField()),
                ("verified_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "sign_ups",
                "indexes": [models.Index(fields=["created_at"], name="sign_ups_created")],
            },
        ),
        migrations.CreateModel(
            name="SignIn",
            fields=[
                ("id", own_id()),
                ("session_key", models.CharField(max_length=40)),
                ("kind", models.CharField(choices=[("browser", "Browser"), ("api", "Api")], max_length=10)),
                ("network", models.CharField(blank=True, help_text="An IPv4 address or an IPv6 /64.", max_length=64)),
                ("user_agent", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sign_ins",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "sign_ins",
                "constraints": [models.UniqueConstraint(fields=("session_key",), name="sign_ins_session")],
            },
        ),
    ]
