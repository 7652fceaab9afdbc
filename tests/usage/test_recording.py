"""A fact is recorded once, priced at once, and never touches a row others need."""
