from django.db import migrations

from accounts.tenancy.operations import EnableRowLevelSecurity, LedgerPrimaryKey

# Plans' rates are for all to read, a tenant's own rates for itself; only the system writes them.
RATES = """
ALTER TABLE pricing_rates ENABLE ROW LEVEL SECURITY;
ALTER TABLE pricing_rates FORCE ROW LEVEL SECURITY;
CREATE POLICY pricing_rates_tenant ON pricing_rates FOR SELECT
    USING (tenant_id IS NULL OR tenant_id = NULLIF(current_setting('irisx.tenant', true), '')::uuid);
CREATE POLICY pricing_rates_system ON pricing_rates TO irisx_system USING (true) WITH CHECK (true);
"""
RATES_BACK = """
DROP POLICY pricing_rates_system ON pricing_rates;
DROP POLICY pricing_rates_tenant ON pricing_rates;
ALTER TABLE pricing_rates NO FORCE ROW LEVEL SECURITY;
ALTER TABLE pricing_rates DISABLE ROW LEVEL SECURITY;
"""

# Without a policy nobody reads or writes a partition itself; through its parent the parent's policies hold.
DEFAULT = """
ALTER TABLE usage_records_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_records_default FORCE ROW LEVEL SECURITY;
"""
DEFAULT_BACK = """
ALTER TABLE usage_records_default NO FORCE ROW LEVEL SECURITY;
ALTER TABLE usage_records_default DISABLE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_row_level_security"), ("usage", "0002_usage_records")]

    operations = [
        EnableRowLevelSecurity("subscriptions"),
        EnableRowLevelSecurity("billing_periods"),
        EnableRowLevelSecurity("credit_entries"),
        EnableRowLevelSecurity("usage_records"),
        EnableRowLevelSecurity("usage_dedup"),
        EnableRowLevelSecurity("usage_summaries"),
        EnableRowLevelSecurity("usage_summary_deltas"),
        LedgerPrimaryKey("credit_entries"),
        LedgerPrimaryKey("usage_summaries"),
        LedgerPrimaryKey("usage_summary_deltas"),
        migrations.RunSQL(DEFAULT, DEFAULT_BACK),
        migrations.RunSQL(RATES, RATES_BACK),
    ]
