import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
from django.conf import settings
from django.db import migrations, models

import common.ids
from accounts.tenancy.operations import EnableRowLevelSecurity


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_exports"),
        ("telephony", "0006_control"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AgentLine",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "phase",
                    models.CharField(
                        choices=[
                            ("idle", "Idle"),
                            ("offered", "Offered"),
                            ("talking", "Talking"),
                            ("wrap_up", "Wrap up"),
                        ],
                        default="idle",
                        max_length=8,
                    ),
                ),
                ("engaged_by", models.UUIDField(blank=True, null=True)),
                ("engaged_until", models.DateTimeField(blank=True, null=True)),
                (
                    "idle_since",
                    models.DateTimeField(blank=True, help_text="When the last call's work was done.", null=True),
                ),
            ],
            options={
                "db_table": "agent_lines",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Extension",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("number", models.CharField(help_text="What colleagues dial: 2 to 8 digits.", max_length=8)),
                ("label", models.CharField(blank=True, max_length=80)),
                ("sip_user", models.CharField(editable=False, max_length=40)),
                ("sealed_a1_hash", models.TextField(editable=False)),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "extensions",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="IvrFlow",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80)),
                ("draft", models.JSONField()),
                ("published_version", models.PositiveIntegerField(blank=True, help_text="The newest one.", null=True)),
                ("last_version", models.PositiveIntegerField(default=0)),
                ("updated_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "ivr_flows",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="IvrFlowVersion",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("definition", models.JSONField()),
                ("published_by", models.UUIDField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "ivr_flow_versions",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="IvrSession",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("completed", "Completed"),
                            ("abandoned", "Abandoned"),
                            ("failed", "Failed"),
                        ],
                        default="active",
                        max_length=10,
                    ),
                ),
                ("node", models.CharField(help_text="The node the caller is at.", max_length=40)),
                ("state", models.JSONField(default=dict, help_text="Tries at this node, and the digits taken so far.")),
                ("awaiting", models.UUIDField(blank=True, help_text="The action whose result comes next.", null=True)),
                ("steps", models.PositiveIntegerField(default=0)),
                ("timeouts", models.PositiveIntegerField(default=0, help_text="Times the caller entered nothing.")),
                (
                    "invalid_entries",
                    models.PositiveIntegerField(default=0, help_text="Times the caller entered what is no choice."),
                ),
                ("outcome", models.CharField(blank=True, max_length=40)),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "db_table": "ivr_sessions",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="NumberRoute",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("queue", "Queue"), ("extension", "Extension"), ("sip_uri", "Sip uri")], max_length=10
                    ),
                ),
                ("sip_uri", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "number_routes",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Queue",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80)),
                (
                    "skills",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), blank=True, default=list, size=20
                    ),
                ),
                ("is_position_announced", models.BooleanField(default=True)),
                ("announce_every_seconds", models.PositiveIntegerField(default=45)),
                ("ring_seconds", models.PositiveIntegerField(default=20)),
                ("wrap_up_seconds", models.PositiveIntegerField(default=10)),
                ("max_wait_seconds", models.PositiveIntegerField(default=600)),
                ("max_waiting", models.PositiveIntegerField(default=100)),
                (
                    "overflow",
                    models.CharField(
                        choices=[("hangup", "Hangup"), ("queue", "Queue")], default="hangup", max_length=8
                    ),
                ),
                ("overflow_queue", models.UUIDField(blank=True, null=True)),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "queues",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="QueueEntry",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("offered", "Offered"),
                            ("connected", "Connected"),
                            ("completed", "Completed"),
                            ("abandoned", "Abandoned"),
                            ("overflowed", "Overflowed"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                (
                    "skills",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), blank=True, default=list, size=20
                    ),
                ),
                (
                    "missed_by",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None
                    ),
                ),
                ("offered_until", models.DateTimeField(blank=True, null=True)),
                (
                    "leg",
                    models.UUIDField(blank=True, help_text="The leg that rings the agent, or is theirs.", null=True),
                ),
                ("announced_at", models.DateTimeField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, max_length=24)),
                ("created_at", models.DateTimeField(help_text="Since when the caller waits.")),
            ],
            options={
                "db_table": "queue_entries",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="QueueMember",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "skills",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), blank=True, default=list, size=20
                    ),
                ),
                ("tier", models.PositiveSmallIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "queue_members",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="call",
            name="calls_from_e164",
        ),
        migrations.RemoveConstraint(
            model_name="callcommand",
            name="call_commands_kind",
        ),
        migrations.AddField(
            model_name="callcommand",
            name="params",
            field=models.JSONField(blank=True, default=dict, help_text="What its kind needs beside the leg."),
        ),
        migrations.AlterField(
            model_name="call",
            name="from_number",
            field=models.CharField(blank=True, help_text="Empty: the caller hides it.", max_length=16),
        ),
        migrations.AlterField(
            model_name="callcommand",
            name="kind",
            field=models.CharField(
                choices=[("originate", "Originate"), ("hangup", "Hangup"), ("bridge", "Bridge"), ("music", "Music")],
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="call",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("from_number__regex", "^\\+[1-9][0-9]{6,14}$"),
                    models.Q(("direction", "inbound"), ("from_number", "")),
                    _connector="OR",
                ),
                name="calls_from_e164",
                violation_error_message="Numbers are written in E.164: a plus, then 7 to 15 digits.",
            ),
        ),
        migrations.AddConstraint(
            model_name="callcommand",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["originate", "hangup", "bridge", "music"])),
                name="call_commands_kind",
                violation_error_message="kind must be one of originate, hangup, bridge, music.",
            ),
        ),
        migrations.AddField(
            model_name="agentline",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="agentline",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="extension",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="extension",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="ivrflow",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="ivrflowversion",
            name="flow",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="telephony.ivrflow"
            ),
        ),
        migrations.AddField(
            model_name="ivrflowversion",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="ivrsession",
            name="call",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="ivr_sessions", to="telephony.call"
            ),
        ),
        migrations.AddField(
            model_name="ivrsession",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="ivrsession",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="sessions", to="telephony.ivrflowversion"
            ),
        ),
        migrations.AddField(
            model_name="numberroute",
            name="extension",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="telephony.extension",
            ),
        ),
        migrations.AddField(
            model_name="numberroute",
            name="number",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="route", to="telephony.phonenumber"
            ),
        ),
        migrations.AddField(
            model_name="numberroute",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="queue",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="numberroute",
            name="queue",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="telephony.queue",
            ),
        ),
        migrations.AddField(
            model_name="queueentry",
            name="agent",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="queueentry",
            name="call",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="queue_entries", to="telephony.call"
            ),
        ),
        migrations.AddField(
            model_name="queueentry",
            name="queue",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="entries", to="telephony.queue"
            ),
        ),
        migrations.AddField(
            model_name="queueentry",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="queuemember",
            name="queue",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="members", to="telephony.queue"
            ),
        ),
        migrations.AddField(
            model_name="queuemember",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="queuemember",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddIndex(
            model_name="agentline",
            index=models.Index(
                condition=models.Q(("phase", "idle"), _negated=True),
                fields=["engaged_until"],
                name="agent_lines_engaged",
            ),
        ),
        migrations.AddConstraint(
            model_name="agentline",
            constraint=models.CheckConstraint(
                condition=models.Q(("phase__in", ["idle", "offered", "talking", "wrap_up"])),
                name="agent_lines_phase",
                violation_error_message="phase must be one of idle, offered, talking, wrap_up.",
            ),
        ),
        migrations.AddConstraint(
            model_name="agentline",
            constraint=models.UniqueConstraint(
                fields=("tenant", "user"), name="agent_lines_once", violation_error_message="This line exists."
            ),
        ),
        migrations.AddConstraint(
            model_name="agentline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("engaged_until", None), ("phase", "idle")),
                    models.Q(models.Q(("phase", "idle"), _negated=True), ("engaged_until__isnull", False)),
                    _connector="OR",
                ),
                name="agent_lines_leased",
                violation_error_message="An agent is engaged for a time, or idle.",
            ),
        ),
        migrations.AddConstraint(
            model_name="extension",
            constraint=models.UniqueConstraint(
                fields=("tenant", "number"), name="extensions_number", violation_error_message="This extension exists."
            ),
        ),
        migrations.AddConstraint(
            model_name="extension",
            constraint=models.UniqueConstraint(
                fields=("sip_user",), name="extensions_sip_user", violation_error_message="This SIP user exists."
            ),
        ),
        migrations.AddConstraint(
            model_name="extension",
            constraint=models.UniqueConstraint(
                fields=("tenant", "user"),
                name="extensions_user",
                violation_error_message="This person has one already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="extension",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__regex", "^[0-9]{2,8}$")),
                name="extensions_digits",
                violation_error_message="An extension has 2 to 8 digits.",
            ),
        ),
        migrations.AddConstraint(
            model_name="extension",
            constraint=models.CheckConstraint(
                condition=models.Q(("sip_user__regex", "^[a-z0-9-]{3,40}$")),
                name="extensions_sip_user_plain",
                violation_error_message="A SIP user has lower case letters, digits and dashes.",
            ),
        ),
        migrations.AddIndex(
            model_name="ivrflow",
            index=models.Index(fields=["tenant", "-created_at", "-id"], name="ivr_flows_newest"),
        ),
        migrations.AddConstraint(
            model_name="ivrflow",
            constraint=models.UniqueConstraint(
                fields=("tenant", "name"), name="ivr_flows_name", violation_error_message="This name is taken."
            ),
        ),
        migrations.AddConstraint(
            model_name="ivrflowversion",
            constraint=models.UniqueConstraint(
                fields=("flow", "number"),
                name="ivr_flow_versions_number",
                violation_error_message="This version exists.",
            ),
        ),
        migrations.AddIndex(
            model_name="ivrsession",
            index=models.Index(fields=["tenant", "-created_at", "-id"], name="ivr_sessions_newest"),
        ),
        migrations.AddIndex(
            model_name="ivrsession",
            index=models.Index(condition=models.Q(("status", "active")), fields=["status"], name="ivr_sessions_active"),
        ),
        migrations.AddConstraint(
            model_name="ivrsession",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["active", "completed", "abandoned", "failed"])),
                name="ivr_sessions_status",
                violation_error_message="status must be one of active, completed, abandoned, failed.",
            ),
        ),
        migrations.AddConstraint(
            model_name="ivrsession",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "active")),
                fields=("call",),
                name="ivr_sessions_one_active",
                violation_error_message="A caller is in one flow at a time.",
            ),
        ),
        migrations.AddConstraint(
            model_name="ivrsession",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("status", "active")),
                    models.Q(models.Q(("status", "active"), _negated=True), ("ended_at__isnull", False)),
                    _connector="OR",
                ),
                name="ivr_sessions_end_when_over",
                violation_error_message="A session has an end when, and only when, it is over.",
            ),
        ),
        migrations.AddIndex(
            model_name="queue",
            index=models.Index(fields=["tenant", "-created_at", "-id"], name="queues_newest"),
        ),
        migrations.AddConstraint(
            model_name="queue",
            constraint=models.CheckConstraint(
                condition=models.Q(("overflow__in", ["hangup", "queue"])),
                name="queues_overflow",
                violation_error_message="overflow must be one of hangup, queue.",
            ),
        ),
        migrations.AddConstraint(
            model_name="queue",
            constraint=models.UniqueConstraint(
                fields=("tenant", "name"), name="queues_name", violation_error_message="This name is taken."
            ),
        ),
        migrations.AddConstraint(
            model_name="queue",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("overflow", "hangup"),
                    models.Q(("overflow", "queue"), ("overflow_queue__isnull", False)),
                    _connector="OR",
                ),
                name="queues_overflow_target",
                violation_error_message="An overflow leads to what it says.",
            ),
        ),
        migrations.AddConstraint(
            model_name="numberroute",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["queue", "extension", "sip_uri"])),
                name="number_routes_kind",
                violation_error_message="kind must be one of queue, extension, sip_uri.",
            ),
        ),
        migrations.AddConstraint(
            model_name="numberroute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "queue"), ("queue__isnull", False)),
                    models.Q(("extension__isnull", False), ("kind", "extension")),
                    models.Q(("kind", "sip_uri"), models.Q(("sip_uri", ""), _negated=True)),
                    _connector="OR",
                ),
                name="number_routes_target",
                violation_error_message="A route leads to what its kind says.",
            ),
        ),
        migrations.AddIndex(
            model_name="queueentry",
            index=models.Index(
                condition=models.Q(("status__in", ("waiting", "offered", "connected"))),
                fields=["queue", "created_at", "id"],
                name="queue_entries_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="queueentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        ["waiting", "offered", "connected", "completed", "abandoned", "overflowed", "failed"],
                    )
                ),
                name="queue_entries_status",
                violation_error_message="status must be one of waiting, offered, connected, completed, abandoned, overflowed, failed.",
            ),
        ),
        migrations.AddConstraint(
            model_name="queueentry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ("waiting", "offered", "connected"))),
                fields=("call",),
                name="queue_entries_one_open",
                violation_error_message="A caller waits in one queue at a time.",
            ),
        ),
        migrations.AddConstraint(
            model_name="queuemember",
            constraint=models.UniqueConstraint(
                fields=("queue", "user"), name="queue_members_once", violation_error_message="They serve it already."
            ),
        ),
        EnableRowLevelSecurity("extensions"),
        EnableRowLevelSecurity("number_routes"),
        EnableRowLevelSecurity("ivr_flows"),
        EnableRowLevelSecurity("ivr_flow_versions"),
        EnableRowLevelSecurity("ivr_sessions"),
        EnableRowLevelSecurity("queues"),
        EnableRowLevelSecurity("queue_members"),
        EnableRowLevelSecurity("queue_entries"),
        EnableRowLevelSecurity("agent_lines"),
    ]
