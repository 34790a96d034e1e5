import inspect

import keras
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from siatl_keras.text import TextNormalizer
from siatl_keras.text.text_normalizer import SWITCHES

DEFAULT = TextNormalizer()


def normalized(text, **switches):
    normalizer = TextNormalizer(**switches) if switches else DEFAULT
    return normalizer(text).numpy().decode()


# One row: the raw text, and the words it becomes.
RULES = {
    "html_entities": [
        ("Salt &amp; pepper &gt; sugar", "salt & pepper > sugar"),
        ("twice &amp;quot;escaped&amp;quot;", 'twice " escaped "'),
        ("caf&eacute; &#128514;&#65;", "café 😂 a"),
        ("&#55357; &#9999999; &#0;!", "� � !"),
        ("&unknown; &#12", "& unknown ; & # <number>"),
    ],
    "nfkc": [
        ("ｆｕｌｌ ﬁt", "full fit"),
        ("cafe\u0301", "café"),
        ("wait…", "wait . <repeated>"),
    ],
    "unicode quotes and invisible characters": [
        ("don’t “go”", 'don\'t " go "'),
        ("in\u200bvis\u00adible\u202e", "invisible"),
    ],
    "urls": [
        ("see https://example.org/a?b=c#d.", "see <url> ."),
        ("(www.example.net) HTTP://EXAMPLE.COM/X", "( <url> ) <url>"),
        ("bit.ly/2abcD or example.com!", "<url> or <url> !"),
        ("cut off at http", "cut off at <url>"),
        ("end.Start etc.", "end . start etc ."),
    ],
    "emails": [("write to first.last+tag@mail.example.co.uk", "write to <email>")],
    "users": [
        ("thanks @some_body1!", "thanks <user> !"),
        ("meet @ noon, a@b", "meet @ noon , a @ b"),
    ],
    "hashtags": [
        ("#NotFunny", "<hashtag> not funny </hashtag>"),
        ("#snake_case", "<hashtag> snake case </hashtag>"),
        ("#NYCMarathon", "<hashtag> nyc marathon </hashtag>"),
        ("#Top10", "<hashtag> top <number> </hashtag>"),
        ("#Äpfel", "<hashtag> äpfel </hashtag>"),
        ("#1 in C#", "# <number> in c #"),
    ],
    "money": [
        ("$5 and €3,000.50 and £2m", "<money> and <money> and <money>"),
        ("20 euros, 15 USD", "<money> , <money>"),
    ],
    "percentages": [("3.5% or 100 %", "<percent> or <percent>")],
    "phones": [
        ("call 555-123-4567", "call <phone>"),
        ("call (555) 123-4567 or +4915112345678", "call <phone> or <phone>"),
    ],
    "dates": [
        ("on 8/21/82 or 2019-01-02", "on <date> or <date>"),
        ("May 4th, 2019 or 3 of july", "<date> or <date>"),
    ],
    "times": [("9:30 17:45:10 5 pm", "<time> <time> <time>")],
    "numbers": [("1,000 of 3", "<number> of <number>"), ("2nd 4k", "2nd 4k")],
    "elongated": [
        ("soooo goood", "so <elongated> good <elongated>"),
        ("Helllo nooooo", "hello <elongated> no <elongated>"),
        ("good feet", "good feet"),
    ],
    "repeated": [
        ("what?!?! yes!!!", "what ! <repeated> yes ! <repeated>"),
        ("hm... -- ((", "hm . <repeated> - <repeated> ( <repeated>"),
    ],
    "allcaps": [
        ("I am SO SAD today", "i am <allcaps> so sad </allcaps> today"),
        ("À L'ÉCOLE, DÉJÀ: OH WOW", "à l'école , déjà : <allcaps> oh wow </allcaps>"),
        ("RT XD I", "rt xd i"),
    ],
    "emoticons": [
        ("fine :-) <3 </3 ^_^", "fine :-) <3 </3 ^_^"),
        ("ok:) \\o/ o_O", "ok :) \\o/ o_o"),
        ("(as he said): no", "( as he said ) : no"),
    ],
    "emoji": [
        ("hot🔥🔥", "hot 🔥 🔥"),
        ("👍🏽 ❤️", "👍 ❤"),
        ("👩‍👩‍👧🇩🇪", "👩‍👩‍👧 🇩🇪"),
    ],
    "split_contractions": [("I don't, it's", "i don't , it's")],
    "lowercase": [("Über Éire Straße Ωmega", "über éire straße ωmega")],
    "words": [
        ("rock'n'roll, u.s. d**n", "rock'n'roll , u.s. d**n"),
        ("(a)b/c", "( a ) b / c"),
        ("日本語 שלום", "日本語 שלום"),
        ("", ""),
        (" \t\r\n\u2028\u3000 ", ""),
    ],
}


@pytest.mark.parametrize(
    ("text", "words"), [pair for pairs in RULES.values() for pair in pairs]
)
def test_default_rules_by_example(text, words):
    assert normalized(text) == words


