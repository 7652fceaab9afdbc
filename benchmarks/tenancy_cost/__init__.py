"""What the two walls between tenants cost: `python -m benchmarks.tenancy_cost [--rounds N]`.

Compares, in alternating blocks of one run, the product as it is (role irisx_app, a tenant set in each transaction,
row-level security held) with the same code and queries without walls (a role that BYPASSes row-level security, no
setting, no SET ROLE). The database is a throw-away one: fsync off, 2 tenants with 3,000 conversations each.
"""
