"""The WSGI door that granian opens."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collab4m.settings")

application = get_wsgi_application()
