"""The Celery app. Redis is its broker and nothing else; results and state live in PostgreSQL (`records.Job`)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collab4m.settings")

app = Celery("collab4m")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
