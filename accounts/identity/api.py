"""`/v1/signup` and `/v1/auth`: how people and their programs come in. Known and unknown addresses are answered alike."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.authentication import get_authorization_header
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.identity import (
    addresses,
    families,
    passwords,
    schemas,
    second_factor,
    sign_ins,
    signing_in,
    signing_up,
    throttle,
)
from accounts.identity.families import Tokens
from accounts.identity.models import SignIn
from accounts.identity.person import OpenViewSet, PersonViewSet
from accounts.models import User
from common.errors import NotAuthenticated
from common.ids import decode, encode
from common.pagination import paginate
from common.problems import MEDIA_TYPE
from common.problems import body as problem
from common.timestamps import rfc3339

MAILED = {"detail": "If that is possible, a mail with the next step is on its way."}
ACCEPTED = OpenApiExample("Accepted", MAILED, response_only=True, status_codes=["202"])
CODES = {"recovery_codes": ["04921377", "88120456"]}
TAGS = ["sign-in"]


class SignUpViewSet(OpenViewSet):
    @extend_schema(
        summary="Sign a company up",
        description="Mails a link that proves the address. The answer is the same for every address.",
        request=schemas.SignUpBody,
        responses={202: schemas.AcceptedAnswer},
        examples=[schemas.SIGN_UP_EXAMPLE, ACCEPTED],
        tags=TAGS,
    )
    def create(self, request: Request) -> Response:
        wish = self.read(schemas.SignUpBody)
        throttle.letter(network=signing_in.visit_of(request._request).network, now=self.now)
        signing_up.ask(wish=signing_up.Wish(**wish), now=self.now)
        return Response(MAILED, status=202)

    @extend_schema(
        summary="Prove the address and begin the trial",
        description="Makes the person, the company with its plan, credit, first widget and first API key, and signs in. Once.",
        request=schemas.VerifyBody,
        responses={201: schemas.FoundedAnswer},
        examples=[
            OpenApiExample("Verify", {"token": "IjAxOTki:1tPq", "password": "correct horse battery"}, request_only=True)
        ],
        tags=TAGS,
    )
    def verify(self, request: Request) -> Response:
        body = self.read(schemas.VerifyBody)
        throttle.letter(network=signing_in.visit_of(request._request).network, now=self.now)
        founded = signing_up.verify(token=body["token"], password=body["password"], now=self.now)
        tokens = signing_in.begin_api(request._request, founded.user)
        return Response(
            {
                "user": _present_user(founded.user),
                "tenant": {
                    "id": encode("tn", founded.tenant.pk),
                    "name": founded.tenant.name,
                    "slug": founded.tenant.slug,
                },
                "api_key": founded.api_key,
                **_present_tokens(tokens),
            },
            status=201,
        )


class SignInViewSet(OpenViewSet):
    @extend_schema(
        summary="Sign in",
        description="Answers tokens or, where the person has a second factor, 202 and what `/v1/auth/login/totp` asks for.",
        request=schemas.LoginBody,
        responses={200: schemas.TokensAnswer, 202: schemas.HalfAnswer},
        examples=schemas.LOGIN_EXAMPLES,
        tags=TAGS,
    )
    def login(self, request: Request) -> Response:
        body = self.read(schemas.LoginBody)
        visit = signing_in.visit_of(request._request)
        user = signing_in.by_password(email=body["email"], password=body["password"], visit=visit, now=self.now)
        if user.second_factor_at is not None:
            half = {"mfa_token": signing_in.half_token(user), "methods": ["totp", "recovery_code"]}
            return Response({**half, "expires_in": signing_in.HALF_SECONDS}, status=202)
        return Response(_present_tokens(signing_in.begin_api(request._request, user)))

    @extend_schema(
        summary="Finish a sign-in with a code",
        request=schemas.CodeBody,
        responses={200: schemas.TokensAnswer},
        examples=[
            OpenApiExample("Finish", {"mfa_token": "mfa_WyIwMTk5Il0:1t", "code": "492039"}, request_only=True),
            OpenApiExample("Tokens", schemas.TOKENS, response_only=True, status_codes=["200"]),
        ],
        tags=TAGS,
    )
    def finish(self, request: Request) -> Response:
        body = self.read(schemas.CodeBody)
        user = signing_in.of_half_token(body["mfa_token"])
        visit = signing_in.visit_of(request._request)
        signing_in.check_code(user=user, code=body["code"], visit=visit, now=self.now)
        return Response(_present_tokens(signing_in.begin_api(request._request, user)))

    @extend_schema(
        summary="The next tokens",
        description="A refresh token is good once. Showing a spent one ends every token of its family.",
        request=schemas.RefreshBody,
        responses={200: schemas.TokensAnswer},
        examples=[
            OpenApiExample("Refresh", {"refresh_token": schemas.TOKENS["refresh_token"]}, request_only=True),
            OpenApiExample("Tokens", schemas.TOKENS, response_only=True, status_codes=["200"]),
        ],
        tags=TAGS,
    )
    def refresh(self, request: Request) -> Response:
        try:
            return Response(_present_tokens(families.refresh(self.read(schemas.RefreshBody)["refresh_token"])))
        except NotAuthenticated as error:
            # Answered, not raised: a raised refusal undoes the request, and a family that ends must stay ended.
            return Response(problem(error), status=error.status, content_type=MEDIA_TYPE)

    @extend_schema(
        summary="Ask for a link that resets the password",
        request=schemas.ResetAskBody,
        responses={202: schemas.AcceptedAnswer},
        examples=[OpenApiExample("Forgotten", {"email": "alice@acme.example"}, request_only=True), ACCEPTED],
        tags=TAGS,
    )
    def ask_reset(self, request: Request) -> Response:
        email = self.read(schemas.ResetAskBody)["email"]
        throttle.letter(network=signing_in.visit_of(request._request).network, now=self.now)
        passwords.ask_reset(email=email, now=self.now)
        return Response(MAILED, status=202)

    @extend_schema(
        summary="Reset the password by the mailed link",
        description="Once. Signs the person out everywhere; a second factor stays.",
        request=schemas.ResetBody,
        responses={204: None},
        examples=[
            OpenApiExample("Reset", {"token": "0199-cq1b2", "password": "correct horse battery"}, request_only=True)
        ],
        tags=TAGS,
    )
    def reset(self, request: Request) -> Response:
        body = self.read(schemas.ResetBody)
        passwords.reset(token=body["token"], password=body["password"], now=self.now)
        return Response(status=204)

    @extend_schema(
        summary="Confirm a new address by the mailed link",
        request=schemas.TokenBody,
        responses={204: None},
        examples=[OpenApiExample("Confirm", {"token": "WyIwMTk5Il0:1tPq"}, request_only=True)],
        tags=TAGS,
    )
    def confirm_address(self, request: Request) -> Response:
        addresses.change(token=self.read(schemas.TokenBody)["token"], now=self.now)
        return Response(status=204)

    @extend_schema(
        summary="Sign out",
        description="Ends the family of the refresh token, or of the access token it comes with. Always 204.",
        request=schemas.LogoutBody,
        responses={204: None},
        examples=[OpenApiExample("Sign out", {"refresh_token": schemas.TOKENS["refresh_token"]}, request_only=True)],
        tags=TAGS,
    )
    def logout(self, request: Request) -> Response:
        families.end(self.read(schemas.LogoutBody).get("refresh_token", ""))
        words = get_authorization_header(request).split()
        if len(words) == 2 and words[0].lower() == b"bearer":
            families.end_access(words[1].decode("latin-1"))
        return Response(status=204)


class OwnViewSet(PersonViewSet):
    """What a signed-in person does about their password, address, second factor and sessions."""

    @extend_schema(
        summary="Change my password",
        description="Signs me out everywhere else.",
        request=schemas.PasswordBody,
        responses={204: None},
        examples=[
            OpenApiExample(
                "Change",
                {"password": "correct horse battery", "new_password": "staple of many words"},
                request_only=True,
            )
        ],
        tags=TAGS,
    )
    def change_password(self, request: Request) -> Response:
        body = self.read(schemas.PasswordBody)
        self._check_password(body["password"])
        passwords.change(
            user=self.person.user, password=body["new_password"], session=self.person.session, now=self.now
        )
        return Response(status=204)

    @extend_schema(
        summary="Ask to move my account to another address",
        description="Mails a link to the new address; the change happens when it is opened.",
        request=schemas.NewAddressBody,
        responses={202: schemas.AcceptedAnswer},
        examples=[
            OpenApiExample(
                "Move", {"password": "correct horse battery", "email": "alice@new.example"}, request_only=True
            ),
            ACCEPTED,
        ],
        tags=TAGS,
    )
    def change_address(self, request: Request) -> Response:
        body = self.read(schemas.NewAddressBody)
        self._check_password(body["password"])
        throttle.letter(network=signing_in.visit_of(request._request).network, now=self.now)
        addresses.ask_change(user=self.person.user, email=body["email"], now=self.now)
        return Response(MAILED, status=202)

    @extend_schema(
        summary="My second factor",
        responses={200: schemas.TotpState},
        examples=[OpenApiExample("Off", {"is_on": False, "since": None, "recovery_codes_left": 0}, response_only=True)],
        tags=TAGS,
    )
    def show_totp(self, request: Request) -> Response:
        user = self.person.user
        left = second_factor.recovery_codes_left(user=user)
        since = user.second_factor_at
        return Response({"is_on": since is not None, "since": rfc3339(since), "recovery_codes_left": left})

    @extend_schema(
        summary="Begin to turn the second factor on",
        description="Answers the secret for the authenticator app. It counts once `/v1/auth/totp/confirm` took a code of it.",
        request=schemas.OwnPasswordBody,
        responses={201: schemas.TotpSecret},
        examples=[OpenApiExample("Begin", {"password": "correct horse battery"}, request_only=True)],
        tags=TAGS,
    )
    def begin_totp(self, request: Request) -> Response:
        self._check_password(self.read(schemas.OwnPasswordBody)["password"])
        begun = second_factor.begin(user=self.person.user, session=self.person.session, now=self.now)
        return Response({"secret": begun.secret, "uri": begun.uri}, status=201)

    @extend_schema(
        summary="Turn the second factor on",
        description="Signs me out everywhere else, and answers the recovery codes: now, and never again.",
        request=schemas.TotpCodeBody,
        responses={200: schemas.RecoveryCodes},
        examples=[
            OpenApiExample("Confirm", {"code": "492039"}, request_only=True),
            OpenApiExample("Codes", CODES, response_only=True, status_codes=["200"]),
        ],
        tags=TAGS,
    )
    def confirm_totp(self, request: Request) -> Response:
        code = self.read(schemas.TotpCodeBody)["code"]
        visit = signing_in.visit_of(request._request)
        throttle.code(user=self.person.user, network=visit.network, now=self.now)
        codes = second_factor.confirm(user=self.person.user, session=self.person.session, code=code, now=self.now)
        return Response({"recovery_codes": codes})

    @extend_schema(
        summary="Turn the second factor off",
        request=schemas.TotpOffBody,
        responses={204: None},
        examples=[OpenApiExample("Off", {"password": "correct horse battery", "code": "492039"}, request_only=True)],
        tags=TAGS,
    )
    def turn_totp_off(self, request: Request) -> Response:
        body = self.read(schemas.TotpOffBody)
        self._check_password(body["password"])
        self._check_code(body["code"])
        second_factor.turn_off(user=self.person.user, now=self.now)
        return Response(status=204)

    @extend_schema(
        summary="New recovery codes",
        description="The former ones are void.",
        request=schemas.TotpOffBody,
        responses={201: schemas.RecoveryCodes},
        examples=[
            OpenApiExample("New ones", {"password": "correct horse battery", "code": "492039"}, request_only=True),
            OpenApiExample("Codes", CODES, response_only=True, status_codes=["201"]),
        ],
        tags=TAGS,
    )
    def renew_recovery_codes(self, request: Request) -> Response:
        body = self.read(schemas.TotpOffBody)
        self._check_password(body["password"])
        self._check_code(body["code"])
        return Response({"recovery_codes": second_factor.renew_recovery_codes(user=self.person.user)}, status=201)

    @extend_schema(summary="Where I am signed in", responses={200: schemas.SessionPage}, tags=TAGS)
    def list_sessions(self, request: Request) -> Response:
        places = sign_ins.of(self.person.user, now=self.now)
        return Response(paginate(places, request, present=self._present_place))

    @extend_schema(summary="Sign me out in one place", responses={204: None}, tags=TAGS)
    def end_session(self, request: Request, id: str) -> Response:
        sign_ins.end(user=self.person.user, sign_in_id=decode("si", id))
        return Response(status=204)

    @extend_schema(summary="Sign me out everywhere else", request=None, responses={204: None}, tags=TAGS)
    def end_other_sessions(self, request: Request) -> Response:
        sign_ins.end_all(user=self.person.user, keep=self.person.session.session_key)
        return Response(status=204)

    def _check_password(self, password: str) -> None:
        visit = signing_in.visit_of(self.request._request)
        signing_in.check_password(user=self.person.user, password=password, visit=visit, now=self.now)

    def _check_code(self, code: str) -> None:
        if self.person.user.second_factor_at is not None:
            visit = signing_in.visit_of(self.request._request)
            signing_in.check_code(user=self.person.user, code=code, visit=visit, now=self.now)

    def _present_place(self, place: SignIn) -> dict[str, Any]:
        return {
            "id": encode("si", place.pk),
            "kind": place.kind,
            "network": place.network,
            "user_agent": place.user_agent,
            "created_at": rfc3339(place.created_at),
            "last_seen_at": rfc3339(place.last_seen_at),
            "is_current": place.session_key == self.person.session.session_key,
        }


def _present_user(user: User) -> dict[str, Any]:
    return {"id": encode("us", user.pk), "email": user.email, "name": user.name}


def _present_tokens(tokens: Tokens) -> dict[str, Any]:
    return {
        "access_token": tokens.access,
        "refresh_token": tokens.refresh,
        "token_type": "Bearer",
        "expires_in": tokens.access_seconds,
        "refresh_expires_in": tokens.refresh_seconds,
    }
