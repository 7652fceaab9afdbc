"""A company's numbers and trunks over HTTP: looked at and changed; assigned by operators in the admin."""
