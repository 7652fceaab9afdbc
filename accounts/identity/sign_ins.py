"""Where a person is signed in: every browser and program, seen and ended one by one or all at once."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F, QuerySet

from accounts import revocation, sessions
from accounts.identity.models import SignIn
from accounts.models import User
from common.errors import NotFound

SEEN = "seen_at"
SEEN_AT_MOST_EVERY = timedelta(minutes=5)


def of(user: User, *, now: datetime) -> QuerySet[SignIn]:
    """Return where somebody is signed in, the latest seen first."""
    living = Session.objects.filter(expire_date__gt=now).values("session_key")
    return SignIn.objects.filter(user=user, session_key__in=living).order_by("-last_seen_at", "-pk")


def note_visit(session: SessionBase, *, now: datetime) -> None:
    """Remember that a session was used, at most every five minutes."""
    seen = session.get(SEEN)
    if seen is None or now.timestamp() - seen < SEEN_AT_MOST_EVERY.total_seconds():
        return
    session[SEEN] = int(now.timestamp())
    SignIn.objects.filter(session_key=session.session_key).update(last_seen_at=now)


def end(*, user: User, sign_in_id: UUID) -> None:
    """Sign somebody out in one place, sockets included; raise NotFound unless it is theirs."""
    found = SignIn.objects.filter(user=user, pk=sign_in_id).first()
    if found is None:
        raise NotFound("You are not signed in there.")
    _end(user, [found])


def end_all(*, user: User, keep: str | None = None) -> None:
    """Sign somebody out everywhere but in the session `keep`."""
    _end(user, SignIn.objects.filter(user=user).exclude(session_key=keep or ""))


def end_session(*, user: User, session_key: str) -> None:
    """Sign a session out, whether or not it is listed."""
    with transaction.atomic():
        Session.objects.filter(session_key=session_key).delete()
        SignIn.objects.filter(session_key=session_key).delete()
        sessions.end(sessions.mark_of_key(session_key))
        revocation.ring(people=[user.pk])


def outdate(user: User) -> None:
    """Void whatever was issued to somebody until now: sessions, families of tokens, tickets, sockets."""
    User.objects.filter(pk=user.pk).update(auth_version=F("auth_version") + 1)
    user.refresh_from_db(fields=["auth_version"])
    revocation.ring(people=[user.pk])


def renew(session: SessionBase, user: User) -> None:
    """Let a session go on after its owner's password or version changed."""
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()


def forget_old(*, now: datetime) -> None:
    """Delete sessions that ran out, and what is listed of sessions that are no more."""
    Session.objects.filter(expire_date__lt=now).delete()
    old = SignIn.objects.filter(created_at__lt=now - timedelta(hours=1))
    old.exclude(session_key__in=Session.objects.values("session_key")).delete()


def _end(user: User, places: Iterable[SignIn]) -> None:
    with transaction.atomic():
        ended = list(places)
        keys = [place.session_key for place in ended]
        Session.objects.filter(session_key__in=keys).delete()
        SignIn.objects.filter(pk__in=[place.pk for place in ended]).delete()
        for key in keys:
            sessions.end(sessions.mark_of_key(key))
        revocation.ring(people=[user.pk])
