from django.db import migrations

# A month cannot be attached while its rows sit in DEFAULT. All of it is one transaction under DEFAULT's lock: months that have
# a partition go on being written meanwhile. Runs with its owner's rights, who is held by forced row-level security too.
FUNCTION = """
CREATE FUNCTION usage_heal_partitions() RETURNS TABLE (partition_name text, moved bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    month date;
    starts timestamptz;
    ends timestamptz;
BEGIN
    LOCK TABLE public.usage_records_default IN ACCESS EXCLUSIVE MODE;
    ALTER TABLE public.usage_records_default NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE public.usage_records_default DISABLE TRIGGER usage_records_append_only;
    FOR month IN
        SELECT DISTINCT date_trunc('month', occurred_at AT TIME ZONE 'UTC')::date
        FROM public.usage_records_default ORDER BY 1
    LOOP
        partition_name := 'usage_records_' || to_char(month, 'YYYY_MM');
        starts := month::timestamp AT TIME ZONE 'UTC';
        ends := (month + interval '1 month') AT TIME ZONE 'UTC';
        EXECUTE format('CREATE TABLE public.%I (LIKE public.usage_records INCLUDING ALL)', partition_name);
        EXECUTE format(
            'WITH strays AS (DELETE FROM public.usage_records_default WHERE occurred_at >= $1 AND occurred_at < $2 '
            'RETURNING *) INSERT INTO public.%I SELECT * FROM strays', partition_name) USING starts, ends;
        GET DIAGNOSTICS moved = ROW_COUNT;
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', partition_name);
        EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', partition_name);
        EXECUTE format(
            'ALTER TABLE public.usage_records ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
            partition_name, starts, ends);
        RETURN NEXT;
    END LOOP;
    ALTER TABLE public.usage_records_default ENABLE TRIGGER usage_records_append_only;
    ALTER TABLE public.usage_records_default FORCE ROW LEVEL SECURITY;
END $$;
REVOKE ALL ON FUNCTION usage_heal_partitions() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION usage_heal_partitions() TO irisx_system;
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0011_limits")]

    operations = [migrations.RunSQL(FUNCTION, "DROP FUNCTION usage_heal_partitions()")]
