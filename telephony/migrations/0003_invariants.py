"""What no code path may do: change a final call or leg, rewrite the timeline."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION calls_keep_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- An estimated end may be corrected by what the switch reports later.
    IF OLD.ended_at IS NOT NULL AND NOT OLD.is_estimated AND (NEW.status, NEW.ended_at, NEW.answered_at)
        IS DISTINCT FROM (OLD.status, OLD.ended_at, OLD.answered_at) THEN
        RAISE EXCEPTION 'Call % is final: its status and times stay.', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'calls_final_stays';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER calls_final_stays BEFORE UPDATE OF status, ended_at, answered_at ON calls
    FOR EACH ROW EXECUTE FUNCTION calls_keep_final();

CREATE FUNCTION call_legs_keep_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.finalized_at IS NOT NULL AND NOT OLD.is_estimated THEN
        RAISE EXCEPTION 'Leg % is finalised: it stays as it is.', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'call_legs_final_stays';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER call_legs_final_stays BEFORE UPDATE ON call_legs
    FOR EACH ROW EXECUTE FUNCTION call_legs_keep_final();

CREATE FUNCTION call_events_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The timeline of a call is append-only.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'call_events_append_only';
END $$;
CREATE TRIGGER call_events_append_only BEFORE UPDATE ON call_events
    FOR EACH ROW EXECUTE FUNCTION call_events_append_only();
"""

BACKWARD = """
DROP TRIGGER call_events_append_only ON call_events;
DROP FUNCTION call_events_append_only();
DROP TRIGGER call_legs_final_stays ON call_legs;
DROP FUNCTION call_legs_keep_final();
DROP TRIGGER calls_final_stays ON calls;
DROP FUNCTION calls_keep_final();
"""


class Migration(migrations.Migration):
    dependencies = [("telephony", "0002_row_level_security")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
