"""Labels and canned replies."""

from typing import Any
from uuid import UUID

import pytest

from accounts.permissions import Role
from accounts.tenancy import tenant_scope
from chat.events import InboxChanged
from chat.models import CannedReply, Conversation, Label
from chat.services import catalogue
from tests import factories
from tests.chat.conftest import Chat, start_chat
from tests.conftest import ApiClient

LABELS, REPLIES = "/v1/chat/labels", "/v1/chat/canned-replies"


@pytest.fixture
def client(acme: factories.Company) -> ApiClient:
    return ApiClient(acme.api_key)


def put(client: ApiClient, path: str, body: Any) -> Any:
    return client.patch(path, body, content_type="application/json")


def label(client: ApiClient, name: str, **extra: str) -> dict[str, Any]:
    answer = client.post(LABELS, {"name": name, **extra})
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def wear(chat: Chat, *names: str) -> None:
    with tenant_scope(chat.tenant_id):
        Conversation.objects.for_tenant(chat.tenant_id).filter(pk=chat.key).update(labels=list(names))


def worn(chat: Chat) -> tuple[list[str], int]:
    with tenant_scope(chat.tenant_id):
        found = Conversation.objects.for_tenant(chat.tenant_id).get(pk=chat.key)
    return found.labels, found.version


def test_labels_are_listed_by_name_whatever_their_capitals(client: ApiClient) -> None:
    for name in ("vip", "Billing", "bug"):
        label(client, name)
    body = client.get(LABELS).json()
    assert [row["name"] for row in body["results"]] == ["Billing", "bug", "vip"]
    assert (body["next"], body["previous"]) == (None, None)


def test_a_label_has_a_name_and_a_colour(client: ApiClient) -> None:
    made = label(client, "  vip ", color="#16A34A")
    assert made == {"id": made["id"], "name": "vip", "color": "#16A34A"}
    assert made["id"].startswith("lb_")
    assert label(client, "bug")["color"] == "#64748b"
    changed = put(client, f"{LABELS}/{made['id']}", {"color": "#000000"})
    assert (changed.status_code, changed.json()) == (200, {**made, "color": "#000000"})


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": " "}, "/name"),
        ({"name": "x" * 41}, "/name"),
        ({"name": "a\u0000b"}, "/name"),
        ({"name": "vip", "color": "red"}, "/color"),
        ({"name": "vip", "color": "#16a34a\n#"}, "/color"),
    ],
)
def test_a_wrong_label_is_pointed_at_and_not_stored(client: ApiClient, body: dict[str, str], pointer: str) -> None:
    answer = client.post(LABELS, body)
    assert (answer.status_code, [e["pointer"] for e in answer.json()["errors"]]) == (422, [pointer])
    assert client.get(LABELS).json()["results"] == []


def test_a_taken_name_is_a_conflict(client: ApiClient) -> None:
    label(client, "vip")
    other = label(client, "bug")
    for answer in (client.post(LABELS, {"name": "vip"}), put(client, f"{LABELS}/{other['id']}", {"name": "vip"})):
        assert (answer.status_code, answer.json()["code"]) == (409, "exists")
        assert answer.json()["errors"][0]["pointer"] == "/name"
    assert [row["name"] for row in client.get(LABELS).json()["results"]] == ["bug", "vip"]


def test_the_same_key_makes_one_label(client: ApiClient) -> None:
    answers = [client.post(LABELS, {"name": "vip"}, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[1]["Idempotency-Replayed"] == "true"
    assert answers[0].json() == answers[1].json()


def test_there_are_500_at_most(client: ApiClient, acme: factories.Company) -> None:
    with tenant_scope(acme.tenant.pk):
        Label.objects.bulk_create(Label(tenant_id=acme.tenant.pk, name=f"l{n}") for n in range(catalogue.MOST - 1))
    label(client, "last")
    answer = client.post(LABELS, {"name": "beyond"})
    assert (answer.status_code, answer.json()["code"]) == (409, "limit-reached")
    assert len(client.get(LABELS).json()["results"]) == 500


def test_a_new_name_is_put_on_every_conversation(
    acme: factories.Company, globex: factories.Company, client: ApiClient
) -> None:
    made = label(client, "vip")
    wearer, other, foreign = start_chat(acme), start_chat(acme), start_chat(globex)
    wear(wearer, "bug", "vip", "late")
    wear(other, "bug")
    wear(foreign, "vip")
    before, untouched = worn(wearer)[1], worn(other)
    assert put(client, f"{LABELS}/{made['id']}", {"name": "gold"}).status_code == 200
    assert worn(wearer) == (["bug", "gold", "late"], before + 1)
    assert worn(other) == untouched
    assert worn(foreign)[0] == ["vip"]


def test_a_deleted_label_is_taken_off_every_conversation(chat: Chat, client: ApiClient) -> None:
    made = label(client, "vip")
    wear(chat, "vip", "bug")
    assert client.delete(f"{LABELS}/{made['id']}").status_code == 204
    assert worn(chat)[0] == ["bug"]
    assert client.get(LABELS).json()["results"] == []
    assert client.delete(f"{LABELS}/{made['id']}").status_code == 404


def test_desks_hear_of_open_conversations_only(
    acme: factories.Company, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = label(client, "vip")
    open_one, closed = start_chat(acme), start_chat(acme)
    closed.visitor.post(f"/v1/chat/conversation/{closed.conversation_id}/close")
    for chat in (open_one, closed):
        wear(chat, "vip")
    rung: list[InboxChanged] = []
    monkeypatch.setattr(catalogue, "publish_on_commit", rung.append)
    put(client, f"{LABELS}/{made['id']}", {"name": "gold"})
    assert [(event.row["id"], event.row["labels"]) for event in rung] == [(open_one.conversation_id, ["gold"])]
    assert worn(closed)[0] == ["gold"]


def test_canned_replies_are_listed_by_shortcut(client: ApiClient) -> None:
    for shortcut in ("thanks", "hello"):
        assert client.post(REPLIES, {"shortcut": shortcut, "text": "Hi {{visitor.name}}\n"}).status_code == 201
    rows = client.get(REPLIES).json()["results"]
    assert [(row["shortcut"], row["text"]) for row in rows] == [
        ("hello", "Hi {{visitor.name}}\n"),
        ("thanks", "Hi {{visitor.name}}\n"),
    ]
    assert rows[0]["id"].startswith("cr_")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"text": "Hi"}, "/shortcut"),
        ({"shortcut": "Hello", "text": "Hi"}, "/shortcut"),
        ({"shortcut": "two words", "text": "Hi"}, "/shortcut"),
        ({"shortcut": "hello\n", "text": "Hi"}, ""),
        ({"shortcut": "x" * 41, "text": "Hi"}, "/shortcut"),
        ({"shortcut": "hello", "text": ""}, "/text"),
        ({"shortcut": "hello", "text": "x" * 5001}, "/text"),
    ],
)
def test_a_wrong_canned_reply_is_pointed_at(client: ApiClient, body: dict[str, str], pointer: str) -> None:
    answer = client.post(REPLIES, body)
    if not pointer:
        assert answer.json()["shortcut"] == "hello"  # trimmed, as every short text
        return
    assert (answer.status_code, [e["pointer"] for e in answer.json()["errors"]]) == (422, [pointer])


