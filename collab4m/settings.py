"""All settings, in Django's order. Every variable is described in docs/operations.md."""

from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from collab4m import embedded, env

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / ".data")))

# Core

DEBUG = env.flag("DEBUG", False)
EMBEDDED = not env.text("DATABASE_URL", "")  # our own servers under DATA_DIR, see collab4m/embedded.py
SECRET_KEY = env.text("SECRET_KEY", embedded.secret(DATA_DIR, "secret_key") if EMBEDDED else None)
SITE_URL = env.text("SITE_URL", f"http://localhost:{env.number('PORT', 8000, least=1)}").rstrip("/")
SITE_HOST = urlsplit(SITE_URL).hostname or ""
LOCAL_HOSTS = "localhost,127.0.0.1,[::1]" if SITE_HOST in {"localhost", "127.0.0.1", "::1"} else ""
ALLOWED_HOSTS = [SITE_HOST, *env.words("ALLOWED_HOSTS", LOCAL_HOSTS)]
CSRF_TRUSTED_ORIGINS = [SITE_URL]
CSRF_FAILURE_VIEW = "collab4m.faults.csrf_failure"
ROOT_URLCONF = "collab4m.urls"
WSGI_APPLICATION = "collab4m.wsgi.application"

INSTALLED_APPS = [
    "collab4m",
    "records",
    "organisations",
    "programmes",
    "agreements",
    "resources",
    "reports",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_celery_beat",
    "django_filters",
    "drf_spectacular",
    "pghistory",
    "pgtrigger",
    "rest_framework",
    "rules",
    "sequences",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "collab4m.middleware.answer_faults",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "collab4m.kept.AskToLogIn",
    "collab4m.middleware.speak_the_readers_language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "collab4m.portal.shell",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "collab4m.templatetags.shell"],
        },
    }
]
FORM_RENDERER = "collab4m.forms.FieldRenderer"

# Database, cache, sessions: all in PostgreSQL, so that a dead Redis never stops a request

