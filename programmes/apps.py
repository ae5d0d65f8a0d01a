from importlib import import_module

from django.apps import AppConfig


class ProgrammesConfig(AppConfig):
    name = "programmes"

    def ready(self) -> None:
        for module in ("mails", "rules", "job_kinds", "links"):
            import_module(f"programmes.{module}")
