"""What can be done with history, mail, jobs, questions, corrections, texts written together and final versions.

History, mail and jobs are written in the caller's transaction: they happen with what they tell of, or not at all.
"""

from records.operations.attachments import DocumentFile, DocumentRefused, document_file, keep_document
from records.operations.corrections import (
    AlreadyDecided,
    FigureChanged,
    FigureGone,
    FigureRefused,
    NoOwner,
    SameFigure,
    accept_correction,
    decline_correction,
    propose_correction,
)
from records.operations.examples import forget_versions
from records.operations.history import differences, record
from records.operations.jobs import JobNotFailed, claim_job, order_job, retry_job, run_job, work_off_jobs
from records.operations.mail import deliver_mail, gather_digests, send
from records.operations.parts import PartChanged, PartClosed, save_part
from records.operations.questions import (
    NobodyAnswers,
    QuestionClosed,
    ask_question,
    close_question,
    reply_to_question,
)
from records.operations.signs import feel_pulse
from records.operations.versions import (
    VersionTaken,
    finish_files,
    freeze,
    make_final,
    next_version,
    store_renditions,
    unchanged,
)

__all__ = [
    "AlreadyDecided",
    "DocumentFile",
    "DocumentRefused",
    "FigureChanged",
    "FigureGone",
    "FigureRefused",
    "JobNotFailed",
    "NoOwner",
    "NobodyAnswers",
    "PartChanged",
    "PartClosed",
    "QuestionClosed",
    "SameFigure",
    "VersionTaken",
    "accept_correction",
    "ask_question",
    "claim_job",
    "close_question",
    "decline_correction",
    "deliver_mail",
    "differences",
    "document_file",
    "feel_pulse",
    "freeze",
    "finish_files",
    "forget_versions",
    "gather_digests",
    "keep_document",
    "make_final",
    "next_version",
    "order_job",
    "propose_correction",
    "record",
    "reply_to_question",
    "retry_job",
    "run_job",
    "save_part",
    "send",
    "store_renditions",
    "unchanged",
    "work_off_jobs",
]