def test_a_canned_reply_is_changed_and_deleted(client: ApiClient) -> None:
    made = client.post(REPLIES, {"shortcut": "hello", "text": "Hi"}).json()
    assert client.post(REPLIES, {"shortcut": "hello", "text": "Ho"}).json()["code"] == "exists"
    changed = put(client, f"{REPLIES}/{made['id']}", {"text": "Hey"})
    assert changed.json() == {**made, "text": "Hey"}
    assert client.delete(f"{REPLIES}/{made['id']}").status_code == 204
    assert put(client, f"{REPLIES}/{made['id']}", {"text": "Hey"}).status_code == 404


@pytest.mark.parametrize("path", [LABELS, REPLIES])
def test_another_companys_are_not_found(client: ApiClient, globex: factories.Company, path: str) -> None:
    body = {"name": "secret"} if path == LABELS else {"shortcut": "secret", "text": "secret"}
    made = ApiClient(globex.api_key).post(path, body).json()
    assert client.get(path).json()["results"] == []
    for answer in (
        put(client, f"{path}/{made['id']}", {"name": "x", "text": "x"}),
        client.delete(f"{path}/{made['id']}"),
    ):
        assert answer.status_code == 404
    with tenant_scope(globex.tenant.pk):
        model = Label if path == LABELS else CannedReply
        assert model.objects.for_tenant(globex.tenant).get(pk=UUID(hex=made["id"][3:])) is not None


@pytest.mark.parametrize("path", [f"{LABELS}/lb_x", f"{LABELS}/cr_{'0' * 32}", f"{REPLIES}/%00", f"{REPLIES}/' OR 1"])
def test_a_malformed_id_is_not_found(client: ApiClient, path: str) -> None:
    assert put(client, path, {}).status_code == 404
    assert client.delete(path).status_code == 404


def test_a_list_takes_no_delete(client: ApiClient) -> None:
    assert [client.delete(path).status_code for path in (LABELS, REPLIES)] == [405, 405]


def test_agents_write_replies_and_managers_labels(acme: factories.Company, signed_in: Any) -> None:
    agent, manager = signed_in(acme.agent), signed_in(factories.add_person(acme, "Ada", Role.ADMIN).user)
    json = {"content_type": "application/json"}
    assert agent.post(REPLIES, {"shortcut": "hello", "text": "Hi"}, **json).status_code == 201
    assert agent.post(LABELS, {"name": "vip"}, **json).status_code == 403
    assert manager.post(LABELS, {"name": "vip"}, **json).status_code == 201
    assert [row["name"] for row in agent.get(LABELS).json()["results"]] == ["vip"]


def test_the_documented_examples_run(client: ApiClient) -> None:
    paths = client.get("/v1/schema", {"format": "json"}).json()["paths"]
    made = {}
    for path in (LABELS, REPLIES):
        answer = client.post(path, example_of(paths[path]["post"]))
        assert answer.status_code == 201, answer.content
        made[path] = answer.json()["id"]
    for path, key in made.items():
        answer = put(client, f"{path}/{key}", example_of(paths[f"{path}/{{id}}"]["patch"]))
        assert answer.status_code == 200, answer.content
    widget = client.get("/v1/chat/widgets").json()["results"][0]["id"]
    examples = paths["/v1/chat/widgets"]["post"], paths["/v1/chat/widgets/{id}"]["patch"]
    for operation in examples:
        answer = put(client, f"/v1/chat/widgets/{widget}", example_of(operation))
        assert answer.status_code == 200, answer.content


def example_of(operation: dict[str, Any]) -> Any:
    (example,) = operation["requestBody"]["content"]["application/json"]["examples"].values()
    return example["value"]
