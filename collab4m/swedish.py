"""Swedish order and Swedish search words, the same on every database server."""

from typing import Any

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Collate, Greatest, Lower

# Placed after z in the C collation, so that å ä ö come last and in that order; accents that Swedish ignores are folded.
# Capitals stand here too, because lower() leaves them alone on a server whose character class is C.
_FROM, _TO = "åäöæøéèêëáàüçñ", "{|}|}eeeeaaycn"
_FROM, _TO = _FROM + _FROM.upper(), _TO * 2


def swedish_order(field: str) -> Collate:
    """Order by `field` as a Swede reads: upper and lower case alike, å ä ö last."""
    return Collate(Func(Lower(F(field)), Value(_FROM), Value(_TO), function="translate", output_field=TextField()), "C")


def swedish_key(text: str) -> str:
    """The same order for lists in Python: `sorted(names, key=swedish_key)`."""
    return text.lower().translate(str.maketrans(_FROM, _TO))


def matching(queryset: QuerySet[Any], words: str, *fields: str) -> QuerySet[Any]:
    """Rows where some field holds or resembles `words`, best first.

    Finds parts of compounds ("journal" in "körjournal") and misspellings ("Vesterås" for "Västerås").
    """

    def plain(value: Any) -> Lower:
        return Lower(Func(value, function="unaccent", output_field=TextField()))

    likeness = [
        TrigramWordSimilarity(plain(Value(words)), plain(F(field)))  # type: ignore[arg-type]  # takes expressions too
        for field in fields
    ]
    best = Greatest(*likeness, Value(0.0)) if len(likeness) > 1 else likeness[0]
    holds = Q()
    for field in fields:
        holds |= Q(**{f"{field}__unaccent__icontains": words})
    return queryset.annotate(likeness=best).filter(holds | Q(likeness__gte=0.45)).order_by("-likeness", "pk")
