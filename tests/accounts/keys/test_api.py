"""`/v1/api-keys`: made, shown once, rotated with an overlap, revoked at once; nobody gives more than he has."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.keys import services
from accounts.models import ApiKey, AuditEntry
from accounts.permissions import SCOPES, Role
from accounts.tenancy import tenant_scope
from common.errors import WrongState
from common.ids import decode
from common.models import IdempotencyKey
from tests import factories
from tests.conftest import ApiClient

PATH = "/v1/api-keys"
BODY = {"name": "Shop", "scopes": ["chat.read", "chat.reply"]}


def stored(company: factories.Company, id: str) -> ApiKey:
    with tenant_scope(company.tenant.pk):
        return ApiKey.objects.for_tenant(company.tenant).get(pk=decode("ak", id))


def change(company: factories.Company, id: str, **values: Any) -> None:
    with tenant_scope(company.tenant.pk):
        ApiKey.objects.for_tenant(company.tenant).filter(pk=decode("ak", id)).update(**values)


def audited(company: factories.Company, action: str) -> list[AuditEntry]:
    with tenant_scope(company.tenant.pk):
        return list(AuditEntry.objects.for_tenant(company.tenant).filter(action=action))


@pytest.fixture
def client(acme: factories.Company) -> ApiClient:
    return ApiClient(acme.api_key)


def make(client: Client, **more: Any) -> dict[str, Any]:
    answer = client.post(PATH, {**BODY, **more}, content_type="application/json")
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


class TestMaking:
    def test_shows_the_text_once_and_keeps_a_hash(self, acme: factories.Company, client: ApiClient) -> None:
        made = make(client)
        assert made["key"].startswith(made["key_start"])
        assert len(made["key"]) == 55
        shown = client.get(f"{PATH}/{made['id']}").json()
        assert "key" not in shown
        assert made["key"] not in client.get(PATH).content.decode()
        assert made["key"][23:].encode() not in bytes(stored(acme, made["id"]).secret_hash)
        assert ApiClient(made["key"]).get("/v1/me").json()["permissions"] == sorted(BODY["scopes"])

    def test_writes_who_made_it_and_no_secret(
        self, acme: factories.Company, signed_in: Callable[[Any], Client]
    ) -> None:
        made = make(signed_in(acme.owner))
        [entry] = audited(acme, "api_key.created")
        assert (entry.actor_name, entry.object_id, entry.ip_address) == ("Alice", made["id"], "127.0.0.1")
        assert entry.changes["scopes"] == BODY["scopes"]
        assert made["key"][23:] not in str(entry.changes)
        assert made["created_by"] == f"us_{acme.owner.pk.hex}"

    def test_replays_without_the_text(self, acme: factories.Company, client: ApiClient) -> None:
        first = client.post(PATH, BODY, headers={"Idempotency-Key": "k1"}).json()
        again = client.post(PATH, BODY, headers={"Idempotency-Key": "k1"})
        assert (again.status_code, again["Idempotency-Replayed"], again.json()["key"]) == (201, "true", None)
        assert again.json()["id"] == first["id"]
        with tenant_scope(acme.tenant.pk):
            answers = IdempotencyKey.objects.values_list("answer", flat=True)
            assert first["key"] not in str(list(answers))

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"scopes": []}, "/scopes"),
            ({"scopes": ["root"]}, "/scopes"),
            ({"scopes": ["presence"]}, "/scopes"),
            ({"scopes": "chat.read"}, "/scopes"),
            ({"name": ""}, "/name"),
            ({"name": "x" * 81}, "/name"),
            ({"name": "a\x00"}, "/name"),
            ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
            ({"expires_at": "soon"}, "/expires_at"),
            ({"per_minute": 0}, "/per_minute"),
            ({"per_minute": 10**9}, "/per_minute"),
        ],
    )
    def test_refuses_what_is_wrong(self, client: ApiClient, body: dict[str, Any], pointer: str) -> None:
        before = len(client.get(PATH).json()["results"])
        answer = client.post(PATH, {**BODY, **body})
        assert answer.status_code == 422, answer.content
        assert answer.json()["errors"][0]["pointer"].startswith(pointer)
        assert len(client.get(PATH).json()["results"]) == before

    def test_gives_no_more_than_its_maker_has(self, acme: factories.Company, client: ApiClient) -> None:
        narrow = ApiClient(make(client, scopes=["api_keys.manage", "chat.read"])["key"])
        assert narrow.post(PATH, {"name": "Twin", "scopes": ["chat.read"]}).status_code == 201
        answer = narrow.post(PATH, {"name": "Wide", "scopes": ["chat.read", "billing.manage"]})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "not-yours")
        wide = make(client, scopes=["billing.manage"])
        assert narrow.post(f"{PATH}/{wide['id']}/rotate").status_code == 422
        assert stored(acme, wide["id"]).replaced_by_id is None

    def test_is_for_those_who_may(self, acme: factories.Company, signed_in: Callable[[Any], Client]) -> None:
        for role, status in ((Role.ADMIN, 201), (Role.SUPERVISOR, 403), (Role.READ_ONLY, 403)):
            person = factories.add_person(acme, role.value, role).user
            assert signed_in(person).post(PATH, BODY, content_type="application/json").status_code == status


class TestListing:
    def test_filters_by_state(self, acme: factories.Company, client: ApiClient) -> None:
        now = timezone.now()
        dead, old = make(client, name="dead"), make(client, name="old")
        change(acme, dead["id"], revoked_at=now)
        change(acme, old["id"], expires_at=now)
        names = {
            state: {key["name"] for key in client.get(f"{PATH}?status={state}").json()["results"]}
            for state in ("active", "expired", "revoked")
        }
        assert names == {"active": {"tests"}, "expired": {"old"}, "revoked": {"dead"}}
        assert client.get(f"{PATH}?status=none").status_code == 422

    def test_tells_when_and_from_where_it_was_last_used(self, client: ApiClient) -> None:
        made = make(client)
        assert (made["last_used_at"], made["last_used_ip"]) == (None, None)
        ApiClient(made["key"]).get("/v1/me", REMOTE_ADDR="198.51.100.4")
        shown = client.get(f"{PATH}/{made['id']}").json()
        assert shown["last_used_at"] is not None
        assert shown["last_used_ip"] == "198.51.100.4"


class TestChanging:
    def test_changes_name_and_rate(self, acme: factories.Company, client: ApiClient) -> None:
        made = make(client)
        for _ in range(2):
            answer = client.patch(f"{PATH}/{made['id']}", {"per_minute": 60}, content_type="application/json")
            assert (answer.status_code, answer.json()["per_minute"]) == (200, 60)
        [entry] = audited(acme, "api_key.changed")
        assert entry.changes == {"per_minute": {"from": None, "to": 60}}

    @pytest.mark.parametrize("body", [{"scopes": ["billing.manage"]}, {"name": ""}, {"expires_at": None}])
    def test_changes_nothing_else(self, client: ApiClient, body: dict[str, Any]) -> None:
        made = make(client)
        assert client.patch(f"{PATH}/{made['id']}", body, content_type="application/json").status_code == 422
        assert client.get(f"{PATH}/{made['id']}").json() == {k: v for k, v in made.items() if k != "key"}


class TestRotating:
    def test_lets_both_work_during_the_overlap(self, acme: factories.Company, client: ApiClient) -> None:
        old = make(client, per_minute=99)
        new = client.post(f"{PATH}/{old['id']}/rotate", {"overlap_hours": 2}).json()
        assert (new["scopes"], new["name"], new["per_minute"]) == (old["scopes"], old["name"], 99)
        assert [ApiClient(key["key"]).get("/v1/me").status_code for key in (old, new)] == [200, 200]
        row = stored(acme, old["id"])
        assert row.expires_at is not None
        left = row.expires_at - timezone.now()
        assert timedelta(minutes=119) < left <= timedelta(hours=2)
        assert client.get(f"{PATH}/{old['id']}").json()["replaced_by"] == new["id"]
        change(acme, old["id"], expires_at=timezone.now())
        assert [ApiClient(key["key"]).get("/v1/me").status_code for key in (old, new)] == [401, 200]

    def test_ends_the_old_one_now_without_an_overlap(self, client: ApiClient) -> None:
        old = make(client)
        new = client.post(f"{PATH}/{old['id']}/rotate", {"overlap_hours": 0}).json()
        assert [ApiClient(key["key"]).get("/v1/me").status_code for key in (old, new)] == [401, 200]

    def test_makes_no_key_live_longer(self, acme: factories.Company, client: ApiClient) -> None:
        ends = timezone.now() + timedelta(hours=1)
        old = make(client, expires_at=ends.isoformat())
        new = client.post(f"{PATH}/{old['id']}/rotate", {"overlap_hours": 24}).json()
        assert [stored(acme, key["id"]).expires_at for key in (old, new)] == [ends, ends]

    def test_happens_once(self, client: ApiClient) -> None:
        old = make(client)
        assert client.post(f"{PATH}/{old['id']}/rotate").status_code == 201
        assert client.post(f"{PATH}/{old['id']}/rotate").status_code == 409
        revoked = make(client)
        client.delete(f"{PATH}/{revoked['id']}")
        assert client.post(f"{PATH}/{revoked['id']}/rotate").status_code == 409

    @pytest.mark.parametrize("hours", [-1, 169, "x", None])
    def test_refuses_another_overlap(self, client: ApiClient, hours: Any) -> None:
        old = make(client)
        assert client.post(f"{PATH}/{old['id']}/rotate", {"overlap_hours": hours}).status_code == 422

    def test_happens_once_of_many_at_once(self, committed_db: None) -> None:
        acme = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")
        id, won, lost = make(ApiClient(acme.api_key))["id"], list[Any](), list[Any]()

        def rotate() -> None:
            try:
                with tenant_scope(acme.tenant.pk):
                    rotated = services.rotate_api_key(
                        tenant_id=acme.tenant.pk, key_id=decode("ak", id), overlap=timedelta(hours=1), held=SCOPES,
                        created_by=None, actor=audit.SYSTEM, now=timezone.now(),
                    )  # fmt: skip
                won.append(rotated)
            except WrongState as refusal:
                lost.append(refusal)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=rotate) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert (len(won), len(lost)) == (1, 5)
        assert len(audited(acme, "api_key.rotated")) == 1


class TestRevoking:
    def test_ends_it_at_once_and_for_good(self, acme: factories.Company, client: ApiClient) -> None:
        made = make(client)
        for _ in range(2):
            assert client.delete(f"{PATH}/{made['id']}").status_code == 204
        assert ApiClient(made["key"]).get("/v1/me").status_code == 401
        assert client.get(f"{PATH}/{made['id']}").json()["status"] == "revoked"
        assert len(audited(acme, "api_key.revoked")) == 1

    def test_can_be_done_by_the_key_itself(self, client: ApiClient) -> None:
        own = make(client, scopes=["api_keys.manage"])
        assert ApiClient(own["key"]).delete(f"{PATH}/{own['id']}").status_code == 204
        assert ApiClient(own["key"]).get(PATH).status_code == 401


def test_a_foreign_key_is_not_there(acme: factories.Company, globex: factories.Company, client: ApiClient) -> None:
    theirs = make(ApiClient(globex.api_key))
    path = f"{PATH}/{theirs['id']}"
    answers = [client.get(path), client.patch(path, {"name": "x"}, content_type="application/json"),
               client.post(f"{path}/rotate"), client.delete(path)]  # fmt: skip
    assert [answer.status_code for answer in answers] == [404] * 4
    assert ApiClient(theirs["key"]).get("/v1/me").status_code == 200