# One row a switch: a text that it concerns, and its words with the switch turned over.
TURNED = {
    "html_entities": ("salt &amp; pepper", "salt & amp ; pepper"),
    "nfkc": ("ｆｕｌｌ ﬁt", "ｆｕｌｌ ﬁt"),
    "urls": ("see bit.ly/abc now", "see bit . ly / abc now"),
    "emails": ("me@example.xyz", "me @ example . xyz"),
    "users": ("hi @bob", "hi @ bob"),
    "hashtags": ("#NotFunny", "# notfunny"),
    "money": ("$5", "$ <number>"),
    "percentages": ("3.5%", "<number> %"),
    "phones": ("555-123-4567", "<number> - <number> - <number>"),
    "dates": ("8/21/82", "<number> / <number> / <number>"),
    "times": ("at 9:30", "at <number> : <number>"),
    "numbers": ("1,000 of 3.5", "1,000 of 3.5"),
    "elongated": ("soooo", "soooo"),
    "repeated": ("what?!", "what ? !"),
    "allcaps": ("SO SAD", "so sad"),
    "emoticons": ("ok :-) <3", "ok : - ) < <number>"),
    "emoji": ("🇩🇪👍🏽", "🇩 🇪 👍 🏽"),
    "split_contractions": (
        "I don't, it's we'll CAN'T",
        "i do n't , it 's we 'll <allcaps> ca n't </allcaps>",
    ),
    "lowercase": ("Über SO #NotFunny", "Über SO <hashtag> Not Funny </hashtag>"),
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_each_switch_changes_its_rule_alone(switch):
    text, words = TURNED[switch]
    switches = {switch: not SWITCHES[switch]}
    if switch == "lowercase":  # <allcaps> is another rule's doing
        switches["allcaps"] = False
    assert normalized(text, **switches) == words
    assert normalized(text) != words


def test_every_switch_is_documented():
    for switch in SWITCHES:
        assert f"\n    {switch}: " in inspect.cleandoc(TextNormalizer.__doc__)


def test_with_all_switches_off_words_and_symbols_are_only_separated():
    off = dict.fromkeys(SWITCHES, False)
    assert normalized("Hi @bob, SOOO good!! 3.5% :)", **off) == (
        "Hi @ bob , SOOO good ! ! 3.5 % : )"
    )


SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "<url>", "<user>", "</hashtag>", "<number>"]
DISGUISES = [
    lambda tag: tag,
    str.upper,
    lambda tag: tag.replace("<", "&lt;").replace(">", "&gt;"),
    lambda tag: tag.replace("<", "&amp;lt;").replace(">", "&amp;gt;"),
    lambda tag: tag.replace("<", "&#60;").replace(">", "&#62;"),
    lambda tag: tag.replace("<", "＜").replace(">", "＞"),
    lambda tag: tag.replace("</", "\x04").replace("<", "\x02").replace(">", "\x03"),
    lambda tag: tag.replace("<", "&#2;").replace(">", "&#3;"),
    lambda tag: tag.replace("<", "<\u200b").replace(">", "\u200d>"),
    lambda tag: f"x{tag}#{tag}",
]


@pytest.mark.parametrize("disguise", range(len(DISGUISES)))
@pytest.mark.parametrize("tag", SPECIAL)
def test_a_typed_tag_never_becomes_a_special_token(tag, disguise):
    words = normalized(DISGUISES[disguise](tag)).split()
    assert tag not in words
    assert tag not in normalized(DISGUISES[disguise](tag), lowercase=False).split()


def test_marker_characters_in_raw_text_are_spaces():
    assert normalized("\x0fabc\x0f &#65;") == "abc a"
    assert normalized("a\x02b\x03c\x04d\x05e\x06f\x0eg") == "a b c d e f g"


def test_invalid_utf8_becomes_the_replacement_character():
    assert DEFAULT(b"ok \xff\xfe #A").numpy().decode() == (
        "ok � � <hashtag> a </hashtag>"
    )


def test_shapes_are_kept():
    assert DEFAULT("A b").shape == ()
    assert DEFAULT([]).shape == (0,)
    assert DEFAULT([["A!", "b"], ["", "C"]]).numpy().tolist() == [
        [b"a !", b"b"],
        [b"", b"c"],
    ]
    ragged = DEFAULT(tf.ragged.constant([["A!"], [], ["b", "C"]]))
    assert ragged.to_list() == [[b"a !"], [], [b"b", b"c"]]


def test_unknown_switches_are_named():
    with pytest.raises(ValueError, match="no switch `hashtag`.*hashtags"):
        TextNormalizer(hashtag=False)
    with pytest.raises(ValueError, match="`urls` must be True or False. .*'no'"):
        TextNormalizer(urls="no")


def test_config_round_trip_keeps_the_switches():
    normalizer = TextNormalizer(urls=False, split_contractions=True)
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(normalizer)
    )
    assert copy.get_config() == normalizer.get_config()
    assert copy("don't www.x.com").numpy() == normalizer("don't www.x.com").numpy()


# Fragments that rules look for, between any characters.
fragments = st.sampled_from(
    ["&amp;", "&#", ";", "#", "@", "http://", ".com", "'", "\x0f", "\x02", "3", ":)"]
    + ["<", ">", "aaa", "SO ", "!!", "\u200d", "\ufe0f", "$", "%", "_", "İ", "May 4"]
)
raw_texts = st.lists(st.one_of(st.text(max_size=8), fragments), max_size=12).map(
    "".join
)
switch_settings = st.fixed_dictionaries({name: st.booleans() for name in SWITCHES})


@settings(max_examples=40, deadline=None)
@given(st.lists(raw_texts, min_size=1, max_size=8), switch_settings)
def test_words_of_any_text_are_separated_by_single_spaces(texts, switches):
    for text in TextNormalizer(**switches)(texts).numpy():
        words = text.decode()
        assert words == " ".join(words.split())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(raw_texts, st.binary(max_size=20)), min_size=2, max_size=6))
def test_a_text_is_normalised_the_same_in_any_company(texts):
    texts = [t.encode() if isinstance(t, str) else t for t in texts]
    together = DEFAULT(texts).numpy().tolist()
    assert together == [DEFAULT(text).numpy() for text in texts]
