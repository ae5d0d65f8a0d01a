"""What came after what: steps that never lead back, and heirs for everything that is no longer begun on."""

from random import Random

import pytest
from django.db import IntegrityError, transaction

from collab4m.clock import today
from programmes.models import Orientation, Programme, Succession, SuccessionKind
from tests.factories import OrientationFactory, ProgrammeFactory, SuccessionFactory

pytestmark = pytest.mark.django_db
CIRCLE = "succession_without_circle"


def is_refused(make):
    """The name of the constraint that refuses it."""
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        make()
    return refused.value.__cause__.diag.constraint_name


# No circle


def test_a_step_may_not_lead_to_itself():
    programme = ProgrammeFactory()

    assert is_refused(lambda: SuccessionFactory(from_programme=programme, to_programme=programme)) == CIRCLE


def test_steps_may_not_lead_back():
    first, second, third = (ProgrammeFactory() for _number in range(3))
    SuccessionFactory(from_programme=first, to_programme=second)
    SuccessionFactory(from_programme=second, to_programme=third)

    assert is_refused(lambda: SuccessionFactory(from_programme=third, to_programme=first)) == CIRCLE


def test_a_step_that_is_moved_may_not_lead_back():
    first, second, third = (ProgrammeFactory() for _number in range(3))
    SuccessionFactory(from_programme=first, to_programme=second)
    step = SuccessionFactory(from_programme=second, to_programme=third)
    step.to_programme = first

    assert is_refused(step.save) == CIRCLE


def test_steps_through_an_orientation_may_not_lead_back():
    orientation, other = OrientationFactory(), OrientationFactory()
    programme = ProgrammeFactory()
    SuccessionFactory(from_orientation=orientation, to_programme=programme)
    SuccessionFactory(from_programme=programme, to_orientation=other)

    assert is_refused(lambda: SuccessionFactory(from_orientation=other, to_orientation=orientation)) == CIRCLE


def test_a_circle_written_at_once_is_refused():
    first, second = ProgrammeFactory(), ProgrammeFactory()
    circle = [
        Succession(kind="replaced", from_programme=first, to_programme=second),
        Succession(kind="replaced", from_programme=second, to_programme=first),
    ]

    assert is_refused(lambda: Succession.objects.bulk_create(circle)) == CIRCLE


def leads_to(steps, start, goal):
    """Whether the steps lead from `start` to `goal`, some way or other."""
    reached, heap = set(), [start]
    while heap:
        one = heap.pop()
        if one == goal:
            return True
        if one not in reached:
            reached.add(one)
            heap += [after for before, after in steps if before == one]
    return False


@pytest.mark.parametrize("seed", range(10))
def test_exactly_the_steps_that_would_lead_back_are_refused(seed):
    dice = Random(seed)
    programmes = [ProgrammeFactory() for _number in range(5)]
    steps = set()

    for _try in range(20):
        before, after = dice.choice(programmes), dice.choice(programmes)
        if (before, after) in steps:
            continue
        try:
            with transaction.atomic():
                SuccessionFactory(from_programme=before, to_programme=after)
        except IntegrityError:
            assert leads_to(steps, after, before)
        else:
            assert not leads_to(steps, after, before)
            steps.add((before, after))

    assert steps


def test_two_ways_to_the_same_heir_are_no_circle():
    old, one, other, new = (ProgrammeFactory() for _number in range(4))
    for before, after in [(old, one), (old, other), (one, new), (other, new)]:
        SuccessionFactory(kind="partial", from_programme=before, to_programme=after)

    assert Succession.objects.count() == 4


@pytest.mark.parametrize(
    ("ends", "constraint"),
    [
        ({"from_programme": True}, "succession_to_one_thing"),
        ({"to_programme": True}, "succession_from_one_thing"),
        ({"from_programme": True, "from_orientation": True, "to_programme": True}, "succession_from_one_thing"),
        ({"from_programme": True, "to_programme": True, "to_orientation": True}, "succession_to_one_thing"),
    ],
)
def test_a_step_goes_from_one_thing_to_one_thing(ends, constraint):
    made = {name: ProgrammeFactory() if name.endswith("programme") else OrientationFactory() for name in ends}

    assert is_refused(lambda: SuccessionFactory(**made)) == constraint


def test_a_step_stands_once():
    old, new = ProgrammeFactory(), ProgrammeFactory()
    SuccessionFactory(from_programme=old, to_programme=new)

    again = is_refused(lambda: SuccessionFactory(kind="merged", from_programme=old, to_programme=new))

    assert again == "succession_once"


# The catalogue that comes with the portal


def heirs_of(programme):
    """Where the steps from a programme end."""
    steps = [step.to_programme for step in programme.successions.exclude(to_programme=None)]
    return {heir for after in steps for heir in heirs_of(after)} if steps else {programme}


def test_every_programme_that_is_no_longer_begun_on_finds_its_heirs(catalogue):
    closed = [one for one in catalogue.values() if one.last_day]

    assert len(closed) > 20
    for programme in closed:
        heirs = heirs_of(programme)
        assert heirs != {programme}, programme
        assert all(heir.holds_on(today()) for heir in heirs), programme


def test_the_ways_that_the_issue_names_are_there(catalogue):
    orientations = {one.code: one for one in Orientation.objects.exclude(code=None)}

    def kind_of(**ends):
        return Succession.objects.get(**ends).kind

    assert kind_of(from_programme=catalogue["HA"], to_programme=catalogue["FS"]) == SuccessionKind.REPLACED
    assert kind_of(from_programme=catalogue["BA"], to_programme=catalogue["BA25"]) == SuccessionKind.CURRICULUM
    assert kind_of(from_programme=catalogue["HV"], to_programme=catalogue["FR25"]) == SuccessionKind.PARTIAL
    merged = [orientations["BAANL"], orientations["BAMAR"]]
    into = {step.to_orientation for step in Succession.objects.filter(from_orientation__in=merged)}
    assert into == {orientations["BAMAA"]}
    assert heirs_of(catalogue["HA"]) == {catalogue["FS25"]}


def test_the_key_of_statistics_follows_full_successions_and_no_others(catalogue):
    steps = Succession.objects.of_programmes().select_related("from_programme", "to_programme")

    for step in steps:
        is_one = step.from_programme.family == step.to_programme.family
        assert is_one is (step.kind in SuccessionKind.full()), step


def test_of_a_family_only_one_programme_is_begun_on_at_a_time(catalogue):
    families = {}
    for programme in catalogue.values():
        families.setdefault(programme.family, []).append(programme)

    for members in families.values():
        pairs = [(one, other) for one in members for other in members if one.pk < other.pk]
        assert not any(Programme.objects.filter(pk=one.pk, valid__overlap=other.valid).exists() for one, other in pairs)


def test_every_step_takes_place_when_what_follows_begins(catalogue):
    for step in Succession.objects.exclude(since=None):
        assert step.since == step.after.first_day, step


def test_orientations_follow_where_their_programmes_went(catalogue):
    """An orientation goes on in its own programme, in what that became, or in a programme of its own."""
    steps = Succession.objects.exclude(from_orientation=None).exclude(to_orientation=None)

    for step in steps.select_related("from_orientation__programme", "to_orientation__programme"):
        assert step.from_orientation.programme.family == step.to_orientation.programme.family, step
