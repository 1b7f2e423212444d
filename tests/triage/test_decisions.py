import pytest

from mailroom.triage import category, contact, danger
from mailroom.triage.matching import Hit, Kind, Meaning
from tests.triage.conftest import Read


def hits(*found: tuple[str, int]) -> list[Hit]:
    """Make category hits that stand apart: (category, weight)."""
    return [
        Hit(Meaning("category", target, weight), 10 * at, 10 * at + 1, f"word{at}")
        for at, (target, weight) in enumerate(found)
    ]


def test_one_strong_phrase_decides() -> None:
    finding = category.decide(hits(("doxing", 3)))
    assert (finding.value, finding.confidence, finding.source) == ("doxing", 0.5, "inferred")


def test_weak_phrases_only_support() -> None:
    assert category.decide(hits(("doxing", 2))).value == "unclassified"
    assert category.decide(hits(("doxing", 2), ("doxing", 1))).value == "doxing"


def test_a_close_second_leaves_it_undecided_and_shows_both() -> None:
    finding = category.decide(hits(("doxing", 5), ("stalking", 4)))
    assert (finding.value, finding.source) == ("unclassified", "unknown")
    assert finding.evidence == ("word0", "word1")


def test_a_clear_margin_decides() -> None:
    assert category.decide(hits(("doxing", 5), ("doxing", 1), ("stalking", 4))).value == "doxing"


def test_saying_it_twice_does_not_count_twice() -> None:
    twice = [Hit(Meaning("category", "doxing", 2), at, at + 1, "address") for at in (0, 10)]
    assert category.decide(twice).value == "unclassified"


def test_no_phrase_is_unclassified_without_evidence() -> None:
    finding = category.decide([])
    assert (finding.value, finding.confidence, finding.evidence) == ("unclassified", 0.0, ())


def test_what_is_possible_is_all_that_would_be_decided_alone() -> None:
    assert category.possible(hits(("doxing", 5), ("stalking", 3), ("defamation", 2))) == {"doxing", "stalking"}


def test_a_tie_is_as_severe_as_the_gravest_of_it(read: Read) -> None:
    tie = read("Someone posted my real name online. He sends death threats every day.")
    assert (tie.category.value, tie.severity) == ("unclassified", 5)
    assert read("Somebody insults me on the talk page every day.").severity == 2
    assert read("Thank you for what you are doing.").severity == 0


def one(kind: Kind, target: str, at: int, flag: str | None = None) -> Hit:
    return Hit(Meaning(kind, target, 1, flag), at, at + 1, f"word{at}")


def test_flags_are_sorted_and_carry_their_words() -> None:
    found = [one("danger", "minor", 0), one("category", "self_harm", 1, "imminent_danger"), one("danger", "minor", 2)]
    assert danger.flags(found) == (("imminent_danger", ("word1",)), ("minor", ("word0", "word2")))


@pytest.mark.parametrize(
    ("said", "wish"),
    [(["ok", "unsafe", "none"], "none"), (["ok", "unsafe"], "unsafe"), (["ok"], "ok"), ([], None)],
)
def test_the_most_cautious_wish_holds(said: list[str], wish: str | None) -> None:
    assert contact.preference([one("contact", target, 5 * at) for at, target in enumerate(said)])[0] == wish


@pytest.mark.parametrize(
    "text",
    [
        "He did not hit me yet but he has a knife.",
        "He is outside my house",
        "tengo miedo, está afuera de mi casa",
        "il a un couteau",
        "उसके पास चाकू है",
        "معه سكين",
        "ele tem uma faca",
        "I want to die",
        "quiero morir",
        "je veux mourir",
        "मैं मरना चाहती हूं",
        "أريد أن أموت",
        "quero morrer",
    ],
)
def test_danger_is_seen_in_every_language(text: str, read: Read) -> None:
    assert "imminent_danger" in read(text).flags


@pytest.mark.parametrize(
    "text",
    ["I am 15", "tengo 15 años", "j'ai 15 ans", "मैं 15 साल की हूं", "मैं १५ साल की हूं", "عمري ١٥ سنة", "tenho 15 anos"],
)
def test_a_minor_is_seen_in_every_language(text: str, read: Read) -> None:
    assert read(text).flags == ("minor",)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("Please do not reply", "none"),
        ("Please do not answer.", "none"),
        ("please don't answer", "none"),
        ("Do not write back.", "none"),
        ("They do not answer when I report them.", None),
        ("Please do not write to him about this.", None),
        ("Don't write back to this address", "none"),
        ("No me respondan a este correo", "none"),
        ("Ne me répondez pas", "none"),
        ("जवाब मत दीजिए", "none"),
        ("لا تردوا على هذه الرسالة", "none"),
        ("Não respondam", "none"),
        ("he reads my mail", "unsafe"),
        ("this mailbox is shared", "unsafe"),
        ("mi marido lee mi correo", "unsafe"),
        ("il lit mes mails", "unsafe"),
        ("वह मेरा ईमेल पढ़ता है", "unsafe"),
        ("زوجي يقرأ رسائلي", "unsafe"),
        ("ele lê meu email", "unsafe"),
        ("this address is safe", "ok"),
        ("They never reply to my mails. Please reply.", None),
        ("Admins do not reply to me.", None),
        ("I got no reply.", None),
        ("Nadie me responde.", None),
        ("Personne ne me répond.", None),
        ("Ninguém me responde.", None),
        ("कोई जवाब नहीं मिला", None),
        ("لا يرد علي أحد", None),
    ],
)
def test_wishes_about_contact_are_understood(text: str, wish: str | None, read: Read) -> None:
    assert read(text).contact == wish


@pytest.mark.parametrize(
    "text",
    [
        "I don't know if it is safe to reply.",
        "Is it safe to write to me?",
        "I hope this address is safe.",
        "I hope nobody else reads this.",
        "Tell me if you can reply to this.",
        "No sé si es seguro responder.",
        "No pueden escribirme a este correo.",
        "No sé si este correo es seguro",
        "Je ne sais pas si cette adresse est sûre.",
        "Dites-moi si vous pouvez me répondre.",
        "पता नहीं मेरा ईमेल सुरक्षित है या नहीं",
        "لا أعرف إذا كان البريد آمن",
        "لا يمكنكم الرد على هذا العنوان",
        "Não sei se este email é seguro.",
        "Não podem responder aqui.",
        "Please reply soon!",
        "Espero su respuesta",
    ],
)
def test_doubt_and_hope_are_never_taken_for_a_safe_address(text: str, read: Read) -> None:
    assert read(text).contact != "ok"


@pytest.mark.parametrize(
    "text",
    [
        "This address is safe.",
        "You can reply to me, nobody else has access.",
        "Pueden escribirme a este correo, solo yo lo leo.",
        "Vous pouvez me répondre ici, cette adresse est sûre.",
        "मेरा ईमेल सुरक्षित है",
        "يمكنكم الرد على هذا العنوان",
        "Podem responder para este endereço, só eu leio.",
    ],
)
def test_a_safe_address_is_understood_in_every_language(text: str, read: Read) -> None:
    assert read(text).contact == "ok"
