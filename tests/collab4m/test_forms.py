"""The one form renderer: labels, hints, errors and the summary, as a screen reader meets them."""

from django import forms
from django.template import Context, Template
from django.test import SimpleTestCase
from django.utils import translation

from collab4m.forms import WrittenDateField


class Order(forms.Form):
    places = forms.IntegerField(
        label="Antal platser per år",
        help_text="För elever från Enköping",
        error_messages={"invalid": "Skriv antal platser med siffror, till exempel 12"},
    )
    first_day = forms.DateField(label="Första dag", required=False)
    price = forms.ChoiceField(label="Hur bestäms priset?", choices=[("own", "Självkostnad")], widget=forms.RadioSelect)
    sure = forms.BooleanField(label="Jag är säker")
    token = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean(self):
        if self.data.get("first_day"):
            raise forms.ValidationError("Platserna räcker inte. Välj färre")


def drawn(template: str, form: forms.Form) -> str:
    with translation.override("sv"):
        return " ".join(Template(template).render(Context({"form": form})).split())


class TestFields(SimpleTestCase):
    def test_field_has_label_hint_and_description(self):
        self.assertInHTML(
            '<div class="ds-field"><label for="id_places">Antal platser per år</label>'
            '<div data-field="description" id="id_places_helptext">För elever från Enköping</div>'
            '<input type="number" name="places" required aria-describedby="id_places_helptext" class="ds-input w-s" '
            'id="id_places"></div>',
            drawn("{{ form }}", Order()),
        )

    def test_optional_field_says_so_and_a_day_is_typed_with_figures(self):
        self.assertInHTML(
            '<div class="ds-field"><label for="id_first_day">Första dag '
            '<span class="c-soft">(frivilligt)</span></label>'
            '<input type="text" name="first_day" class="ds-input w-s" inputmode="numeric" autocomplete="off" '
            'id="id_first_day"></div>',
            drawn("{{ form }}", Order()),
        )

    def test_choices_stand_in_a_fieldset_with_a_legend(self):
        self.assertInHTML(
            '<fieldset class="c-set"><legend class="small">Hur bestäms priset?</legend>'
            '<div id="id_price" class="c-choice">'
            '<label><input type="radio" name="price" value="own" required class="ds-input" id="id_price_0">'
            "<span>Självkostnad</span></label></div></fieldset>",
            drawn("{{ form }}", Order()),
        )

    def test_single_box_has_its_label_behind_it(self):
        self.assertInHTML(
            '<div class="c-choice"><label><input type="checkbox" name="sure" required class="ds-input" id="id_sure">'
            "<span>Jag är säker</span></label></div>",
            drawn("{{ form }}", Order()),
        )

    def test_wrong_field_keeps_what_was_typed_and_is_described_by_hint_and_error(self):
        self.assertInHTML(
            '<div class="ds-field c-err"><label for="id_places">Antal platser per år</label>'
            '<div data-field="description" id="id_places_helptext">För elever från Enköping</div>'
            '<input type="number" name="places" value="tolv" required aria-invalid="true" class="ds-input w-s" '
            'aria-describedby="id_places_helptext id_places_error" id="id_places">'
            '<p class="ds-validation-message" id="id_places_error">Skriv antal platser med siffror, till exempel 12</p>'
            "</div>",
            drawn("{{ form }}", Order({"places": "tolv"})),
        )


class Place(forms.Form):
    latitude = forms.DecimalField(label="Latitud", max_digits=8, decimal_places=5)
    minutes = forms.IntegerField(label="Minuter", min_value=0, max_value=600)
    school = forms.ChoiceField(label="Skola", choices=[("1", "Westerlundska")])
    email = forms.EmailField(label="E-post")
    name = forms.CharField(label="Namn", max_length=5)
    day = WrittenDateField(label="Dag")


class TestAdvice(SimpleTestCase):
    def said(self, **data: str) -> list[str]:
        with translation.override("sv"):
            form = Place(data)
            return [text for name in data for text in form[name].errors]

    def test_djangos_sentences_are_replaced_by_what_to_do(self):
        assert self.said(latitude="59.123456789", minutes="700", school="9", email="anna", name="Annika") == [
            "Skriv ett tal med högst 3 siffror före kommat och 5 efter.",
            "Skriv ett tal från 0 till 600.",
            "Välj ett svar på ”Skola”",
            "Skriv hela e-postadressen, till exempel namn@kommun.se.",
            "Korta ”Namn” till 5 tecken. Nu är det 6.",
        ]
        assert self.said(minutes="tolv") == ["Skriv ”Minuter” med siffror, till exempel 12."]

    def test_day_that_can_be_read_two_ways_is_refused_in_words(self):
        for day in ("03/04/2026", "1/9 2026", "i morgon"):
            assert self.said(day=day) == ["Skriv dagen som år-månad-dag, till exempel 2027-06-30."]


class TestSummary(SimpleTestCase):
    def test_summary_counts_in_words_and_leads_to_every_field(self):
        form = Order({"places": "tolv", "first_day": "2026-12-13"})

        self.assertHTMLEqual(
            '<div class="c-errors" role="alert" tabindex="-1" data-take-focus>'
            "<h2>Fyra uppgifter behöver rättas</h2><ul>"
            '<li><a href="#id_places">Platserna räcker inte. Välj färre</a></li>'
            '<li><a href="#id_places">Skriv antal platser med siffror, till exempel 12</a></li>'
            '<li><a href="#id_price_0">Välj ett svar på ”Hur bestäms priset?”</a></li>'
            '<li><a href="#id_sure">Kryssa i ”Jag är säker”</a></li></ul></div>',
            drawn("{% errors form %}", form),
        )

    def test_form_that_was_not_sent_has_no_summary_and_no_prefix(self):
        assert drawn("{% errors form %}{% error_prefix %}", Order()) == ""

    def test_title_begins_with_the_error(self):
        assert drawn("{% error_prefix %}", Order({})) == "Fel:"
