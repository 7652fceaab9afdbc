from django.db import migrations

# Runs with its owner's rights: only a table's owner may give it a partition, and the worker is not its owner. A month is
# built beside the ledger and then attached, which waits for nobody who reads or writes other months, only for DEFAULT's.
FUNCTION = """
CREATE FUNCTION usage_make_partition(month date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    name text := 'usage_records_' || to_char(first, 'YYYY_MM');
BEGIN
    IF to_regclass('public.' || name) IS NULL THEN
        EXECUTE format('CREATE TABLE public.%I (LIKE public.usage_records INCLUDING ALL)', name);
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'ALTER TABLE public.usage_records ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
            name, first::timestamp AT TIME ZONE 'UTC', (first + interval '1 month') AT TIME ZONE 'UTC');
    END IF;
    RETURN name;
END $$;
REVOKE ALL ON FUNCTION usage_make_partition(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION usage_make_partition(date) TO irisx_system;
"""

# This month and three ahead; a daily task goes on from here.
FIRST_MONTHS = """
SELECT usage_make_partition((date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month')::date)
FROM generate_series(0, 3) AS n;
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0003_row_level_security")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION usage_make_partition(date)"),
        migrations.RunSQL(FIRST_MONTHS, migrations.RunSQL.noop),
    ]
