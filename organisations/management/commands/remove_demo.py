"""Take away the people and examples that load_demo made."""

from typing import Any

from django.core.management.base import BaseCommand

from organisations.demo import remove_demo


class Command(BaseCommand):
    help = "Take away the people and examples for trying the portal, and everything they did."

    def handle(self, *args: Any, **options: Any) -> None:
        left = remove_demo()
        self.stdout.write(f"{left} people for trying the portal were removed, with everything they did.")
