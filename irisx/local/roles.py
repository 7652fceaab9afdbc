"""Create the roles and the database a superuser has to make for IRISX."""

import psycopg
from psycopg import sql

OWNER = "irisx_owner"
SERVING = "irisx_app"
DATABASE = "irisx"
ATTRIBUTES = {
    OWNER: "LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS",
    SERVING: "LOGIN NOINHERIT NOCREATEROLE NOSUPERUSER NOBYPASSRLS",
}


def ensure_roles(connection: psycopg.Connection, *, passwords: dict[str, str]) -> None:
    """Create both roles, or give the existing ones these attributes and passwords."""
    for role, attributes in ATTRIBUTES.items():
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        statement = sql.SQL("{verb} ROLE {role} WITH {attributes} PASSWORD {password}").format(
            verb=sql.SQL("ALTER" if known else "CREATE"),
            role=sql.Identifier(role),
            attributes=sql.SQL(attributes),
            password=sql.Literal(passwords[role]),
        )
        connection.execute(statement)


def ensure_database(connection: psycopg.Connection, *, name: str = DATABASE) -> None:
    """Create the database, owned by the migrating role, unless it exists."""
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        connection.execute(
            sql.SQL("CREATE DATABASE {name} OWNER {owner}").format(
                name=sql.Identifier(name), owner=sql.Identifier(OWNER)
            )
        )
