"""A call comes in by a carrier and reaches an agent's telephone: the switch, web, the listener and the books together."""

from decimal import Decimal
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.audit import SYSTEM
from telephony.esl.address import NodeAddress
from telephony.inbound import routes
from telephony.inbound.extensions import NewTelephone, create_extension
from telephony.inbound.models import RouteKind
from telephony.inbound.routes import RouteWish
from telephony.models import Call, PhoneNumber
from tests.acceptance.conftest import opened
from tests.acceptance.parties import PLANS, Carrier, Party
from tests.acceptance.sip import Message
from tests.telephony.conftest import NUMBER
from tests.telephony.listener.books import Books, listening


class Telephone(Party, Carrier):
    """Registers, rings and answers for two seconds whoever calls."""

    def take(self, message: Message, addr: tuple[str, int]) -> None:
        if message.method:
            Carrier.take(self, message, addr)
        else:
            Party.take(self, message, addr)


async def test_a_call_reaches_the_telephone_its_number_leads_to(
    web: None, books: Books, switch: NodeAddress, party: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lead(tenant_id: UUID) -> NewTelephone:
        now = timezone.now()
        made = create_extension(tenant_id=tenant_id, number="101", by=SYSTEM, now=now)
        number = PhoneNumber.objects.for_tenant(tenant_id).get()
        wish = RouteWish(kind=RouteKind.EXTENSION, extension=made.extension.pk)
        routes.set_route(tenant_id=tenant_id, number_id=number.pk, wish=wish, by=SYSTEM, now=now)
        return made

    made = await books.scoped(lead)
    user = made.extension.sip_user
    monkeypatch.setitem(PLANS, user[-4:], (0.5, 200, 2.0))
    async with opened(Telephone()) as telephone, listening(switch):
        assert (await telephone.register(user, made.password, (switch.host, 5060)))[0] == 200
        party.call(NUMBER, (switch.host, 5080), user="+15550100777")
        assert (await party.final()).status == 200
        call = await books.scoped(lambda tenant_id: Call.objects.for_tenant(tenant_id).get())
        done = await books.until(call.pk)

    assert (done.direction, done.status, done.to_number) == ("inbound", "completed", NUMBER)
    timeline = await books.timeline(call.pk)
    assert timeline == ["initiated", "routed", "leg_ordered", "connected", "answered", "leg_ended", "completed"]
    assert await books.metered(call.pk) == [Decimal(60)]
