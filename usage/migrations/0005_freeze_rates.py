from django.db import migrations

# Records and invoices name the version of the rate they were priced by: were it to change, they could not be priced again.
FREEZE = """
CREATE FUNCTION pricing_rates_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'A rate is never deleted; set effective_until.' USING ERRCODE = 'restrict_violation';
    END IF;
    IF to_jsonb(NEW) - 'effective_until' IS DISTINCT FROM to_jsonb(OLD) - 'effective_until' THEN
        RAISE EXCEPTION 'A rate never changes; add a version.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER pricing_rates_frozen BEFORE UPDATE OR DELETE ON pricing_rates
    FOR EACH ROW EXECUTE FUNCTION pricing_rates_frozen();

ALTER TABLE pricing_rates ADD CONSTRAINT pricing_rates_meter
    FOREIGN KEY (channel, resource_type) REFERENCES usage_meters (channel, resource_type) DEFERRABLE INITIALLY DEFERRED;
"""
THAW = """
ALTER TABLE pricing_rates DROP CONSTRAINT pricing_rates_meter;
DROP TRIGGER pricing_rates_frozen ON pricing_rates;
DROP FUNCTION pricing_rates_frozen();
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0004_monthly_partitions")]

    operations = [migrations.RunSQL(FREEZE, THAW)]
