"""The WSGI door that granian opens."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collab4m.settings")

application = get_wsgi_application()

# What start-up has made lives as long as the process: the collector need not go through it during a request.
gc.collect()
gc.freeze()
