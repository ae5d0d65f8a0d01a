"""Who and where: areas, bodies, people, calendars and distances."""

from organisations.models.areas import CollaborationArea, Membership
from organisations.models.bodies import (
    Board,
    Body,
    BodyKind,
    Contact,
    ContactPurpose,
    Municipality,
    Provider,
    ProviderKind,
    School,
    Site,
)
from organisations.models.calendar import SchoolBreak, Semester, SemesterKind
from organisations.models.glossary import GlossaryEntry
from organisations.models.people import ApiToken, Invitation, MailRhythm, Role, RoleKind, User
from organisations.models.travel import TravelMode, TravelTime

__all__ = [
    "ApiToken",
    "Board",
    "Body",
    "BodyKind",
    "CollaborationArea",
    "Contact",
    "ContactPurpose",
    "GlossaryEntry",
    "Invitation",
    "MailRhythm",
    "Membership",
    "Municipality",
    "Provider",
    "ProviderKind",
    "Role",
    "RoleKind",
    "School",
    "SchoolBreak",
    "Semester",
    "SemesterKind",
    "Site",
    "TravelMode",
    "TravelTime",
    "User",
]
