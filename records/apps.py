from importlib import import_module

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "records"

    def ready(self) -> None:
        for module in ("job_kinds", "mails", "rules", "tasks"):  # they register what they hold
            import_module(f"records.{module}")
