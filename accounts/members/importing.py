"""Many people at once, from a file: all of them are invited, or none."""

from datetime import datetime
from uuid import UUID

from accounts.audit import record
from accounts.members import csv_guests, invitations
from accounts.members.invitations import Guest
from accounts.members.services import Chief, lock, require_may_touch, require_seats
from accounts.signals import agents_imported
from common import jobs
from common.errors import FieldProblem, Invalid
from common.ids import encode
from common.models import Job

KIND = "members.import"


def import_guests(*, tenant_id: UUID, content: bytes, by: Chief, now: datetime) -> Job:
    """Invite everybody a file names, in one transaction, and return the job that counts the links mailed.

    Raises Invalid with every row that is wrong, whose address is a member's or invited already; WrongState without seats.
    Listeners of `agents_imported` hear of the extensions wished for, and may refuse.
    """
    rows, problems = csv_guests.read(content)
    tenant = lock(tenant_id)
    known = invitations.taken_addresses(tenant_id=tenant_id, emails=[row.email for row in rows], now=now)
    problems += [FieldProblem(f"/rows/{row.number}/email", *known[row.email]) for row in rows if row.email in known]
    problems += [_bad_address(row) for row in rows if not _is_address(row.email)]
    if problems:
        raise Invalid.many(problems[: csv_guests.MOST_PROBLEMS])
    if not rows:
        raise Invalid("The file names nobody.", pointer="/rows")
    require_may_touch(by, *{row.role for row in rows})
    require_seats(tenant, taken=invitations.seats_taken(tenant_id=tenant_id, now=now), wanted=len(rows))
    job = jobs.start(owner=tenant_id, kind=KIND, total_count=len(rows))
    guests = [
        Guest(row.email, row.role, row.name, {"extension": row.extension} if row.extension else {}) for row in rows
    ]
    made = invitations.keep_places(tenant_id=tenant_id, guests=guests, by=by, now=now, batch=job.pk)
    agents_imported.send(sender=Job, tenant_id=tenant_id, invitations=made, now=now)
    changes = {"people": len(made)}
    record(tenant_id=tenant_id, action="members.imported", by=by.actor, object_id=encode("jb", job.pk), changes=changes)
    return job


def _is_address(email: str) -> bool:
    try:
        invitations.clean_email(email)
    except Invalid:
        return False
    return True


def _bad_address(row: csv_guests.Row) -> FieldProblem:
    return FieldProblem(f"/rows/{row.number}/email", "no-address", "This is no e-mail address.")