DATABASES = {
    "default": dj_database_url.parse(
        env.text("DATABASE_URL", "") or embedded.database_url(DATA_DIR),
        conn_max_age=60,
        conn_health_checks=True,
    )
}
DATABASES["default"].setdefault("OPTIONS", {}).update(
    connect_timeout=3, options="-c statement_timeout=30s -c lock_timeout=10s"
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_NAME = "collab4m_session"
SESSION_COOKIE_SAMESITE = "Lax"

# People and log-in

AUTH_USER_MODEL = "organisations.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "collab4m.log_in.UnlikePassword"},
    {"NAME": "collab4m.log_in.LongPassword", "OPTIONS": {"min_length": 12}},
    {"NAME": "collab4m.log_in.RarePassword"},
    {"NAME": "collab4m.log_in.WordyPassword"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "organisations.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_FORMS = {
    "login": "collab4m.log_in.LogInForm",
    "change_password": "collab4m.log_in.PasswordChangeForm",
    "set_password": "collab4m.log_in.PasswordSetForm",
    "reset_password_from_key": "collab4m.log_in.PasswordResetForm",
}
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_RATE_LIMITS = {
    "answer_link": "20/m/ip",
    "calendar": "120/m/ip",
    "invitation": "30/m/ip",
    # A whole municipality may come from one address, so the strict limit is the one per account.
    "login": "120/m/ip",
    "login_failed": "30/m/ip,5/300s/key",
    "verify": "60/m/ip",
}
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXIES", 0)
MFA_ADAPTER = "organisations.adapters.SecondStepAdapter"
MFA_FORMS = {
    "activate_totp": "collab4m.log_in.AppForm",
    "add_webauthn": "collab4m.log_in.KeyForm",
    "edit_webauthn": "collab4m.log_in.KeyNameForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = SITE_URL.startswith("http://localhost")
MFA_TOTP_ISSUER = "collab4m"
USERSESSIONS_TRACK_ACTIVITY = False
INVITATION_DAYS = env.number("INVITATION_DAYS", 14, least=1)

# Words, dates, numbers

LANGUAGE_CODE = "sv"
LANGUAGES = [("sv", _("Swedish")), ("en", _("English"))]
LANGUAGE_COOKIE_NAME = "collab4m_language"
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["collab4m.formats"]
TIME_ZONE = "Europe/Stockholm"
USE_THOUSAND_SEPARATOR = True

# Files

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
NODE_MODULES = BASE_DIR / "node_modules"
BUILD_DIR = BASE_DIR / "build"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("vendor/ds", NODE_MODULES / "@digdir/designsystemet-css/dist"),
    ("vendor/theme", BUILD_DIR / "theme"),
    ("vendor/font", BUILD_DIR / "font"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "final": {"BACKEND": "records.storage.FinalFiles"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
MEDIA_ROOT = DATA_DIR / "media"
FILE_UPLOAD_HANDLERS = ["records.uploads.HashOnly", "collab4m.uploads.LimitedUpload"]
UPLOAD_BYTES = 20_000_000  # of all files in a request; more is counted but not kept

# Mail: written to files until a server is named

EMAIL_HOST = env.text("EMAIL_HOST", "")
EMAIL_PORT = env.number("EMAIL_PORT", 25, least=1)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 15
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
EMAIL_FILE_PATH = DATA_DIR / "mail"
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "collab4m <portal@localhost>")

# Jobs: Redis carries the wake-up calls, PostgreSQL the work (records.Job, records.Outgoing)

REDIS_URL = env.text("REDIS_URL", "") or embedded.redis_url(DATA_DIR)
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "visibility_timeout": 600,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "records.pulse:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 2
CELERY_BEAT_SCHEDULE = {
    "drain": {"task": "records.tasks.drain", "schedule": 2.0, "options": {"expire_seconds": 10}},
    "digests": {"task": "records.tasks.send_digests", "schedule": 60.0, "options": {"expire_seconds": 60}},
    "forget": {
        "task": "organisations.tasks.forget_what_is_due",
        "schedule": 3600.0,
        "options": {"expire_seconds": 3600},
    },
    "remind_of_agreements": {
        "task": "agreements.tasks.remind",
        "schedule": 3600.0,
        "options": {"expire_seconds": 3600},
    },
    "signing_service": {
        "task": "agreements.tasks.call_signing_service",
        "schedule": 60.0,
        "options": {"expire_seconds": 60},
    },
    "end_requests_and_offers": {
        "task": "resources.tasks.end_what_is_due",
        "schedule": 20.0,
        "options": {"expire_seconds": 20},
    },
    "open_up_all": {
        "task": "resources.tasks.open_up_all",
        "schedule": crontab(hour=2, minute=40),
        "options": {"expire_seconds": 3600},
    },
    "remind_of_requests": {
        "task": "resources.tasks.remind",
        "schedule": 300.0,  # an owner may give itself an hour, of which half is left when it is reminded
        "options": {"expire_seconds": 300},
    },
    "make_due_reports": {
        "task": "reports.tasks.make_due_reports",
        "schedule": 10.0,
        "options": {"expire_seconds": 10},
    },
    "forget_files": {
        "task": "programmes.tasks.forget_files",
        "schedule": 3600.0,
        "options": {"expire_seconds": 3600},
    },
}
JOB_HEARTBEAT_SECONDS = env.number("JOB_HEARTBEAT_SECONDS", 10, least=1)
JOB_STALE_SECONDS = env.number("JOB_STALE_SECONDS", 60, least=2)
JOBS_AT_ONCE = env.number("JOBS_AT_ONCE", 2, least=1)

# The signing service that agreements can be signed in, if there is one

SIGNING_SERVICE_URL = env.text("SIGNING_SERVICE_URL", "").rstrip("/")
SIGNING_SERVICE_KEY = env.text("SIGNING_SERVICE_KEY", "")

# API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "collab4m.api.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["collab4m.api.MaySpeakToTheApi"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend", "collab4m.api.SwedishOrdering"],
    "DEFAULT_PAGINATION_CLASS": "collab4m.api.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_VERSIONING_CLASS": None,
    "EXCEPTION_HANDLER": "collab4m.api.answer_error",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.UserRateThrottle",
        "rest_framework.throttling.AnonRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"user": "3000/min", "anon": "60/min"},
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "collab4m",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {  # where several things have a kind or a state
        "AgreementKindEnum": "agreements.models.AgreementKind",
        "AnswerKindEnum": "agreements.models.AnswerKind",
        "BodyKindEnum": "organisations.models.BodyKind",
        "NoticeEffectEnum": "agreements.models.NoticeEffect",
        "NoticeEndsEnum": "agreements.models.NoticeEnds",
        "PriceKindEnum": "agreements.models.PriceKind",
        "RenditionKindEnum": "records.models.RenditionKind",
        "RevisionKindEnum": "agreements.models.RevisionKind",
        "RevisionStateEnum": "agreements.models.RevisionState",
        "StandingEnum": "agreements.models.Standing",
        "StatementStateEnum": "agreements.models.StatementState",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "collab4m.api_docs.describe_errors",
    ],
}

# Safety

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
SECURE = SITE_URL.startswith("https://")
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE and ALLAUTH_TRUSTED_PROXY_COUNT else None
SECURE_HSTS_SECONDS = 31536000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
LANGUAGE_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# Demo

DEMO_PASSWORD = env.text("DEMO_PASSWORD", "fyra-malarstader")

# Logs: to standard error, where the supervisor or the container keeps them

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.server": {"level": "WARNING"},
        **{name: {"level": "WARNING"} for name in ("celery.beat", "celery.app.trace", "celery.worker.strategy")},
    },
}
