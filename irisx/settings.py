"""Django settings of IRISX. One file; every value that differs between installations comes from `irisx.env`."""

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONCE
from django.templatetags.static import static
from django.urls import reverse_lazy

from irisx import __version__, env
from irisx.values import bucket_origin

BASE_DIR = Path(__file__).resolve().parent.parent
ENV = env.read()

SECRET_KEY = ENV["SECRET_KEY"]
IRISX_ENCRYPTION_KEYS = ENV["IRISX_ENCRYPTION_KEYS"]
DEBUG = ENV["DEBUG"]
ALLOWED_HOSTS = ENV["ALLOWED_HOSTS"]
IRISX_VERSION = __version__
IRISX_DEMO = ENV["IRISX_DEMO"]
IRISX_RELEASE_KEY = ENV["IRISX_RELEASE_KEY"]
IRISX_METRICS_TOKEN = ENV["IRISX_METRICS_TOKEN"]
IRISX_OUTGOING_REFUSED = ENV["IRISX_OUTGOING_REFUSED"]
IRISX_BASE_URL = ENV["IRISX_BASE_URL"]
IRISX_MAIL_DIR = ENV["IRISX_MAIL_DIR"]
IRISX_WORKER_STALE_SECONDS = ENV["IRISX_WORKER_STALE_SECONDS"]
FREESWITCH_URLS = ENV["FREESWITCH_URL"]
FREESWITCH_WEB_PASSWORDS = ENV["FREESWITCH_WEB_PASSWORD"]
FREESWITCH_SIP_DOMAIN = ENV["FREESWITCH_SIP_DOMAIN"]
REDIS_URL = ENV["REDIS_URL"]
IRISX_UPLOAD_MOST_MB = ENV["IRISX_UPLOAD_MOST_MB"]
IRISX_TRUSTED_PROXIES = ENV["IRISX_TRUSTED_PROXIES"]
IRISX_GEOIP_DB = ENV["IRISX_GEOIP_DB"]
IRISX_INVOICE_GRACE_HOURS = ENV["IRISX_INVOICE_GRACE_HOURS"]
IRISX_REMINDER_DAYS = ENV["IRISX_REMINDER_DAYS"]
IRISX_USAGE_BACK_DAYS = ENV["IRISX_USAGE_BACK_DAYS"]
IRISX_USAGE_AHEAD_MINUTES = ENV["IRISX_USAGE_AHEAD_MINUTES"]
IRISX_RATE_LIMITS = ENV["IRISX_RATE_LIMITS"]
IRISX_API_QUOTAS = ENV["IRISX_API_QUOTAS"]
IRISX_STORAGE_IS_REMOTE = bool(ENV["IRISX_STORAGE_URL"])
IS_HTTPS = urlsplit(IRISX_BASE_URL).scheme == "https"

INSTALLED_APPS = [
    "daphne",
    "irisx.apps.IrisxConfig",
    "common",
    "common.ui",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.headless",
    "accounts",
    "usage",
    "billing",
    "chat",
    "telephony",
    "unfold.apps.BasicAppConfig",
    "irisx.apps.OperatorAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "csp",
]

MIDDLEWARE = [
    "irisx.middleware.RequestIdMiddleware",
    "irisx.metrics.RequestTimer",
    "django.middleware.security.SecurityMiddleware",
    "accounts.audit.origin.OriginMiddleware",
    "usage.middleware.ApiRequestCounter",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "irisx.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "accounts.api.cors.TenantCorsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.operators.middleware.ImpersonationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "irisx.urls"
ASGI_APPLICATION = "irisx.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "irisx.portal.context.workplace",
            ],
        },
    }
]

# --- PostgreSQL: `default` serves as irisx_app under row-level security, `owner` migrates (see accounts/tenancy) ------


def database(address: str, *, pooled: bool) -> dict[str, object]:
    """Return Django's settings of one database address; a pooled one lends its connections to threads."""
    settings: dict[str, object] = environ.Env.db_url_config(address)
    options: dict[str, object] = (
        {"pool": {"min_size": 0, "max_size": ENV["DATABASE_POOL_SIZE"], "timeout": 5}} if pooled else {}
    )
    return {
        **settings,
        "ENGINE": "django.db.backends.postgresql",
        "ATOMIC_REQUESTS": pooled,
        "OPTIONS": {**settings.get("OPTIONS", {}), **options, "connect_timeout": 5, "prepare_threshold": 2},  # type: ignore[dict-item] # environ is untyped
    }


DATABASES = {
    "default": database(ENV["DATABASE_URL"], pooled=True),
    "owner": database(ENV["DATABASE_MIGRATION_URL"] or ENV["DATABASE_URL"], pooled=False),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Valkey: cache, channel layer, task queue ------------------------------------------------------------------------

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "irisx",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "common.live.layer.Layer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "irisx"},
    }
}
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_DEFAULT_QUEUE = "irisx"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_timeout": 10, "socket_connect_timeout": 5}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

