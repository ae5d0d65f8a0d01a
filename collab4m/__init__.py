"""The frame of the portal: settings, addresses, page shell, servers, and the ground every app stands on."""

from collab4m.celery import app as celery_app

__all__ = ["celery_app"]
