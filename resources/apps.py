from importlib import import_module

from django.apps import AppConfig


class ResourcesConfig(AppConfig):
    name = "resources"

    def ready(self) -> None:
        for module in ("mails", "rules"):
            import_module(f"resources.{module}")
