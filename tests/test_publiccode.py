"""publiccode.yml, by which catalogues of public software find the portal: whole, and true to the other files."""

import tomllib

import pytest
import yaml
from django.conf import settings

ROOT = settings.BASE_DIR
CARD = yaml.safe_load((ROOT / "publiccode.yml").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIRED = {
    "": "publiccodeYmlVersion name url platforms developmentStatus softwareType "
    "description legal maintenance localisation",
    "legal": "license",
    "maintenance": "type contacts",
    "localisation": "localisationReady availableLanguages",
    "description.en": "shortDescription longDescription features",
    "description.sv": "shortDescription longDescription features",
}


@pytest.mark.parametrize("place", REQUIRED)
def test_what_the_standard_requires_is_there(place):
    part = CARD
    for key in place.split(".") if place else ():
        part = part[key]

    assert {key for key in REQUIRED[place].split() if not part.get(key)} == set()


@pytest.mark.parametrize("language", CARD["description"])
def test_descriptions_have_the_lengths_the_standard_allows(language):
    words = CARD["description"][language]

    assert len(words["shortDescription"]) <= 150
    assert 150 <= len(words["longDescription"]) <= 10_000
    assert max(len(feature) for feature in words["features"]) <= 100


def test_it_says_what_the_project_says():
    assert CARD["name"] == PROJECT["name"]
    assert CARD["legal"]["license"] == PROJECT["license"]
    assert CARD["description"]["en"]["shortDescription"] == PROJECT["description"]
    assert set(CARD["localisation"]["availableLanguages"]) == {code for code, _ in settings.LANGUAGES}
    assert set(CARD["description"]) == {code for code, _ in settings.LANGUAGES}
