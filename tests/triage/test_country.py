import pytest

from mailroom.triage import country
from mailroom.triage.country import country_codes, country_name, country_names
from tests.triage.conftest import Read


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("I live in Kenya.", "KE"),
        ("i live in the united states", "US"),
        ("In my country Kenya this is not a crime.", "KE"),
        ("I am from Kenya but I live in Germany now.", "DE"),
        ("I live in Germany but I am from Kenya.", "DE"),
        ("I live in Kenya. Sorry, I live in Uganda, my family is in Kenya.", "UG"),
        ("Vivo en España", "ES"),
        ("j'habite aux États-Unis", "US"),
        ("je vis au Cameroun", "CM"),
        ("मैं भारत में रहती हूं", "IN"),
        ("أعيش في المغرب", "MA"),
        ("moro em Portugal", "PT"),
        ("I live in Côte d’Ivoire", "CI"),
        ("I live in Trinidad and Tobago", "TT"),
        ("I live in Burma", "MM"),
        ("I live in the UK", "GB"),
    ],
)
def test_what_is_said_outright_decides(text: str, code: str, read: Read) -> None:
    finding = read(text).country
    assert (finding.value, finding.source) == (code, "stated")
    assert finding.confidence >= 0.8


@pytest.mark.parametrize(
    "text",
    [
        "He lives in Kenya.",
        "I wrote an article about Kenya and Uganda.",
        "I don't live in Kenya.",
        "no vivo en Perú",
        "I live in fear",
        "I live in Georgia",
        "vivo en Granada",
        "Kenya",
    ],
)
def test_places_without_a_statement_never_decide(text: str, read: Read) -> None:
    assert read(text).country.value is None


def test_address_alone_only_suggests(read: Read) -> None:
    finding = read("Somebody follows me.", sender="a@mail.example.ke").country
    assert finding.value is None
    assert 0 < finding.confidence < 0.8
    assert finding.evidence == ("the ending of the address",)


def test_two_signs_of_one_country_decide_together(read: Read) -> None:
    finding = read("The police in Kenya did nothing.", sender="a@mail.example.ke").country
    assert (finding.value, finding.source) == ("KE", "inferred")


def test_signs_of_two_countries_decide_nothing(read: Read) -> None:
    assert read("The police in Kenya did nothing.", sender="a@mail.example.in").country.value is None
    both = "The police in Kenya did nothing. My lawyer in Kenya too."
    assert read(both).country.value == "KE"
    assert read(both, sender="a@mail.example.in").country.value is None


def test_what_is_said_outright_beats_the_address(read: Read) -> None:
    assert read("I live in Kenya.", sender="a@mail.example.in").country.value == "KE"


@pytest.mark.parametrize("sender", ["a@example.io", "a@example.co", "a@example.org", "a@localhost", None, ""])
def test_addresses_that_say_nothing_suggest_nothing(sender: str | None, read: Read) -> None:
    assert read("Somebody follows me.", sender=sender).country.evidence == ()


def test_mail_services_used_everywhere_suggest_nothing(read: Read) -> None:
    for domain in country._MAIL_SERVICES:
        assert read("Somebody follows me.", sender=f"a@{domain}").country.evidence == ()


def test_uk_addresses_mean_gb(read: Read) -> None:
    assert read("The police in England did nothing.", sender="a@example.uk").country.value == "GB"


def test_codes_are_those_of_iso_3166() -> None:
    codes = country_codes()
    assert len(codes) == 249
    assert not codes & {"EU", "UN", "XK", "ZZ"}


def test_unknown_languages_have_no_country_names() -> None:
    with pytest.raises(ValueError, match="no country names"):
        next(country_names("xx"))


def test_a_country_is_named_in_the_language_of_the_reader() -> None:
    assert [country_name("DE", language) for language in ("en", "es", "pt-BR", "xx")] == [
        "Germany",
        "Alemania",
        "Alemanha",
        "Germany",
    ]
