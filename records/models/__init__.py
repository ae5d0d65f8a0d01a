"""What happened, what is on its way, and what is known from where."""

from records.models.decisions import Attachment, Decision, DecisionResult, SignOff, SignOffMethod
from records.models.events import Event, Link
from records.models.facts import CameIn, Dated, DatedQuerySet, Source, Sourced, figures_of, span
from records.models.jobs import Job, JobState, Pulse
from records.models.outbox import Outgoing, OutgoingState, new_message_id
from records.models.parts import LONGEST_TEXT, Choice, Part, Wording
from records.models.questions import AnswerLink, Correction, CorrectionState, Question, Reply
from records.models.versions import Rendition, RenditionKind, Version

__all__ = [
    "LONGEST_TEXT",
    "AnswerLink",
    "Attachment",
    "CameIn",
    "Choice",
    "Correction",
    "CorrectionState",
    "Dated",
    "DatedQuerySet",
    "Decision",
    "DecisionResult",
    "Event",
    "Job",
    "JobState",
    "Link",
    "Outgoing",
    "OutgoingState",
    "Part",
    "Pulse",
    "Question",
    "Rendition",
    "RenditionKind",
    "Reply",
    "SignOff",
    "SignOffMethod",
    "Source",
    "Sourced",
    "Version",
    "Wording",
    "figures_of",
    "new_message_id",
    "span",
]
