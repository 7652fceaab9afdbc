from django.db import migrations

from accounts.tenancy.operations import EnableRowLevelSecurity

# A finalized invoice is a document that others hold a copy of. These triggers hold for every path: the ORM, bulk updates,
# the admin, SQL of whoever owns the tables. What may still change is where it stands, never what it says.
INVOICES = """
CREATE FUNCTION invoices_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    free CONSTANT text[] := ARRAY['status', 'paid_at', 'amount_paid', 'payment_method', 'payment_reference', 'sent_at', 'notes'];
    sums record;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status NOT IN ('draft', 'parked') THEN
            RAISE EXCEPTION 'An invoice begins as a draft.' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.status NOT IN ('draft', 'parked') THEN
        IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION 'Invoice % is final: it is never deleted; issue a credit note.', OLD.invoice_number
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free THEN
            RAISE EXCEPTION 'Invoice % is final: only its status, payment and notes change; issue a credit note.',
                OLD.invoice_number USING ERRCODE = 'restrict_violation';
        END IF;
        IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
            ('pending', 'paid'), ('pending', 'overdue'), ('pending', 'void'), ('overdue', 'paid'), ('overdue', 'void'),
            ('paid', 'pending'), ('paid', 'void')
        ) THEN
            RAISE EXCEPTION 'Invoice % is %: it cannot become %.', OLD.invoice_number, OLD.status, NEW.status
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF NEW.status IN ('draft', 'parked') THEN
        RETURN NEW;
    END IF;
    IF NEW.status NOT IN ('pending', 'paid') THEN
        RAISE EXCEPTION 'A draft cannot become %.', NEW.status USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM invoice_sequences AS counter WHERE counter.legal_entity_id = NEW.legal_entity_id
                   AND counter.series = NEW.series AND counter.last = NEW.series_number) THEN
        RAISE EXCEPTION 'The number % was not taken from its series.', NEW.invoice_number
            USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT count(*) AS lines, sum(amount) AS amount, sum(allowance) AS allowance, sum(tax) AS tax
        INTO sums FROM invoice_line_items WHERE invoice_id = NEW.id;
    IF sums.lines = 0 OR (sums.amount, sums.allowance, sums.tax) IS DISTINCT FROM (NEW.subtotal, NEW.allowance, NEW.tax) THEN
        RAISE EXCEPTION 'The lines of invoice % are % with allowance % and tax %, not % with % and %.', NEW.invoice_number,
            sums.amount, sums.allowance, sums.tax, NEW.subtotal, NEW.allowance, NEW.tax USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoices_frozen BEFORE INSERT OR UPDATE OR DELETE ON invoices
    FOR EACH ROW EXECUTE FUNCTION invoices_frozen();
"""
INVOICES_BACK = """
DROP TRIGGER invoices_frozen ON invoices;
DROP FUNCTION invoices_frozen();
"""

# Locks the invoice: a line written while it is being finalized waits, and is refused then.
LINES = """
CREATE FUNCTION invoice_lines_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    invoice uuid;
    state text;
BEGIN
    FOREACH invoice IN ARRAY CASE TG_OP
        WHEN 'INSERT' THEN ARRAY[NEW.invoice_id]
        WHEN 'DELETE' THEN ARRAY[OLD.invoice_id]
        ELSE ARRAY[OLD.invoice_id, NEW.invoice_id] END
    LOOP
        SELECT status INTO state FROM invoices WHERE id = invoice FOR SHARE;
        IF FOUND AND state NOT IN ('draft', 'parked') THEN
            RAISE EXCEPTION 'The invoice is final: its lines never change; issue a credit note.'
                USING ERRCODE = 'restrict_violation';
        END IF;
    END LOOP;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER invoice_lines_frozen BEFORE INSERT OR UPDATE OR DELETE ON invoice_line_items
    FOR EACH ROW EXECUTE FUNCTION invoice_lines_frozen();
"""
LINES_BACK = """
DROP TRIGGER invoice_lines_frozen ON invoice_line_items;
DROP FUNCTION invoice_lines_frozen();
"""

