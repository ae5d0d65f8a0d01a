from importlib import import_module

from django.apps import AppConfig


class AgreementsConfig(AppConfig):
    name = "agreements"

    def ready(self) -> None:
        for module in ("rules", "job_kinds", "links"):
            import_module(f"agreements.{module}")
