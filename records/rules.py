"""Who may ask, answer, propose, decide and write."""

from typing import Any

import rules

from records.models import Correction, Part, Question
from records.people import ACTING, User, speaking_for


@rules.predicate
def acts_for_a_body(user: User) -> bool:
    """An administrator of a municipality or a principal of a school, today."""
    return bool(user.bodies_where(*ACTING))


@rules.predicate
def is_asked(user: User, question: Question | None) -> bool:
    return question is not None and bool(speaking_for(user, question.to_body))


@rules.predicate
def asks(user: User, question: Question | None) -> bool:
    return question is not None and bool(speaking_for(user, question.from_body))


@rules.predicate
def owns_the_fact(user: User, correction: Correction | None) -> bool:
    return correction is not None and bool(speaking_for(user, correction.owner))


@rules.predicate
def writes_the_subject(user: User, part: Part | None) -> bool:
    """What `part` belongs to says who writes in its texts, and until when; `part_is_open(part)` which of them."""
    subject: Any = part.subject if part is not None else None
    if subject is None or (hasattr(subject, "part_is_open") and not subject.part_is_open(part)):
        return False
    return user.has_perm(subject.write_permission, subject)


rules.add_perm("records.ask_question", acts_for_a_body)
rules.add_perm("records.reply_to_question", is_asked | asks)
rules.add_perm("records.close_question", asks)
rules.add_perm("records.propose_correction", acts_for_a_body)
rules.add_perm("records.decide_correction", owns_the_fact)
rules.add_perm("records.write_part", writes_the_subject)
