from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    name = "organisations"

    def ready(self) -> None:
        from collab4m import slots
        from organisations import mails, rules  # noqa: F401  (name the kinds of mail, and who may do what)
        from organisations.operations.left_behind import FILLERS, SLOT

        for filler in FILLERS:
            slots.fill(SLOT, filler)
