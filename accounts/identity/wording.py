"""What mail about people says, in English and German."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import translation
from django.utils.formats import date_format


@dataclass(frozen=True)
class Words:
    """One mail's text; `button` names what its link does."""

    subject: str
    greeting: str
    paragraphs: tuple[str, ...]
    button: str
    reason: str


Text = tuple[str, tuple[str, ...], str]  # subject, paragraphs, button
NOT_YOU_EN = "Was this not you? Reset your password at once and write to us."
NOT_YOU_DE = "Waren Sie das nicht? Setzen Sie sofort Ihr Passwort zurück und schreiben Sie uns."
RESET_EN, RESET_DE = "Reset the password", "Passwort zurücksetzen"

ENGLISH: dict[str, Text] = {
    "verify": (
        "Confirm your address for {company}",
        (
            "you signed up {company} with IRISX. Confirm your address and choose a password within 24 hours.",
            "If this was not you, do nothing: without the link no account comes to be.",
        ),
        "Confirm the address",
    ),
    "known": (
        "You have an IRISX account already",
        (
            "somebody, perhaps you, signed up with this address, which has an account already. Nothing has changed.",
            "Sign in as usual; if you forgot the password, the sign-in page helps.",
        ),
        "Sign in",
    ),
    "reset": (
        "Reset your IRISX password",
        (
            "here is the link to choose a new password. It works once, for two hours.",
            "If you did not ask for it, do nothing: your password stays.",
        ),
        "Choose a new password",
    ),
    "new_address": (
        "Confirm your new address",
        ("your IRISX account {email} is to move to this address. Confirm it within 24 hours.",),
        "Confirm the address",
    ),
    "address_changed": (
        "Your IRISX address has changed",
        ("your account's address is {email} from now on; this one signs nobody in any more.", NOT_YOU_EN),
        RESET_EN,
    ),
    "password_changed": (
        "Your IRISX password has changed",
        ("the password of {email} has just been changed, and you were signed out everywhere else.", NOT_YOU_EN),
        RESET_EN,
    ),
    "second_factor_on": (
        "Two-step sign-in is on",
        ("signing in to {email} asks for a code of your authenticator app from now on.", NOT_YOU_EN),
        RESET_EN,
    ),
    "second_factor_off": (
        "Two-step sign-in is off",
        ("signing in to {email} asks for the password alone from now on.", NOT_YOU_EN),
        RESET_EN,
    ),
    "welcome": (
        "Welcome to IRISX, {company}",
        (
            "{company} is ready. Your trial runs until {until}.",
            "1. Put the chat widget on your site: the snippet stands under Widgets.",
            "2. Sit down at the desk and answer your first visitor.",
            "3. Place a call through the API.",
        ),
        "Open IRISX",
    ),
}
GERMAN: dict[str, Text] = {
    "verify": (
        "Bestätigen Sie Ihre Adresse für {company}",
        (
            "Sie haben {company} bei IRISX angemeldet. Bestätigen Sie binnen 24 Stunden die Adresse und wählen Sie ein Passwort.",
            "Waren Sie das nicht, so tun Sie nichts: Ohne den Link entsteht kein Konto.",
        ),
        "Adresse bestätigen",
    ),
    "known": (
        "Sie haben bereits ein IRISX-Konto",
        (
            "jemand, vielleicht Sie selbst, wollte sich mit dieser Adresse anmelden; sie hat bereits ein Konto. "
            "Es hat sich nichts geändert.",
            "Melden Sie sich wie gewohnt an; ein vergessenes Passwort setzen Sie auf der Anmeldeseite zurück.",
        ),
        "Anmelden",
    ),
    "reset": (
        "Ihr IRISX-Passwort zurücksetzen",
        (
            "mit diesem Link wählen Sie ein neues Passwort. Er gilt einmal und zwei Stunden lang.",
            "Haben Sie ihn nicht angefordert, so tun Sie nichts: Ihr Passwort bleibt.",
        ),
        "Neues Passwort wählen",
    ),
    "new_address": (
        "Bestätigen Sie Ihre neue Adresse",
        ("Ihr IRISX-Konto {email} soll diese Adresse bekommen. Bestätigen Sie sie binnen 24 Stunden.",),
        "Adresse bestätigen",
    ),
    "address_changed": (
        "Ihre IRISX-Adresse wurde geändert",
        ("die Adresse Ihres Kontos ist jetzt {email}; mit dieser hier meldet sich niemand mehr an.", NOT_YOU_DE),
        RESET_DE,
    ),
    "password_changed": (
        "Ihr IRISX-Passwort wurde geändert",
        ("das Passwort von {email} wurde soeben geändert, und Sie wurden überall sonst abgemeldet.", NOT_YOU_DE),
        RESET_DE,
    ),
    "second_factor_on": (
        "Die Anmeldung in zwei Schritten ist an",
        ("die Anmeldung als {email} verlangt jetzt einen Code Ihrer Authenticator-App.", NOT_YOU_DE),
        RESET_DE,
    ),
    "second_factor_off": (
        "Die Anmeldung in zwei Schritten ist aus",
        ("die Anmeldung als {email} verlangt jetzt nur noch das Passwort.", NOT_YOU_DE),
        RESET_DE,
    ),
    "welcome": (
        "Willkommen bei IRISX, {company}",
        (
            "{company} ist bereit. Ihre Probezeit läuft bis {until}.",
            "1. Setzen Sie das Chat-Widget auf Ihre Seite: Das Snippet steht unter Widgets.",
            "2. Öffnen Sie den Desk und antworten Sie Ihrem ersten Besucher.",
            "3. Rufen Sie über die API jemanden an.",
        ),
        "IRISX öffnen",
    ),
}
REASONS = {
    "en": "You receive this because your address was used with IRISX.",
    "de": "Sie erhalten dies, weil Ihre Adresse bei IRISX verwendet wurde.",
}
LANGUAGES = tuple(REASONS)


def welcome(*, name: str, company: str, until: datetime, language: str) -> Words:
    """Return the words for somebody whose company was just made."""
    with translation.override(language):
        day = date_format(until, "j F Y" if translation.get_language() != "de" else "j. F Y")
    return words("welcome", language, name=name, company=company, until=day)


def words(kind: str, language: str, **values: str) -> Words:
    """Return a mail's words in German or, for any other language, in English."""
    is_german = language.split("-")[0] == "de"
    subject, paragraphs, button = (GERMAN if is_german else ENGLISH)[kind]
    greeting = f"{'Guten Tag' if is_german else 'Hello'} {values.get('name', '')},"
    filled = tuple(paragraph.format(**values) for paragraph in paragraphs)
    return Words(subject.format(**values), greeting, filled, button, REASONS["de" if is_german else "en"])
