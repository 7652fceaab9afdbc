"""What happens to tenants and their people. Receivers run inside the sender's transaction (`send`): one failure undoes all."""

from django.dispatch import Signal

# Sent with tenant: Tenant, now: datetime.
tenant_created = Signal()

# An agent became something else: chose a status, came back, is gone. Sent inside the tenant's scope with tenant_id: UUID,
# user_id: UUID, status: str (what the agent effectively is now), now: datetime.
presence_changed = Signal()

# Somebody has joined a company, by whichever way. Sent inside the tenant's scope with tenant_id: UUID, membership: Membership,
# details: dict (what an import said beside, e.g. `extension`: telephony provisions it), now: datetime.
member_added = Signal()

# Somebody was suspended in a company or taken out of it. Sent inside the tenant's scope with tenant_id, user_id: UUID, now.
member_left = Signal()

# An operator suspended a company, or let it in again. Sent inside the tenant's scope with tenant: Tenant, now: datetime.
tenant_stopped = Signal()
tenant_reopened = Signal()

# A closed company's rows of a table are about to be erased. Sent under system access with tenant_id: UUID, table: str, most: int
# (the first so many by id): what they stand for outside the database, files, goes now.
tenant_erasing = Signal()

# A file of people was taken in, and they are invited. Sent inside the tenant's scope with tenant_id: UUID, invitations:
# list[Invitation] (`details["extension"]` is what telephony may reserve; raising Invalid refuses the file), now: datetime.
agents_imported = Signal()
