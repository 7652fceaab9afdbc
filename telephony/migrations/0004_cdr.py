"""Call detail records, and corrections of what was final by what they tell."""

from django.db import migrations, models

import common.ids

FORWARD = """
CREATE OR REPLACE FUNCTION calls_keep_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A final call changes only by a counted correction: the switch's own record told otherwise, or an estimate is replaced.
    IF OLD.ended_at IS NOT NULL AND NOT OLD.is_estimated AND NEW.corrections <> OLD.corrections + 1
        AND (NEW.status, NEW.ended_at, NEW.answered_at) IS DISTINCT FROM (OLD.status, OLD.ended_at, OLD.answered_at) THEN
        RAISE EXCEPTION 'Call % is final: its status and times stay.', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'calls_final_stays';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION call_legs_keep_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.finalized_at IS NOT NULL AND NOT OLD.is_estimated
        AND NOT (NEW.evidence = 'report' AND OLD.evidence <> 'report') THEN
        RAISE EXCEPTION 'Leg % is finalised: it stays as it is.', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'call_legs_final_stays';
    END IF;
    RETURN NEW;
END $$;
"""
BACKWARD = """
CREATE OR REPLACE FUNCTION calls_keep_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- An estimated end may be corrected by what the switch reports later.
    IF OLD.ended_at IS NOT NULL AND NOT OLD.is_estimated AND (NEW.status, NEW.ended_at, NEW.answered_at)
        IS DISTINCT FROM (OLD.status, OLD.ended_at, OLD.answered_at) THEN
        RAISE EXCEPTION 'Call % is final: its status and times stay.', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'calls_final_stays';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION call_legs_keep_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.finalized_at IS NOT NULL AND NOT OLD.is_estimated THEN
        RAISE EXCEPTION 'Leg % is finalised: it stays as it is.', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'call_legs_final_stays';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("telephony", "0003_invariants")]

    operations = [
        migrations.AddField(
            model_name="call",
            name="corrections",
            field=models.PositiveSmallIntegerField(default=0, help_text="How often better evidence changed its end."),
        ),
        migrations.AddField(
            model_name="callleg",
            name="evidence",
            field=models.CharField(
                blank=True,
                choices=[("estimate", "Estimate"), ("event", "Event"), ("report", "Report")],
                default="",
                help_text="What its end is known from.",
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="callleg",
            constraint=models.CheckConstraint(
                condition=models.Q(("evidence__in", ["", "estimate", "event", "report"])),
                name="call_legs_evidence",
                violation_error_message="evidence must be one of estimate, event, report.",
            ),
        ),
        migrations.CreateModel(
            name="CallReport",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("channel_id", models.UUIDField(help_text="Empty for what could not be read.", null=True)),
                ("content_hash", models.BinaryField(help_text="SHA-256 of the body.", max_length=32)),
                ("body", models.BinaryField()),
                (
                    "status",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("done", "Done"), ("unreadable", "Unreadable")], max_length=10
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
            ],
            options={
                "db_table": "call_reports",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "waiting")), fields=["due_at"], name="call_reports_waiting"
                    ),
                    models.Index(fields=["received_at"], name="call_reports_oldest"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["waiting", "done", "unreadable"])),
                        name="call_reports_status",
                        violation_error_message="status must be one of waiting, done, unreadable.",
                    ),
                    models.UniqueConstraint(
                        fields=("channel_id", "content_hash"),
                        name="call_reports_once",
                        nulls_distinct=False,
                        violation_error_message="This record was taken already.",
                    ),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
