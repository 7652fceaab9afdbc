"""Paths of signing up and in: the API's under /v1/, the pages' under /accounts/."""

from typing import Any

from django.urls import path

from accounts.identity import pages as views
from accounts.identity import security_pages as own
from accounts.identity.api import OwnViewSet, SignInViewSet, SignUpViewSet


def _open(action: str) -> Any:
    return SignInViewSet.as_view({"post": action})


def _own(**actions: Any) -> Any:
    return OwnViewSet.as_view(actions)


api = [
    path("signup", SignUpViewSet.as_view({"post": "create"})),
    path("signup/verify", SignUpViewSet.as_view({"post": "verify"})),
    path("auth/login", _open("login")),
    path("auth/login/totp", _open("finish")),
    path("auth/refresh", _open("refresh")),
    path("auth/logout", _open("logout")),
    path("auth/password/forgotten", _open("ask_reset")),
    path("auth/password/reset", _open("reset")),
    path("auth/email/confirm", _open("confirm_address")),
    path("auth/password", _own(post="change_password")),
    path("auth/email", _own(post="change_address")),
    path("auth/totp", _own(get="show_totp", post="begin_totp")),
    path("auth/totp/confirm", _own(post="confirm_totp")),
    path("auth/totp/disable", _own(post="turn_totp_off")),
    path("auth/totp/recovery-codes", _own(post="renew_recovery_codes")),
    path("auth/sessions", _own(get="list_sessions")),
    path("auth/sessions/end-others", _own(post="end_other_sessions")),
    path("auth/sessions/<str:id>", _own(delete="end_session")),
]
pages = [
    path("login/", views.sign_in, name="login"),
    path("login/code/", views.sign_in_code, name="login-code"),
    path("signup/", views.sign_up, name="signup"),
    path("verify/<str:token>/", views.verify, name="verify"),
    path("password/", views.forgotten, name="password-forgotten"),
    path("password/<str:token>/", views.reset, name="password-reset"),
    path("address/<str:token>/", views.address, name="address"),
    path("security/", own.security, name="security"),
    path("security/password", own.change_password, name="security-password"),
    path("security/address", own.change_address, name="security-address"),
    path("security/second-factor/", own.second_factor_on, name="security-second-factor"),
    path("security/second-factor/off", own.second_factor_off, name="security-second-factor-off"),
    path("security/recovery-codes", own.recovery_codes, name="security-recovery-codes"),
    path("security/sessions/end", own.end_sessions, name="security-sessions-end"),
]