# --- Who -------------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.EmailBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/portal/"
LOGOUT_REDIRECT_URL = LOGIN_URL
SESSION_COOKIE_NAME = "irisx_session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "irisx_csrf"
CSRF_TRUSTED_ORIGINS = [IRISX_BASE_URL]
CSRF_FAILURE_VIEW = "common.problems.csrf_failed"
PASSWORD_RESET_TIMEOUT = 2 * 3600
# Of allauth: second factors and the tokens of API users; what stands around them is accounts/identity (ADR 0021).
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
MFA_ADAPTER = "accounts.identity.second_factor.SealedAdapter"
MFA_TOTP_ISSUER = "IRISX"
MFA_TOTP_TOLERANCE = 1
HEADLESS_TOKEN_STRATEGY = "accounts.identity.families.FamilyTokenStrategy"  # noqa: S105 - a name
HEADLESS_JWT_ALGORITHM = "HS256"
HEADLESS_JWT_PRIVATE_KEY = hashlib.sha256(f"irisx tokens {SECRET_KEY}".encode()).hexdigest()
HEADLESS_JWT_STATEFUL_VALIDATION_ENABLED = True
HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN = 300
HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN = 14 * 86_400

# --- Safety of pages -------------------------------------------------------------------------------------------------

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_SSL_REDIRECT = IS_HTTPS
# Probes come from inside, over plain http, and must be answered without a redirect.
SECURE_REDIRECT_EXEMPT = [r"^health$", r"^livez$", r"^readyz$", r"^freeswitch/"]
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'", NONCE],
        "style-src": ["'self'", NONCE],
        # A file's link is answered by a redirect to the bucket, where there is one.
        "img-src": [
            "'self'",
            "data:",
            "blob:",
            *([bucket_origin(ENV["IRISX_STORAGE_URL"])] if IRISX_STORAGE_IS_REMOTE else []),
        ],
        "font-src": ["'self'"],
        "connect-src": ["'self'", IRISX_BASE_URL.replace("http", "ws", 1)],
        "frame-src": ["'self'"],
        "media-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
CORS_URLS_REGEX = r"^/v1/chat/"
CORS_ALLOW_ALL_ORIGINS = True  # public chat paths only; each checks the Origin against its widget's domains itself
CORS_ALLOW_HEADERS = [
    *("accept", "authorization", "content-type", "user-agent", "x-csrftoken", "x-requested-with"),
    *("idempotency-key", "x-request-id"),
]
CORS_ALLOW_CREDENTIALS = False
CORS_EXPOSE_HEADERS = ["Retry-After", "Idempotency-Replayed", "RateLimit", "RateLimit-Policy", "X-Request-Id"]

# --- API -------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.gate.PrincipalAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.gate.HasPermission"],
    "DEFAULT_PARSER_CLASSES": ["common.http.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["common.http.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "irisx.openapi.Schema",
    "DEFAULT_PAGINATION_CLASS": None,
    "EXCEPTION_HANDLER": "common.problems.handle_exception",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "IRISX",
    "DESCRIPTION": "Customer communications: chat, calls, usage and invoices.",
    "VERSION": __version__,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": r"/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    # Choices stay where they are used: names for each set of them would have to be invented.
    "POSTPROCESSING_HOOKS": ["irisx.openapi.complete"],
}

# --- Language, time, files, mail, logs -------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = ENV["IRISX_STATIC_ROOT"]
MEDIA_ROOT = ENV["IRISX_MEDIA_ROOT"]
# The demo and the tests serve static files from their sources; production from collectstatic's hashed copies.
WHITENOISE_USE_FINDERS = IRISX_DEMO or DEBUG
STORAGES = {
    "default": (
        {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": ENV["IRISX_STORAGE_URL"]}
        if IRISX_STORAGE_IS_REMOTE
        else {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    ),
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if WHITENOISE_USE_FINDERS
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
FILE_UPLOAD_PERMISSIONS = 0o640
if IRISX_MAIL_DIR:
    EMAIL_BACKEND = "irisx.portal.mailbox.MailboxBackend"
else:
    vars().update(environ.Env.email_url_config(ENV["EMAIL_URL"]))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = ENV["DEFAULT_FROM_EMAIL"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"}},
    "filters": {"request": {"()": "common.request_ids.RequestIdFilter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request"]}},
    "root": {"handlers": ["console"], "level": ENV["IRISX_LOG_LEVEL"]},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "uvicorn.access": {"level": "WARNING"},
        # "Task … received" and "… succeeded", several times a minute for every schedule.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}

UNFOLD = {
    "SITE_TITLE": "IRISX",
    "SITE_HEADER": "IRISX",
    "SITE_SUBHEADER": "Operations",
    "SITE_SYMBOL": "forum",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("ui/mark.svg")}],
    "SITE_DROPDOWN": [{"icon": "verified", "title": "Release", "link": reverse_lazy("admin:release")}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
}
