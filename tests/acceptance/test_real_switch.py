"""What only a real FreeSWITCH with deploy/freeswitch can show: its sign-ins, and what it makes of our answers."""

import asyncio
from datetime import datetime
from urllib.parse import unquote

import orjson
import pytest
from django.conf import settings

from accounts.audit import SYSTEM
from accounts.tenancy import tenant_scope
from telephony.esl import commands
from telephony.esl.address import NodeAddress
from telephony.esl.commands import Command
from telephony.esl.errors import SignInRefused
from telephony.esl.link import Link
from telephony.inbound.extensions import NewTelephone, create_extension
from tests.acceptance.parties import Party
from tests.factories import Company
from tests.telephony.conftest import NUMBER

CALLER = "+15550100777"


def carriers_door(switch: NodeAddress) -> tuple[str, int]:
    return switch.host, 5080


def telephones_door(switch: NodeAddress) -> tuple[str, int]:
    return switch.host, 5060


async def said(link: Link, line: str) -> str:
    return (await link.send(Command(line))).body


async def channels(link: Link) -> list[dict[str, str]]:
    return orjson.loads(await said(link, commands.show_channels().line)).get("rows", [])


async def parked(link: Link) -> dict[str, str]:
    """Wait for the one channel, and return all the switch knows about it once it is parked."""
    async with asyncio.timeout(10):
        while True:
            for row in await channels(link):
                if row["application"] == "park":
                    return orjson.loads(await said(link, f"api uuid_dump {row['uuid']} json"))
            await asyncio.sleep(0.1)


async def gone(link: Link) -> None:
    async with asyncio.timeout(10):
        while await channels(link):
            await asyncio.sleep(0.1)


@pytest.fixture
def telephone(committed_db: None, acme_line: Company, now: datetime) -> NewTelephone:
    with tenant_scope(acme_line.tenant.pk):
        return create_extension(tenant_id=acme_line.tenant.pk, number="101", by=SYSTEM, now=now)


@pytest.mark.parametrize(
    "line", ["system id", "global_getvar esl_password", "reload mod_sofia", "bgapi system id", "eval x"]
)
async def test_the_listeners_user_may_do_what_it_needs_and_nothing_else(switch: NodeAddress, line: str) -> None:
    link = await Link.open(switch)
    assert "permission denied" in repr(await link.send(Command(f"api {line}")))
    assert "is ready" in await said(link, "api status")
    await link.close()


@pytest.mark.parametrize("password", ["", "nobody", "ClueCon", "the right one"])
async def test_nobody_signs_in_by_the_bare_password(switch: NodeAddress, password: str) -> None:
    right = password.replace("the right one", switch.password)
    with pytest.raises(SignInRefused):
        await Link.open(NodeAddress(host=switch.host, port=switch.port, password=right or "x"))


async def test_a_call_to_a_number_of_ours_is_parked_unanswered(
    web: None, acme_line: Company, switch: NodeAddress, party: Party
) -> None:
    link = await Link.open(switch)
    invite = party.call(NUMBER, carriers_door(switch), user=CALLER)

    found = await parked(link)
    party.cancel(invite, carriers_door(switch))
    await gone(link)
    await link.close()

    assert (found["Call-Direction"], found["variable_irisx_inbound"]) == ("inbound", "true")
    assert (found["Caller-Destination-Number"], unquote(found["Caller-Caller-ID-Number"])) == (NUMBER, CALLER)
    assert found["Answer-State"] == "ringing"


async def test_a_call_to_nobody_is_told_so(web: None, switch: NodeAddress, party: Party) -> None:
    invite = party.call("+15550101234", carriers_door(switch), user=CALLER)
    final = await party.final()
    party.acknowledge(invite, final, carriers_door(switch))
    assert final.status == 404


async def test_while_we_cannot_be_asked_the_carrier_is_sent_elsewhere(switch: NodeAddress, party: Party) -> None:
    invite = party.call(NUMBER, carriers_door(switch), user=CALLER)
    final = await party.final()
    party.acknowledge(invite, final, carriers_door(switch))
    assert final.status == 503


async def test_a_telephone_registers_with_its_password_alone(
    web: None, telephone: NewTelephone, switch: NodeAddress, party: Party
) -> None:
    user, door = telephone.extension.sip_user, telephones_door(switch)

    assert await party.register(user, telephone.password, door) == (200, settings.FREESWITCH_SIP_DOMAIN)
    assert (await party.register(user, "another", door))[0] == 403
    assert (await party.register("listener", switch.password, door))[0] == 403
    assert (await party.register("nobody-1", telephone.password, door))[0] == 403


async def test_a_call_without_a_sign_in_is_challenged(web: None, switch: NodeAddress, party: Party) -> None:
    invite = party.call(NUMBER, telephones_door(switch), user="101")
    final = await party.final()
    party.acknowledge(invite, final, telephones_door(switch))
    assert final.status == 407
