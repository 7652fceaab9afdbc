"""Where somebody is signed in: seen by them alone, ended one by one or all at once."""

from datetime import timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts import sessions
from accounts.identity import sign_ins
from accounts.identity.models import SignIn
from tests import factories
from tests.accounts.identity.helpers import browser, me, post, sign_in
from tests.assertions import rows
from tests.conftest import ApiClient

PATH = "/v1/auth/sessions"


def listed(access: str) -> list[dict[str, Any]]:
    answer = ApiClient(access).get(PATH)
    assert answer.status_code == 200, answer.content
    return list(answer.json()["results"])


def test_every_session_is_listed_with_where_it_is(acme: factories.Company) -> None:
    browser(acme.owner)
    browser(acme.agent)
    access = sign_in(acme.owner, REMOTE_ADDR="2001:db8:1:2:3::4", HTTP_USER_AGENT="curl/8\n\x00x")["access_token"]
    places = listed(access)
    assert {(place["kind"], place["is_current"]) for place in places} == {("browser", False), ("api", True)}
    [own] = [place for place in places if place["is_current"]]
    assert (own["network"], own["user_agent"]) == ("2001:db8:1:2::/64", "curl/8x")
    assert not any(key.session_key in str(places) for key in rows(SignIn))


def test_one_is_ended_at_once_with_its_sockets(acme: factories.Company) -> None:
    desk, access = browser(acme.owner), sign_in(acme.owner)["access_token"]
    mark = sessions.mark_of(desk.session)
    [other] = [place for place in listed(access) if not place["is_current"]]
    assert ApiClient(access).delete(f"{PATH}/{other['id']}").status_code == 204
    assert desk.get("/v1/me").status_code == 401
    assert sessions.ended([mark]) == {mark}
    assert ApiClient(access).delete(f"{PATH}/{other['id']}").status_code == 404
    assert me(access).status_code == 200


def test_anothers_is_not_found(acme: factories.Company, globex: factories.Company) -> None:
    theirs, mine = sign_in(globex.owner)["access_token"], sign_in(acme.owner)["access_token"]
    [place] = listed(theirs)
    assert ApiClient(mine).delete(f"{PATH}/{place['id']}").status_code == 404
    assert me(theirs).status_code == 200


def test_all_others_are_ended(acme: factories.Company) -> None:
    others = [sign_in(acme.owner)["access_token"] for _ in range(3)]
    access = sign_in(acme.owner)["access_token"]
    assert post(f"{PATH}/end-others", {}, token=access).status_code == 204
    assert [me(other).status_code for other in others] == [401] * 3
    assert [place["is_current"] for place in listed(access)] == [True]


def test_signing_out_takes_a_browser_off_the_list(acme: factories.Company) -> None:
    desk, access = browser(acme.owner), sign_in(acme.owner)["access_token"]
    desk.post("/accounts/logout/")
    assert [place["kind"] for place in listed(access)] == ["api"]


def test_a_visit_is_noted_every_five_minutes(acme: factories.Company) -> None:
    desk = browser(acme.owner)
    session = desk.session
    long_ago = timezone.now() - timedelta(hours=1)
    SignIn.objects.update(last_seen_at=long_ago)
    desk.get("/v1/me")
    assert [place.last_seen_at for place in rows(SignIn)] == [long_ago]
    session[sign_ins.SEEN] = int(long_ago.timestamp())
    session.save()
    desk.get("/v1/me")
    [place] = rows(SignIn)
    assert place.last_seen_at > long_ago


def test_what_ran_out_goes(acme: factories.Company) -> None:
    now = timezone.now()
    browser(acme.owner)
    browser(acme.agent)
    SignIn.objects.update(created_at=now - timedelta(days=20))
    Session.objects.filter(session_key=rows(SignIn)[0].session_key).update(expire_date=now - timedelta(days=1))
    sign_ins.forget_old(now=now)
    assert [place.user_id for place in rows(SignIn)] == [acme.agent.pk]
