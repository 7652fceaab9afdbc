"""E-invoices: an invoice as XML that machines read, by EN 16931."""
