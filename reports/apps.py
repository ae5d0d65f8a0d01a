from importlib import import_module

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "reports"

    def ready(self) -> None:
        for module in ("rules", "job_kinds"):
            import_module(f"reports.{module}")
