"""The few differences in tests."""

import os

from collab4m.settings import *  # noqa: F403
from collab4m.settings import DATA_DIR, DATABASES, STATIC_ROOT, STORAGES, embedded

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
REDIS_URL = CELERY_BROKER_URL = embedded.redis_url(DATA_DIR, WORKER + 1)  # a number for each parallel worker
if "PYTEST_XDIST_WORKER" in os.environ:  # what the tests of one remove, those of another may be reading
    MEDIA_ROOT = DATA_DIR / f"media-{WORKER}"

# Twenty rivals for one row wait long for each other on a busy machine.
DATABASES["default"]["OPTIONS"]["options"] = "-c statement_timeout=120s -c lock_timeout=60s"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
WHITENOISE_AUTOREFRESH = True  # files are found where they lie; nothing is collected
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of a folder that is not there
INSTALLED_APPS = [*INSTALLED_APPS, "tests.writing"]  # noqa: F405  texts written together need a subject
ROOT_URLCONF = "tests.writing.urls"
