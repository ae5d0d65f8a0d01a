"""Let the first person into an empty portal."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from collab4m.errors import RuleBroken
from organisations.operations import add_system_administrator


class Command(BaseCommand):
    help = "Open an account for a system administrator, who can then invite everyone else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            validate_email(options["email"])
            user = add_system_administrator(email=options["email"], name=options["name"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except RuleBroken as broken:
            raise CommandError(str(broken)) from broken
        self.stdout.write(f"{user.email} is system administrator. Choose a password at /konto/password/reset/.")
