"""What is taught where: the catalogue, what schools report, what open sources say, and where pupils go."""

from programmes.models.answers import Answer, about_orientation, about_programme, together
from programmes.models.catalogue import (
    Curriculum,
    Orientation,
    Programme,
    ProgrammeKind,
    Succession,
    SuccessionKind,
    orientation_of_its_programme,
)
from programmes.models.files import ColumnChoice, FileImport, FileKind, ImportRow
from programmes.models.flows import MASKED_UNDER, PupilFlow, sees_unmasked
from programmes.models.offer import (
    FIGURES,
    Offering,
    OfferingFact,
    OfferingReminder,
    OfferingReport,
    OpenQuerySet,
    ReportingDeadline,
    year_in_address,
)

__all__ = [
    "FIGURES",
    "MASKED_UNDER",
    "Answer",
    "ColumnChoice",
    "Curriculum",
    "FileImport",
    "FileKind",
    "ImportRow",
    "Offering",
    "OfferingFact",
    "OfferingReminder",
    "OfferingReport",
    "OpenQuerySet",
    "Orientation",
    "Programme",
    "ProgrammeKind",
    "PupilFlow",
    "ReportingDeadline",
    "Succession",
    "SuccessionKind",
    "about_orientation",
    "about_programme",
    "orientation_of_its_programme",
    "sees_unmasked",
    "together",
    "year_in_address",
]
