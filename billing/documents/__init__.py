"""Documents: an invoice as values, laid out by Typst, rendered to PDF."""
