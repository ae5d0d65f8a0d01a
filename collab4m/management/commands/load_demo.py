"""Load people and examples for trying the portal."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from agreements.demo import load_demo as load_agreements
from organisations.demo import DemoNeedsReference
from organisations.demo import load_demo as load_organisations
from programmes.demo import load_demo as load_programmes
from reports.demo import load_demo as load_reports
from resources.demo import load_demo as load_resources


class Command(BaseCommand):
    help = (
        "Load people and examples for trying the portal. May be run any number of times; remove_demo takes them away."
    )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            came = load_organisations()
            reported = load_programmes()
            agreed = load_agreements()
            shared = load_resources()
            written = load_reports()
        except DemoNeedsReference as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{came} people for trying the portal were added.")
        self.stdout.write(f"{reported} schools' offer was reported as an example.")
        self.stdout.write(f"{agreed} agreements were made as examples.")
        self.stdout.write(f"{shared} resources were shared as examples.")
        self.stdout.write(f"{written} texts of a report were written as examples.")
