"""Load the reference facts that come with the portal."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from agreements.operations import load_reference as load_agreements
from organisations.operations import BadReference
from organisations.operations import load_reference as load_organisations
from programmes.operations import load_reference as load_programmes
from reports.operations import load_reference as load_reports
from resources.operations import load_reference as load_resources


class Command(BaseCommand):
    help = "Load the reference facts from the apps' reference/*.csv. May be run any number of times."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            files = [
                *load_organisations(),
                *load_programmes(),
                *load_agreements(),
                *load_resources(),
                *load_reports(),
            ]
        except BadReference as error:
            raise CommandError(str(error)) from error
        for file in files:
            self.stdout.write(
                f"{file.file}: {file.rows} rows, {file.created} created, {file.changed} changed, "
                f"{file.ended} ended, {file.left} left as people made them"
            )
