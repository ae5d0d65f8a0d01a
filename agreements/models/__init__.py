"""Agreements between municipalities: what is agreed, who decides and signs, what it covers and what it costs."""

from agreements.models.agreements import (
    LONGEST_NOTICE,
    Agreement,
    AgreementKind,
    NoticeEffect,
    NoticeEnds,
    Party,
    PriceKind,
    Revision,
    RevisionKind,
    RevisionState,
    Standing,
    Term,
)
from agreements.models.calculations import Calculation
from agreements.models.clauses import Clause, ClauseUse, ClauseVersion
from agreements.models.cover import Cover, SeatUse
from agreements.models.disclosures import Disclosure
from agreements.models.notices import ClockDay, ClockEvent, Notice, NoticeConsent, Reminder
from agreements.models.prices import (
    Dispute,
    LineBasis,
    PriceList,
    PriceRow,
    Statement,
    StatementLine,
    StatementState,
)
from agreements.models.referrals import AnswerKind, Outcome, Referral, ReferralAnswer, ReferralReminder
from agreements.models.signing import ArchiveCopy, RequestState, SignatureRequest

__all__ = [
    "LONGEST_NOTICE",
    "Agreement",
    "AgreementKind",
    "AnswerKind",
    "ArchiveCopy",
    "Calculation",
    "Clause",
    "ClauseUse",
    "ClauseVersion",
    "ClockDay",
    "ClockEvent",
    "Cover",
    "Disclosure",
    "Dispute",
    "LineBasis",
    "Notice",
    "NoticeConsent",
    "NoticeEffect",
    "NoticeEnds",
    "Outcome",
    "Party",
    "PriceKind",
    "PriceList",
    "PriceRow",
    "Referral",
    "ReferralAnswer",
    "ReferralReminder",
    "Reminder",
    "RequestState",
    "Revision",
    "RevisionKind",
    "RevisionState",
    "SeatUse",
    "SignatureRequest",
    "Standing",
    "Statement",
    "StatementLine",
    "StatementState",
    "Term",
]
