"""Every text has its Swedish."""

from babel.messages.pofile import read_po
from django.conf import settings


def catalogue():
    with open(settings.LOCALE_PATHS[0] / "sv/LC_MESSAGES/django.po", "rb") as file:
        return read_po(file, locale="sv")


def test_every_text_has_its_swedish_and_none_is_a_guess():
    found = catalogue()

    assert not found.fuzzy
    assert len(found) > 500
    assert [message.id for message in found if message.id and (message.fuzzy or not all(strings(message)))] == []


def test_every_text_keeps_its_placeholders():
    assert [(message.id, list(message.check())) for message in catalogue() if list(message.check())] == []


def strings(message) -> list[str]:
    return list(message.string) if isinstance(message.string, tuple) else [message.string]
