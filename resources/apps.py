from importlib import import_module

from django.apps import AppConfig


class ResourcesConfig(AppConfig):
    name = "resources"

    def ready(self) -> None:
        from collab4m import slots
        from organisations.operations import SCHOOL_YEAR_SLOT
        from resources.operations import open_up_in

        slots.fill(SCHOOL_YEAR_SLOT, open_up_in)
        for module in ("mails", "rules"):
            import_module(f"resources.{module}")
