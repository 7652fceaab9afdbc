from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("billing", "0008_reconciliations")]

    # Lines may come to less than 0, when a change of plan gives back more than was used; credit covers nothing then.
    operations = [
        migrations.RemoveConstraint(model_name="invoice", name="invoices_not_negative"),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=(Q(allowance=0) | Q(allowance__gte=0, allowance__lte=F("subtotal"))) & Q(amount_paid__gte=0),
                name="invoices_not_negative",
                violation_error_message="Credit covers no more than the lines.",
            ),
        ),
    ]
