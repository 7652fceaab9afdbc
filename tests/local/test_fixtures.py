"""The database each test process has: its own, as the serving role, put back after committed work."""

from django.db import connection

from accounts.models import Tenant
from accounts.tenancy import system_access
from irisx.local.testsession import TestSession
from tests import factories


class TestTheDatabase:
    def test_is_served_to_a_role_that_row_level_security_holds(self, db: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
            assert cursor.fetchone() == ("irisx_app", False, False)

    def test_belongs_to_this_process_alone(self, db: None, worker_id: str) -> None:
        name = connection.settings_dict["NAME"]
        assert name == f"{TestSession.inherited().template}_{'main' if worker_id == 'master' else worker_id}"


def tenants() -> int:
    with system_access("a test counts"):
        return Tenant.objects.count()


class TestCommittedWork:
    def test_is_real(self, committed_db: None, acme: factories.Company) -> None:
        assert not connection.in_atomic_block
        assert tenants() == 1

    def test_is_gone_in_the_next_test(self, committed_db: None) -> None:
        assert tenants() == 0
