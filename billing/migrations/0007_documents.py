import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

import common.ids

# What was handed out stays what it is; a draft's document is made anew with the draft.
FROZEN = """
CREATE FUNCTION invoice_documents_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.number <> '' THEN
        RAISE EXCEPTION 'The document of % is final.', OLD.number USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER invoice_documents_frozen BEFORE UPDATE OR DELETE ON invoice_documents
    FOR EACH ROW EXECUTE FUNCTION invoice_documents_frozen();
CREATE FUNCTION seller_logos_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A logo is never changed: documents were made with it.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER seller_logos_frozen BEFORE UPDATE OR DELETE ON seller_logos
    FOR EACH ROW EXECUTE FUNCTION seller_logos_frozen();
"""
FROZEN_BACK = """
DROP TRIGGER seller_logos_frozen ON seller_logos;
DROP FUNCTION seller_logos_frozen();
DROP TRIGGER invoice_documents_frozen ON invoice_documents;
DROP FUNCTION invoice_documents_frozen();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0006_invoice_runs")]

    operations = [
        migrations.AddField(
            "invoicedocument",
            "credit_note",
            models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="document", to="billing.creditnote"
            ),
        ),
        migrations.AddField(
            "invoicedocument", "number", models.CharField(blank=True, help_text="Empty: of a draft.", max_length=40)
        ),
        migrations.AddField(
            "invoicedocument",
            "xml",
            models.BinaryField(default=b"", help_text="The e-invoice; empty where there can be none."),
        ),
        migrations.AddField("invoicedocument", "xml_sha256", models.CharField(blank=True, max_length=64)),
        migrations.AddField(
            "invoicedocument",
            "obstacles",
            models.JSONField(default=list, help_text="Why there is no e-invoice, in words."),
        ),
        migrations.AlterField(
            "invoicedocument",
            "invoice",
            models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="document", to="billing.invoice"
            ),
        ),
        migrations.AlterField(
            "invoicedocument", "drafted_at", models.DateTimeField(help_text="When its lines were made.")
        ),
        migrations.AddConstraint(
            "invoicedocument",
            models.CheckConstraint(
                condition=Q(invoice__isnull=True) ^ Q(credit_note__isnull=True),
                name="invoice_documents_of_one",
                violation_error_message="A document is of an invoice or of a credit note.",
            ),
        ),
        migrations.AddConstraint(
            "invoicedocument",
            models.CheckConstraint(
                condition=Q(xml=b"", xml_sha256="") | (~Q(xml=b"") & Q(xml_sha256__regex=r"^[0-9a-f]{64}$")),
                name="invoice_documents_xml_hash",
                violation_error_message="The hash is 64 hex digits, where there is an e-invoice.",
            ),
        ),
        migrations.CreateModel(
            name="SellerLogo",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("content", models.BinaryField()),
                (
                    "media_type",
                    models.CharField(choices=[("image/png", "PNG"), ("image/svg+xml", "SVG")], max_length=13),
                ),
                ("uploaded_at", models.DateTimeField()),
                (
                    "legal_entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="logos", to="billing.legalentity"
                    ),
                ),
            ],
            options={
                "db_table": "seller_logos",
                "indexes": [
                    models.Index(fields=["legal_entity", "-uploaded_at"], name="seller_logos_newest"),
                ],
            },
        ),
        migrations.RunSQL(FROZEN, FROZEN_BACK),
    ]
