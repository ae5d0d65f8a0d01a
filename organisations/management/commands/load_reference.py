"""Load the reference facts that come with the portal."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from organisations.operations import load_reference
from organisations.operations.reference import BadReference


class Command(BaseCommand):
    help = "Load the reference facts from organisations/reference/*.csv. May be run any number of times."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            files = load_reference()
        except BadReference as error:
            raise CommandError(str(error)) from error
        for file in files:
            self.stdout.write(
                f"{file.file}: {file.rows} rows, {file.created} created, {file.changed} changed, "
                f"{file.ended} ended, {file.left} left as people made them"
            )