# Credit notes and payments are written once. A note's lines come in one statement, and are all there is of it.
WRITTEN_ONCE = """
CREATE FUNCTION billing_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'credit_notes' THEN
        IF to_jsonb(NEW) - 'sent_at' IS NOT DISTINCT FROM to_jsonb(OLD) - 'sent_at' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'Rows of % never change and are never deleted.', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER credit_notes_written_once BEFORE UPDATE OR DELETE ON credit_notes
    FOR EACH ROW EXECUTE FUNCTION billing_written_once();
CREATE TRIGGER credit_note_lines_written_once BEFORE UPDATE OR DELETE ON credit_note_lines
    FOR EACH ROW EXECUTE FUNCTION billing_written_once();
CREATE TRIGGER payments_written_once BEFORE UPDATE OR DELETE ON payments
    FOR EACH ROW EXECUTE FUNCTION billing_written_once();

CREATE FUNCTION credit_notes_numbered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM invoice_sequences AS counter WHERE counter.legal_entity_id = NEW.legal_entity_id
                   AND counter.series = NEW.series AND counter.last = NEW.series_number) THEN
        RAISE EXCEPTION 'The number % was not taken from its series.', NEW.credit_note_number
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER credit_notes_numbered BEFORE INSERT ON credit_notes
    FOR EACH ROW EXECUTE FUNCTION credit_notes_numbered();

CREATE FUNCTION credit_note_lines_complete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM credit_notes AS note
        JOIN (SELECT credit_note_id, count(*) AS lines, sum(amount) AS amount, sum(tax) AS tax FROM credit_note_lines
              WHERE credit_note_id IN (SELECT credit_note_id FROM added) GROUP BY credit_note_id) AS sums
            ON sums.credit_note_id = note.id
        WHERE (sums.lines, sums.amount, sums.tax) IS DISTINCT FROM (note.line_count::bigint, note.subtotal, note.tax)
    ) THEN
        RAISE EXCEPTION 'The lines of a credit note are written once, and add up to it.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER credit_note_lines_complete AFTER INSERT ON credit_note_lines
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION credit_note_lines_complete();
"""
WRITTEN_ONCE_BACK = """
DROP TRIGGER credit_note_lines_complete ON credit_note_lines;
DROP FUNCTION credit_note_lines_complete();
DROP TRIGGER credit_notes_numbered ON credit_notes;
DROP FUNCTION credit_notes_numbered();
DROP TRIGGER payments_written_once ON payments;
DROP TRIGGER credit_note_lines_written_once ON credit_note_lines;
DROP TRIGGER credit_notes_written_once ON credit_notes;
DROP FUNCTION billing_written_once();
"""

SEQUENCES = """
CREATE FUNCTION invoice_sequences_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'A series is never deleted.' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.last <> 1 THEN
            RAISE EXCEPTION 'A series begins with 1.' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.last <> OLD.last + 1 OR NEW.last_issue_date < OLD.last_issue_date
        OR (NEW.id, NEW.legal_entity_id, NEW.series) IS DISTINCT FROM (OLD.id, OLD.legal_entity_id, OLD.series) THEN
        RAISE EXCEPTION 'A series grows by one, and its dates never go back.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoice_sequences_grow BEFORE INSERT OR UPDATE OR DELETE ON invoice_sequences
    FOR EACH ROW EXECUTE FUNCTION invoice_sequences_grow();
"""
SEQUENCES_BACK = """
DROP TRIGGER invoice_sequences_grow ON invoice_sequences;
DROP FUNCTION invoice_sequences_grow();
"""

TABLES = ("invoices", "invoice_line_items", "credit_notes", "credit_note_lines", "payments", "invoice_sequences")
NEVER_EMPTIED = """
CREATE FUNCTION billing_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never emptied.', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
""" + "".join(
    f"CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table}"
    " FOR EACH STATEMENT EXECUTE FUNCTION billing_never_emptied();\n"
    for table in TABLES
)
NEVER_EMPTIED_BACK = (
    "".join(f"DROP TRIGGER {table}_never_emptied ON {table};\n" for table in TABLES)
    + "DROP FUNCTION billing_never_emptied();"
)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_row_level_security"), ("billing", "0003_invoice_life")]

    operations = [
        EnableRowLevelSecurity("billing_profiles"),
        EnableRowLevelSecurity("credit_notes"),
        EnableRowLevelSecurity("credit_note_lines"),
        EnableRowLevelSecurity("payments"),
        migrations.RunSQL(INVOICES, INVOICES_BACK),
        migrations.RunSQL(LINES, LINES_BACK),
        migrations.RunSQL(WRITTEN_ONCE, WRITTEN_ONCE_BACK),
        migrations.RunSQL(SEQUENCES, SEQUENCES_BACK),
        migrations.RunSQL(NEVER_EMPTIED, NEVER_EMPTIED_BACK),
    ]
