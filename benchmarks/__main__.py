"""Run every benchmark: `make bench`."""

import gc
import os
import sys
from collections.abc import Callable

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"  # the supervisor hands its own down
django.setup()

from allauth.account.models import EmailAddress  # noqa: E402
from django.contrib.auth.hashers import make_password  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_databases, teardown_databases  # noqa: E402

from benchmarks.compensation import measure_compensation  # noqa: E402
from benchmarks.imports import measure_import  # noqa: E402
from benchmarks.national import load  # noqa: E402
from benchmarks.reports import measure_reports  # noqa: E402
from benchmarks.resources import measure_resources  # noqa: E402
from benchmarks.timing import HEAD, Timing, measure  # noqa: E402
from organisations.models import User  # noqa: E402

PAGES = {
    "start": "/",
    "area": "/omraden/{area}/",
    "municipality": "/kommuner/{municipality}/",
    "history of a municipality (200 events)": "/historik/organisations/municipality/{municipality}/",
    "search, misspelt": "/sok/?q=Komun+{number}",
    "questions": "/fragor/",
    "API: municipalities, first page": "/api/v1/municipalities/",
    "API: schools, first page": "/api/v1/schools/",
    "offer, by school up to six members": "/program/utbud/",
    "offer, by municipality": "/program/utbud/?visning=kommun",
    "gaps": "/program/saknas/?kommun={code}",
    "reporting": "/program/rapportering/",
    "pupil flows": "/program/elevstrommar/",
    "a programme": "/program/BA/",
    "API: offerings, first page": "/api/v1/offerings/",
    "API: offerings of an area and year": "/api/v1/offerings/?area={area}&school_year=2022/23",
    "agreements, fifty of them": "/avtal/",
    "agreements, timeline": "/avtal/?vy=tidslinje",
    "an agreement": "/avtal/{agreement}/",
    "cover": "/avtal/tackning/?lasar=2022-23",
    "cover, gaps and what ends": "/avtal/tackning/?lasar=2022-23&visa=atgard",
    "API: gaps": "/api/v1/programme-gaps/?municipality={code}&school_year=2022/23",
}
PASSWORD = "ett-langt-losenord-for-matning"


def measure_base(municipalities: int) -> dict[tuple[int, str], Timing]:
    """Timings in a base of so many municipalities, by the size of the reader's area and the page's name."""
    config = setup_databases(verbosity=0, interactive=False)
    try:
        cast = load(municipalities)
        gc.collect()
        gc.freeze()  # as `collab4m/wsgi.py` does before it serves
        sizes = [size for size in (4, 26) if size in cast]
        return {key: timing for size in sizes for key, timing in _measure_reader(size, cast[size])}
    finally:
        teardown_databases(config, verbosity=0)


def _measure_reader(size: int, user: User) -> list[tuple[tuple[int, str], Timing]]:
    log_in = _log_in(user)  # first, since a new password ends older sessions
    client = Client()
    client.force_login(user)
    municipality = user.roles_today[0].body.as_municipality
    area = municipality.memberships.get().area
    words = {
        "area": area.slug,
        "municipality": municipality.pk,
        "code": municipality.code,
        "number": municipality.code[1:],
        "agreement": area.agreements.earliest("pk").pk,
    }

    def get(path: str) -> Callable[[], int]:
        return lambda: client.get(path.format(**words)).status_code

    bare = get("/bare/")
    timings = [measure(name, get(path), bare) for name, path in {"bare page": "/bare/", **PAGES}.items()]
    timings.append(measure("log-in", log_in, bare, runs=10, expected=302))
    return [((size, timing.name), timing) for timing in timings]


def _log_in(user: User) -> Callable[[], int]:
    """The whole form, with the password hashed as in production."""
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    user.password = make_password(PASSWORD)
    user.save(update_fields=["password"])
    form = {"login": user.email, "password": PASSWORD}
    return lambda: Client().post("/konto/login/", form).status_code


def main() -> None:
    large = "large" in sys.argv
    if "resources" in sys.argv:
        return measure_resources(large=large)
    measure_import()  # first, so that nothing else has raised the peak of memory
    measure_reports()
    measure_compensation()
    measure_resources(large=large)
    bases = {municipalities: measure_base(municipalities) for municipalities in (4, 290)}
    for municipalities, timings in bases.items():
        for size in sorted({size for size, _name in timings}):
            print(f"\nReader in an area of {size}, base of {municipalities} municipalities; ratio to the bare page")
            print(HEAD)
            for (of, _name), timing in timings.items():
                if of == size:
                    print(timing.row())
    print(
        "\nRatio in a base of 290 against the ratio in a base of 4, reader in an area of 4 (aim: at most 1.3, same SQL)"
    )
    for (size, name), timing in bases[4].items():
        wide = bases[290][size, name]
        print(f"{name:<44} {wide.ratio / timing.ratio:7.2f} {wide.queries - timing.queries:+5}")


if __name__ == "__main__":
    main()
