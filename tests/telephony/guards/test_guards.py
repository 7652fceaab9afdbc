"""What keeps a call from being placed, and from leaving once it is."""

import pytest

from accounts.models import Tenant
from accounts.tenancy import system_access, tenant_scope
from common.errors import DomainError
from telephony import services
from telephony.guards.destinations import country_of, is_emergency, is_premium
from telephony.guards.models import DialingPolicy, DoNotCall
from telephony.guards.services import trunks_for
from telephony.models import Call, CallCommand, CallEvent, SipTrunk
from telephony.services import CallWish, dispatching
from tests.factories import NOW, Company
from usage.models import UsageRecord

FROM, TO = "+15550109999", "+15550100203"


def place(company: Company, to: str = TO) -> Call:
    with tenant_scope(company.tenant.pk):
        return services.place_call(tenant_id=company.tenant.pk, wish=CallWish(to=to, from_=FROM), now=NOW)


def refusal(company: Company, to: str = TO) -> str:
    """Return the code a call is refused with, having seen that nothing was written."""
    with tenant_scope(company.tenant.pk):
        before = Call.objects.for_tenant(company.tenant.pk).count()
    with pytest.raises(DomainError) as refused:
        place(company, to)
    with tenant_scope(company.tenant.pk):
        assert Call.objects.for_tenant(company.tenant.pk).count() == before
        assert CallCommand.objects.for_tenant(company.tenant.pk).count() == before
        assert not UsageRecord.objects.for_tenant(company.tenant.pk).exists()
    return refused.value.code


def limit_calls(company: Company, calls: int) -> None:
    with system_access("test"):
        Tenant.objects.filter(pk=company.tenant.pk).update(limits={"concurrent_calls": calls})


def policy(company: Company, **values: object) -> None:
    with tenant_scope(company.tenant.pk):
        DialingPolicy.objects.for_tenant(company.tenant.pk).update_or_create(
            tenant_id=company.tenant.pk, defaults=values
        )


@pytest.mark.parametrize(
    ("number", "country"),
    [(TO, "US"), ("+14165550123", "CA"), ("+18765551234", "JM"), ("+4930123456", "DE"), ("+88213123456", "001")],
)
def test_a_number_has_a_country(number: str, country: str):
    assert country_of(number) == country


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("911", True), ("9-1-1", True), ("112", True), ("+49112", True), ("+49110", True), (TO, False), ("+", False)],
)
def test_emergency_numbers_are_known_however_written(text: str, is_one: bool):
    assert is_emergency(text, country="US") is is_one


@pytest.mark.parametrize(("number", "is_one"), [("+19005551234", True), (TO, False), ("+14165550123", False)])
def test_premium_numbers_are_known(number: str, is_one: bool):
    assert is_premium(number) is is_one


@pytest.mark.parametrize("to", ["911", "112", "+49112"])
def test_emergency_numbers_are_refused(acme_line: Company, to: str):
    assert refusal(acme_line, to) == "emergency-number"


def test_only_the_country_of_the_own_number_is_called_until_an_operator_allows_more(acme_line: Company):
    assert refusal(acme_line, "+14165550123") == "country-not-allowed"
    assert refusal(acme_line, "+18765551234") == "country-not-allowed"

    policy(acme_line, countries=["CA"])

    assert place(acme_line, "+14165550123").status == "queued"
    assert refusal(acme_line, "+18765551234") == "country-not-allowed"


def test_premium_numbers_need_an_operator(acme_line: Company):
    assert refusal(acme_line, "+19005551234") == "premium-number"

    policy(acme_line, is_premium_allowed=True)

    assert place(acme_line, "+19005551234").status == "queued"


def test_a_pause_stops_every_call_and_says_why(acme_line: Company):
    policy(acme_line, is_paused=True, pause_reason="Unusual calls last night.")

    with pytest.raises(DomainError, match=r"Unusual calls last night\.") as refused:
        place(acme_line)
    assert refused.value.code == "outbound-paused"


def test_a_listed_number_is_not_called_by_this_company_alone(acme_line: Company, globex: Company):
    for company, number in ((acme_line, TO), (globex, "+15550100204")):
        with tenant_scope(company.tenant.pk):
            DoNotCall.objects.create(tenant_id=company.tenant.pk, number=number)

    assert refusal(acme_line, TO) == "do-not-call"
    assert place(acme_line, "+15550100204").status == "queued"


def test_a_call_listed_after_it_was_placed_never_leaves(acme_line: Company):
    call = place(acme_line)
    tenant_id = acme_line.tenant.pk
    with tenant_scope(tenant_id):
        DoNotCall.objects.create(tenant_id=tenant_id, number=TO)
        command = CallCommand.objects.for_tenant(tenant_id).get()

    taken = dispatching.take(tenant_id=tenant_id, call_id=call.pk, command_id=command.pk, node="a:1", now=NOW)

    assert taken is None
    with tenant_scope(tenant_id):
        call.refresh_from_db()
        command.refresh_from_db()
        events = CallEvent.objects.for_tenant(tenant_id).filter(call_id=call.pk).order_by("seq")
        assert [(event.seq, event.type) for event in events] == [(1, "queued"), (2, "stopped"), (3, "failed")]
        assert events[1].payload == {"code": "do-not-call"}
        assert not UsageRecord.objects.for_tenant(tenant_id).exists()
    assert (call.status, call.reason) == ("failed", "not_sent")
    assert (command.status, command.result) == ("failed", "do-not-call")


def test_the_plan_limits_calls_at_a_time_and_an_ended_call_frees_its_line(acme_line: Company):
    limit_calls(acme_line, 2)
    first, _ = place(acme_line), place(acme_line)

    assert refusal(acme_line) == "all-lines-busy"

    with tenant_scope(acme_line.tenant.pk):
        services.hangup_call(tenant_id=acme_line.tenant.pk, call_id=first.pk, now=NOW)
    assert place(acme_line).status == "queued"


def test_a_full_trunk_lets_the_next_one_carry_the_call(acme_line: Company):
    tenant_id = acme_line.tenant.pk
    with tenant_scope(tenant_id):
        SipTrunk.objects.for_tenant(tenant_id).update(max_concurrent=1)
        services.create_trunk(tenant_id=tenant_id, name="Second", gateway="second", priority=20)
        assert [trunk.name for trunk in trunks_for(tenant_id=tenant_id)] == ["Carrier", "Second"]
    place(acme_line)

    with tenant_scope(tenant_id):
        assert [trunk.name for trunk in trunks_for(tenant_id=tenant_id)] == ["Second"]
        SipTrunk.objects.for_tenant(tenant_id).filter(name="Second").update(is_active=False)
    assert refusal(acme_line) == "all-lines-busy"
