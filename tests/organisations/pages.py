"""The app's addresses: the directory's, and those of people."""

from tests.organisations import pages_directory, pages_people

PAGES = [*pages_directory.PAGES, *pages_people.PAGES]
