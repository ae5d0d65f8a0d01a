"""Take away the people and examples that load_demo made."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from agreements.demo import remove_demo as remove_agreements
from organisations.demo import remove_demo as remove_organisations
from programmes.demo import remove_demo as remove_programmes
from reports.demo import remove_demo as remove_reports
from resources.demo import remove_demo as remove_resources


class Command(BaseCommand):
    help = "Take away the people and examples for trying the portal, and everything they did."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        remove_reports()
        remove_resources()
        remove_agreements()
        remove_programmes()
        left = remove_organisations()
        self.stdout.write(f"{left} people for trying the portal were removed, with everything they did.")
