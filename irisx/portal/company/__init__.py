"""The company's own affairs: its people, keys, webhooks, log, settings and data."""
