"""The comparisons of a reconciliation that are one statement each. All answer (tenant, where, expected, found)."""

from typing import Final

FINAL = "i.status NOT IN ('draft', 'parked') AND (%(tenant)s::uuid IS NULL OR i.tenant_id = %(tenant)s)"
NAME = "'invoice ' || coalesce(nullif(i.invoice_number, ''), 'draft ' || i.period_start)"

LINES = f"""
    SELECT i.tenant_id, {NAME},
        concat_ws(' / ', coalesce(l.amount, 0), coalesce(l.allowance, 0), coalesce(l.tax, 0)),
        concat_ws(' / ', i.subtotal, i.allowance, i.tax)
    FROM invoices i LEFT JOIN (
        SELECT invoice_id, sum(amount) AS amount, sum(allowance) AS allowance, sum(tax) AS tax
        FROM invoice_line_items GROUP BY invoice_id
    ) l ON l.invoice_id = i.id
    WHERE (%(tenant)s::uuid IS NULL OR i.tenant_id = %(tenant)s)
        AND (coalesce(l.amount, 0), coalesce(l.allowance, 0), coalesce(l.tax, 0))
            IS DISTINCT FROM (i.subtotal, i.allowance, i.tax)
    ORDER BY i.tenant_id, i.period_start LIMIT %(most)s
"""  # noqa: S608 - constants
TOTALS = f"""
    SELECT i.tenant_id, {NAME}, i.subtotal - i.allowance + i.tax, i.total_amount FROM invoices i
    WHERE (%(tenant)s::uuid IS NULL OR i.tenant_id = %(tenant)s) AND i.total_amount <> i.subtotal - i.allowance + i.tax
    ORDER BY i.tenant_id, i.period_start LIMIT %(most)s
"""  # noqa: S608 - constants
TAX_GROUPS = f"""
    SELECT i.tenant_id, {NAME}, coalesce(g.tax, 0), i.tax FROM invoices i CROSS JOIN LATERAL (
        SELECT sum((one ->> 'tax')::numeric) AS tax FROM jsonb_array_elements(i.tax_groups) AS one
    ) g
    WHERE {FINAL} AND coalesce(g.tax, 0) <> i.tax ORDER BY i.tenant_id, i.period_start LIMIT %(most)s
"""  # noqa: S608 - constants
PAYMENTS = f"""
    SELECT i.tenant_id, {NAME}, coalesce(p.amount, 0), i.amount_paid FROM invoices i LEFT JOIN (
        SELECT invoice_id, sum(amount) AS amount FROM payments GROUP BY invoice_id
    ) p ON p.invoice_id = i.id
    WHERE {FINAL} AND coalesce(p.amount, 0) <> i.amount_paid ORDER BY i.tenant_id, i.period_start LIMIT %(most)s
"""  # noqa: S608 - constants
# What was paid of a top-up, and the credit that its payments granted less what refunds took back.
TOP_UPS = """
    SELECT t.tenant_id, 'top-up ' || t.number, concat_ws(' / ', coalesce(p.amount, 0), coalesce(p.granted, 0)),
        concat_ws(' / ', t.amount_paid, t.amount_paid)
    FROM top_ups t LEFT JOIN (
        SELECT pay.top_up_id, sum(pay.amount) AS amount, sum(credit.amount) AS granted
        FROM payments pay LEFT JOIN LATERAL (
            SELECT sum(e.amount) AS amount FROM credit_entries e WHERE e.tenant_id = pay.tenant_id AND (
                (e.kind = 'grant' AND e.key = 'top-up:' || replace(pay.id::text, '-', ''))
                OR (e.kind = 'burn' AND e.key = 'refund:' || replace(pay.id::text, '-', ''))
            )
        ) credit ON true
        WHERE pay.top_up_id IS NOT NULL GROUP BY pay.top_up_id
    ) p ON p.top_up_id = t.id
    WHERE (%(tenant)s::uuid IS NULL OR t.tenant_id = %(tenant)s)
        AND (coalesce(p.amount, 0), coalesce(p.granted, 0)) IS DISTINCT FROM (t.amount_paid, t.amount_paid)
    ORDER BY t.tenant_id, t.number LIMIT %(most)s
"""
BALANCES = """
    SELECT tenant_id, 'the credit balance', coalesce(l.amount, 0), coalesce(b.amount, 0)
    FROM (SELECT tenant_id, available + held + reserved AS amount FROM credit_balances) b
    FULL JOIN (SELECT tenant_id, sum(amount) AS amount FROM credit_entries GROUP BY tenant_id) l USING (tenant_id)
    WHERE (%(tenant)s::uuid IS NULL OR tenant_id = %(tenant)s) AND coalesce(l.amount, 0) <> coalesce(b.amount, 0)
    ORDER BY tenant_id LIMIT %(most)s
"""
GRANTS = """
    SELECT g.tenant_id, 'credit grant ' || g.key, 'no more than ' || g.amount, (-t.taken)::text || ' taken'
    FROM credit_entries g JOIN (
        SELECT tenant_id, grant_id, sum(amount) AS taken FROM credit_entries WHERE kind <> 'grant'
        GROUP BY tenant_id, grant_id
    ) t ON t.tenant_id = g.tenant_id AND t.grant_id = g.id
    WHERE (%(tenant)s::uuid IS NULL OR g.tenant_id = %(tenant)s) AND -t.taken > g.amount
    ORDER BY g.tenant_id LIMIT %(most)s
"""
# Of all tenants, for a series is its seller's; asked for one tenant, it says nothing of others.
NUMBERS = """
    SELECT NULL::uuid, 'series ' || s.series, s.last || ' numbers', count(n.series_number) || ' of them, the last '
        || coalesce(max(n.series_number), 0)
    FROM invoice_sequences s LEFT JOIN (
        SELECT legal_entity_id, series, series_number FROM invoices WHERE series_number IS NOT NULL
        UNION ALL SELECT legal_entity_id, series, series_number FROM credit_notes
        UNION ALL SELECT legal_entity_id, series, series_number FROM top_ups
    ) n ON n.legal_entity_id = s.legal_entity_id AND n.series = s.series
    WHERE %(tenant)s::uuid IS NULL
    GROUP BY s.id HAVING count(n.series_number) <> s.last OR coalesce(max(n.series_number), 0) <> s.last
    ORDER BY s.series LIMIT %(most)s
"""
# Credit is kept to ten decimals, an allowance in the currency's: rounded, they are the same.
ALLOWANCES = f"""
    SELECT i.tenant_id, {NAME}, i.currency, coalesce(e.burned, 0), i.allowance FROM invoices i LEFT JOIN (
        SELECT tenant_id, key, -sum(amount) AS burned FROM credit_entries WHERE kind = 'burn' GROUP BY tenant_id, key
    ) e ON e.tenant_id = i.tenant_id AND e.key = 'allowance:' || replace(i.id::text, '-', '')
    WHERE {FINAL} AND coalesce(e.burned, 0) <> i.allowance ORDER BY i.tenant_id, i.period_start
"""  # noqa: S608 - constants

CHECKS: Final = {
    "lines = invoice (amount / allowance / tax)": LINES,
    "subtotal - allowance + tax = total": TOTALS,
    "tax by group = tax": TAX_GROUPS,
    "payments = amount paid": PAYMENTS,
    "top-up payments = amount paid = credit granted": TOP_UPS,
    "credit ledger = balance": BALANCES,
    "credit taken <= granted": GRANTS,
    "numbers without a gap": NUMBERS,
}
