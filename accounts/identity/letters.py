"""Mail about people: written down in the request's transaction, sent by a worker.

Every request that may send one does the same work and gives the same answer, whoever the address belongs to. A letter whose
worker died is taken up again after five minutes; nobody gets more than six an hour.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.urls import reverse

from accounts.identity import wording
from accounts.identity.models import Letter, SignUp
from accounts.models import Membership, User
from accounts.tenancy import system_access
from common import mail

AGAIN_AFTER = timedelta(minutes=5)
ATTEMPTS = 5
MOST_AN_HOUR = 6
KEPT = timedelta(days=7)
BATCH = 100


def write(kind: Letter.Kind, *, email: str, now: datetime, about: UUID | None = None) -> None:
    """Store a letter to be sent."""
    Letter.objects.create(kind=kind, email=email.strip().lower(), about=about, created_at=now)


def send_waiting(*, now: datetime) -> int:
    """Send what waits and return how many were sent. Several workers may run this at once."""
    return sum(_send(letter, now) for letter in _waiting(now))


def forget_old(*, now: datetime) -> None:
    """Delete letters and sign-ups a week after they were written."""
    Letter.objects.filter(created_at__lt=now - KEPT).delete()
    SignUp.objects.filter(created_at__lt=now - KEPT).delete()


def _waiting(now: datetime) -> list[Letter]:
    free = Letter.objects.filter(done_at=None).exclude(claimed_at__gt=now - AGAIN_AFTER)
    return list(free.order_by("created_at")[:BATCH])


def _send(letter: Letter, now: datetime) -> bool:
    """Claim a letter by one conditional UPDATE, write and send it; what the mail server refuses is tried again."""
    claimed = Letter.objects.filter(pk=letter.pk, done_at=None, claimed_at=letter.claimed_at)
    if not claimed.update(claimed_at=now, attempts=F("attempts") + 1):
        return False
    message = None if _is_flood(letter) else WRITERS[Letter.Kind(letter.kind)](letter)
    if message is None:
        Letter.objects.filter(pk=letter.pk).update(done_at=now)
        return False
    try:
        mail.send(message)
    except (mail.NotSent, mail.Unclear):
        if letter.attempts + 1 >= ATTEMPTS:
            Letter.objects.filter(pk=letter.pk).update(done_at=now)
        return False
    Letter.objects.filter(pk=letter.pk).update(done_at=now, was_sent=True)
    return True


def _is_flood(letter: Letter) -> bool:
    lately = Letter.objects.filter(
        email=letter.email, was_sent=True, created_at__gt=letter.created_at - timedelta(hours=1)
    )
    return lately.count() >= MOST_AN_HOUR


def _verify(letter: Letter) -> mail.Message | None:
    from accounts.identity import signing_up  # it writes letters

    sign_up = SignUp.objects.filter(pk=letter.about).first() if letter.about else None
    if sign_up is None or sign_up.verified_at is not None:
        return None
    known = _person(email=letter.email)
    if known is not None:
        return _message("known", known, link=page("login"))
    words = wording.words("verify", sign_up.language, name=sign_up.name, company=sign_up.company)
    link = page("verify", signing_up.token_of(sign_up))
    return _render(words, sign_up.email, link, sign_up.language)


def _reset(letter: Letter) -> mail.Message | None:
    from accounts.identity import passwords  # it writes letters

    user = _person(email=letter.email)
    return _message("reset", user, link=page("password-reset", passwords.reset_token(user))) if user else None


def _new_address(letter: Letter) -> mail.Message | None:
    from accounts.identity import addresses  # it writes letters

    user = _person(pk=letter.about)
    if user is None or _person(email=letter.email) is not None:
        return None
    link = page("address", addresses.change_token(user, letter.email))
    return _message("new_address", user, link=link, to=letter.email)


def _notice(letter: Letter) -> mail.Message | None:
    user = _person(pk=letter.about)
    return _message(letter.kind, user, link=page("password-forgotten"), to=letter.email) if user else None


Writer = Callable[[Letter], mail.Message | None]
WRITERS: dict[Letter.Kind, Writer] = {
    Letter.Kind.VERIFY: _verify,
    Letter.Kind.RESET: _reset,
    Letter.Kind.NEW_ADDRESS: _new_address,
    Letter.Kind.ADDRESS_CHANGED: _notice,
    Letter.Kind.PASSWORD_CHANGED: _notice,
    Letter.Kind.SECOND_FACTOR_ON: _notice,
    Letter.Kind.SECOND_FACTOR_OFF: _notice,
}


def page(name: str, *arguments: str) -> str:
    """Return the address of a page, as a mail names it."""
    return str(settings.IRISX_BASE_URL) + reverse(name, args=arguments)


def language_of(user: User) -> str:
    """Return the language somebody chose, else that of the first company they joined."""
    if user.language:
        return user.language
    with system_access("the language of a mail"):
        first = Membership.unscoped.filter(user=user).order_by("created_at").select_related("tenant").first()
    return first.tenant.locale if first else "en"


def _person(**which: object) -> User | None:
    return User.objects.filter(is_active=True, **which).first()


def _message(kind: str, user: User, *, link: str, to: str = "") -> mail.Message:
    language = language_of(user)
    return _render(wording.words(kind, language, name=user.name, email=user.email), to or user.email, link, language)


def _render(words: wording.Words, to: str, link: str, language: str) -> mail.Message:
    context = {"words": words, "link": link}
    return mail.render(template="accounts/mail/letter", to=[to], context=context, language=language)
