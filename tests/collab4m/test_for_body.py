"""For whom one acts is asked only when there is a choice."""

from collab4m.forms import ForBody


def test_for_body_asks_only_when_there_is_a_choice(home, neighbour):
    single = ForBody({}, bodies=[home])
    undecided = ForBody({}, bodies=[home, neighbour])
    decided = ForBody({"on_behalf_of": neighbour.pk}, bodies=[home, neighbour])

    assert single.is_valid()
    assert ("on_behalf_of" in single.fields, single.body) == (False, home)
    assert not undecided.is_valid()
    assert decided.is_valid()
    assert decided.body == neighbour


def test_for_body_refuses_a_body_one_does_not_work_for(home, neighbour, elsewhere):
    assert not ForBody({"on_behalf_of": elsewhere.pk}, bodies=[home, neighbour]).is_valid()
