from importlib import import_module

from django.apps import AppConfig


class FrameConfig(AppConfig):
    name = "collab4m"

    def ready(self) -> None:
        import_module("collab4m.checks")
        import_module("collab4m.lookups")
