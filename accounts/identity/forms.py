"""The forms of signing up and in."""

from typing import Any

from django import forms

from common.errors import DomainError

ADDRESS = {"autocomplete": "username", "inputmode": "email"}
NEW_PASSWORD = {"autocomplete": "new-password"}
CODE = {"autocomplete": "one-time-code", "inputmode": "numeric", "autocapitalize": "off", "spellcheck": "false"}


def password_field(label: str, *, is_new: bool = False) -> forms.CharField:
    """Return a field of a password, spaces kept."""
    attributes: dict[str, Any] = NEW_PASSWORD if is_new else {"autocomplete": "current-password"}
    hint = "At least 10 characters, and nothing others would guess." if is_new else ""
    widget = forms.PasswordInput(attrs=attributes)
    return forms.CharField(max_length=256, strip=False, label=label, help_text=hint, widget=widget)


class SignInForm(forms.Form):
    username = forms.CharField(max_length=254, widget=forms.EmailInput(attrs=ADDRESS), label="E-mail address")
    password = password_field("Password")


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=32,
        label="Code",
        help_text="Six digits of your authenticator app, or a recovery code.",
        widget=forms.TextInput(attrs=CODE),
    )


class SignUpForm(forms.Form):
    name = forms.CharField(max_length=120, label="Your name", widget=forms.TextInput(attrs={"autocomplete": "name"}))
    company = forms.CharField(
        max_length=120, label="Company", widget=forms.TextInput(attrs={"autocomplete": "organization"})
    )
    email = forms.EmailField(max_length=254, label="Work e-mail address", widget=forms.EmailInput(attrs=ADDRESS))
    language = forms.ChoiceField(choices=[("en", "English"), ("de", "Deutsch")], label="Language of our mails")


class ForgottenForm(forms.Form):
    email = forms.EmailField(max_length=254, label="E-mail address", widget=forms.EmailInput(attrs=ADDRESS))


class NewPasswordForm(forms.Form):
    password = password_field("New password", is_new=True)


class ConfirmForm(forms.Form):
    """A button: what a link does is done by a click on the page, not by whoever looks the link up."""


class ChangePasswordForm(forms.Form):
    password = password_field("Present password")
    new_password = password_field("New password", is_new=True)


class ChangeAddressForm(forms.Form):
    email = forms.EmailField(
        max_length=254, label="New e-mail address", widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    password = password_field("Password")


class PasswordForm(forms.Form):
    password = password_field("Password")


class PasswordAndCodeForm(PasswordForm):
    code = CodeForm.base_fields["code"]


def show_refusal(form: forms.Form, error: DomainError) -> None:
    """Put what a service refuses beside the fields it is about."""
    for problem in error.errors:
        name = problem.pointer.removeprefix("/")
        form.add_error(name if name in form.fields else None, problem.detail)
    if not error.errors:
        form.add_error(None, error.message)
