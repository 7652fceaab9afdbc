-- Run once, by the superuser, when the database container makes its data folder. The same roles and database as
-- irisx/local/roles.py; what `manage.py migrate` adds to them stands in docs/guides/database.md.
\getenv owner_password POSTGRES_OWNER_PASSWORD
\getenv app_password POSTGRES_APP_PASSWORD
CREATE ROLE irisx_owner LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS PASSWORD :'owner_password';
CREATE ROLE irisx_app LOGIN NOINHERIT NOCREATEROLE NOSUPERUSER NOBYPASSRLS PASSWORD :'app_password';
CREATE DATABASE irisx OWNER irisx_owner;
REVOKE CONNECT, TEMPORARY ON DATABASE irisx FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE irisx TO irisx_app;
