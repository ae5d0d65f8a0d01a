"""Load people and examples for trying the portal."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from organisations.demo import DemoNeedsReference, load_demo


class Command(BaseCommand):
    help = (
        "Load people and examples for trying the portal. May be run any number of times; remove_demo takes them away."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            came = load_demo()
        except DemoNeedsReference as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{came} people for trying the portal were added.")
