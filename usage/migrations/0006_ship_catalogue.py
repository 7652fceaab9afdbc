from django.db import migrations

from common.rowlevel import SYSTEM_ROLE
from usage import shipped


def ship(apps, schema_editor):
    """Store the shipped meters, plans, features and rates; rates are under row-level security, hence the role."""
    models = [apps.get_model("usage", name) for name in ("Meter", "PricingPlan", "PlanFeature", "PricingRate")]
    schema_editor.execute(f"SET LOCAL ROLE {SYSTEM_ROLE}")
    shipped.store(*models, using=schema_editor.connection.alias)
    schema_editor.execute("RESET ROLE")


class Migration(migrations.Migration):
    dependencies = [("usage", "0005_freeze_rates")]

    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
