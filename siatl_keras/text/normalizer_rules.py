r"""The rules of `TextNormalizer`, one row each, in the order they are applied.

What is recognised follows the ekphrasis library (Baziotis et al. 2017), the paper's
preprocessing, rewritten for RE2, which has neither look-around nor back-references.

Control characters are removed from the text first, so a few of them serve as markers
that nobody can type: `OPEN` user `CLOSE` is shown as `<user>` in the very last step. A
`<user>` or `<pad>` that somebody typed is three tokens: `<`, `user`, `>`.
"""

import dataclasses

OPEN, CLOSE, OPEN_END = "\x02", "\x03", "\x04"  # shown as <, > and </
ELONGATED = "\x05"  # behind a shortened run; moved to the end of its word
APOSTROPHE = "\x06"  # an apostrophe that begins a split-off "'m", "'re", …
HEART = "\x0e"  # the 3 of <3, which is no number
HASHTAG = "\x0f"  # around the words of a hashtag, before they are split
JOINED = "_\x10_"  # around a letter that RE2's \b takes for a mark, being ASCII only


@dataclasses.dataclass(frozen=True)
class Rule:
    """One replacement: an RE2 pattern, what to write, and which switch turns it on.

    Args:
        name: what the rule is about.
        pattern: RE2 pattern.
        replacement: RE2 rewrite string.
        switch: the `TextNormalizer` argument that turns it on; `None` for always.
        needs: RE2 pattern without which no text can match; texts that lack it are not
            searched. Neighbours with the same one are searched for it once.
    """

    name: str
    pattern: str
    replacement: str
    switch: str | None
    needs: str | None = None


def tag(name: str) -> str:
    """Returns `<name>` in its marked form, as a word of its own."""
    return f" {OPEN}{name}{CLOSE} "


def end_tag(name: str) -> str:
    """Returns `</name>` in its marked form, as a word of its own."""
    return f" {OPEN_END}{name}{CLOSE} "


def _entity(names: str, character: str) -> Rule:
    return Rule("entity", f"&(?:{names});", character, "html_entities", "&")


# `&amp;` first: many sources escaped twice (`&amp;lt;`). Decimal entities that are not
# listed are decoded by number, hexadecimal ones only where listed.
ENTITIES = (
    _entity("amp|AMP|#x26", "&"),
    _entity("quot|QUOT|ldquo|rdquo|bdquo|laquo|raquo|#x22", '"'),
    _entity("apos|lsquo|rsquo|sbquo|#x27|#x2019", "'"),
    _entity("nbsp|ensp|emsp|thinsp|#xA0", " "),
    _entity("lt|LT|#x3C", "<"),
    _entity("gt|GT|#x3E", ">"),
    _entity("hellip|#x2026", "..."),
    _entity("ndash|mdash|minus|shy|#x2013|#x2014", "-"),
    _entity("frasl|#x2F", "/"),
    _entity("bull|middot", "·"),
    _entity("hearts", "♥"),
    _entity("copy|COPY", "©"),
    _entity("reg|REG", "®"),
    _entity("trade", "™"),
    _entity("deg", "°"),
    _entity("euro", "€"),
    _entity("pound", "£"),
    _entity("yen", "¥"),
    _entity("cent", "¢"),
    _entity("times", "×"),
    _entity("eacute", "é"),
    _entity("Eacute", "É"),
    _entity("ntilde", "ñ"),
    _entity("ouml", "ö"),
    _entity("uuml", "ü"),
    _entity("auml", "ä"),
    _entity("szlig", "ß"),
)

# For texts that are not plain ASCII, before NFKC (which would turn ´ into a space).
UNICODE = (
    Rule("single quotes", "[‘’‚‛ʼ´＇′]", "'", None),
    Rule("double quotes", "[“”„‟«»″]", '"', None),
    # Invisible characters: soft hyphen, zero-width space, direction marks, word joiner.
    Rule(
        "invisible",
        r"[\x{ad}\x{200b}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2069}\x{feff}]",
        "",
        None,
    ),
    # Skin tones, presentation selectors and key caps: 👍🏽 and 👍 are one word.
    Rule(
        "emoji variants",
        r"[\x{fe0e}\x{fe0f}\x{20e3}\x{1f3fb}-\x{1f3ff}]",
        "",
        "emoji",
    ),
)

# Every space and control character becomes a space; markers cannot be smuggled in.
SPACES = Rule(
    "spaces",
    r"[\x00-\x1f\x7f-\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}"
    r"\x{205f}\x{3000}]",
    " ",
    None,
)

_WEB = r"(?i:\.(?:com|net|org|edu|gov|info|biz|[a-z]{2}/))"
_URL_END = r"[^\s<>\".,:;!?'…)\]}*]"
_DOMAIN = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?"
    r"|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_NUMBER = r"\d+(?:[.,]\d+)*"

SOCIAL = (
    Rule(
        "url",
        rf"(?i)(?:https?:/|\bwww\.)[^\s<>\"]*{_URL_END}|\bhttps?\b[:/]*",
        tag("url"),
        "urls",
    ),
    Rule(
        "e-mail",
        r"[\w.+-]*\w@[\w-]+(?:\.[\w-]+)*\.[a-zA-Z]{2,}\b",
        tag("email"),
        "emails",
        "@",
    ),
    Rule("user", r"\B@\w+", tag("user"), "users", "@"),
    Rule(
        "bare domain",
        rf"(?i)\b{_DOMAIN}(?:(?:com|net|org|edu|gov)\b(?:/(?:[^\s<>\"]*{_URL_END})?)?"
        rf"|(?:[a-z]{{2}}|info|biz)/[^\s<>\"]*{_URL_END})",
        tag("url"),
        "urls",
        _WEB,
    ),
)

# Letters only: `#1` is a number, and `C#` no hashtag.
HASHTAGS = Rule(
    "hashtag",
    r"#([\pN_]*\pL[\pL\pM\pN_]*)",
    rf"{HASHTAG}\1{HASHTAG}",
    "hashtags",
)
HASHTAG_WORDS = (
    Rule("underscore", r"_+", " ", "hashtags"),
    Rule("aB", r"(\p{Ll})(\p{Lu})", r"\1 \2", "hashtags"),
    Rule("ABCd", r"(\p{Lu}+)(\p{Lu}\p{Ll})", r"\1 \2", "hashtags"),
    Rule("digits", r"\pN+", r" \0 ", "hashtags"),
)

NUMBERS = (
    Rule("heart", r"<(/?)3+\b", rf" <\1{HEART} ", "emoticons", r"\d"),
    Rule(
        "money",
        rf"(?i)[$£€¥]\s?{_NUMBER}\s?(?:k|m|b|bn|mn|mil|thousand|million|billion"
        rf"|trillion)?\b|\b{_NUMBER}\s?(?:[€£¥]|(?:usd|eur|gbp|dollars?|euros?|bucks"
        r"|cents?)\b)",
        tag("money"),
        "money",
        r"\d",
    ),
    Rule("percentage", rf"\b{_NUMBER}\s?%", tag("percent"), "percentages", r"\d"),
    Rule(
        "phone",
        r"(?:\+?\b\d{1,3}[ .-]?)?(?:\(\d{3}\) ?|\b\d{3}[ .-])\d{3}[ .-]\d{4}\b"
        r"|\+\d{8,15}\b",
        tag("phone"),
        "phones",
        r"\d",
    ),
    Rule(
        "date",
        r"(?i)\b\d{1,2}([/.-])\d{1,2}[/.-](?:\d{4}|\d{2})\b"
        r"|\b(?:19|20)\d\d[/.-]\d{1,2}[/.-]\d{1,2}\b"
        rf"|\b{_MONTH}\.?\s{_DAY}(?:,?\s(?:19|20)\d\d)?\b"
        rf"|\b{_DAY}\s(?:of\s)?{_MONTH}\b(?:,?\s(?:19|20)\d\d\b)?",
        tag("date"),
        "dates",
        r"\d",
    ),
    Rule(
        "time",
        r"(?i)\b\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?m\b)?|\b\d{1,2}\s?[ap]\.?m\b",
        tag("time"),
        "times",
        r"\d",
    ),
    Rule("number", rf"\b{_NUMBER}\b", tag("number"), "numbers", r"\d"),
)


_RUN = "(?i:" + "|".join(3 * letter for letter in "abcdefghijklmnopqrstuvwxyz") + ")"


def _shorten(letters: str) -> Rule:
    runs = "|".join(f"({letter}){letter}{letter}+" for letter in letters)
    groups = "".join(rf"\{index + 1}" for index in range(len(letters)))
    return Rule(
        f"runs of {letters}", f"(?i){runs}", groups + ELONGATED, "elongated", _RUN
    )


# Which letters stay doubled ("helllo" → "hello", but "sooo" → "so") was counted over
# the elongated words of 500 000 tweets: the more frequent of the two spellings won.
ELONGATIONS = (
    Rule(
        "runs that stay doubled",
        r"(?i)(ll)l+|(?:(pp)p+|(tt)t+|(mm)m+)([aeiouylrs])|(oo)o+([dkln])|(hmm)m+",
        r"\1\2\3\4\5\6\7\8" + ELONGATED,
        "elongated",
        _RUN,
    ),
    _shorten("abcdefghi"),
    _shorten("jklmnopqr"),
    _shorten("stuvwxyz"),
    Rule(
        "to the end of the word",
        rf"{ELONGATED}([\pL'{ELONGATED}]*)",
        rf"\1{ELONGATED}",
        "elongated",
        _RUN,
    ),
    Rule("tag", f"{ELONGATED}+", tag("elongated"), "elongated", _RUN),
)

_REPEATED = r"[!?.]{2}|--|~~|==|\)\)|\(\(|,,|//|>>|<<"
_CAPITALS = "[A-Z]{2}"
STYLE = (
    # A mixed run keeps its last mark ("?!?!" → "! <repeated>"), as in ekphrasis.
    Rule(
        "repeated marks",
        r"([!?.]){2,}",
        rf"\1{tag('repeated')}",
        "repeated",
        _REPEATED,
    ),
    Rule(
        "repeated symbols",
        r"(-)-+|(~)~+|(=)=+|(\))\)+|(\()\(+|(,),+|(/)/+|(>)>+|(<)<+",
        rf"\1\2\3\4\5\6\7\8\9{tag('repeated')}",
        "repeated",
        _REPEATED,
    ),
    # Capitals by habit, not by emphasis.
    Rule("retweet", r"\bRT\b", "rt", "allcaps", _CAPITALS),
    Rule("laughing face", r"\bXD\b", "xD", "allcaps", _CAPITALS),
    Rule("join", r"[^\x00-\x7f\PL]", rf"{JOINED}\0{JOINED}", "allcaps", _CAPITALS),
    Rule(
        "all caps",
        r"\b[A-Z]{2,}(?:[ '][A-Z]+)*\b",
        rf"{tag('allcaps')}\0{end_tag('allcaps')}",
        "allcaps",
        _CAPITALS,
    ),
    Rule("separate", JOINED, "", "allcaps", _CAPITALS),
    Rule("n't", r"(?i)(\pL)(n't)\b", r"\1 \2", "split_contractions", "'"),
    Rule(
        "contraction",
        r"(?i)(\pL)'(s|m|d|ll|re|ve)\b",
        rf"\1 {APOSTROPHE}\2",
        "split_contractions",
        "'",
    ),
)

# Western emoticons, with or without nose and tear; a longer mouth was shortened above.
EMOTICONS = (
    r"[>}]?[:;=]['\"]?[-^~]?[)(\]\[|\\/*@]",  # :) ;-( :'( >:( =/ :* :|
    r"[:;=]-?[DPpOo]\b",  # :D ;P :-o
    r":-?[SsXx<>{}]\b",
    r"\([-^']?[:;=]",  # (: (-;
    r"\B\)[-^']?[:;=]",  # ): but not "(as he said):"
    rf"</?{HEART}",  # <3 </3
    r"\^[_.]*\^|-[_.]+-|>[_.]+<|;_+;",  # ^_^ -_- >.<
    r"\b[oO][_.]+[oO]\b|\b[tT]_+[tT]\b",  # o_O T_T
    r"\\[oOmM]/",  # \o/ \m/
    r"\bD:(?:\s|$)",  # D:
)

_SYMBOL = r"[^\pL\pM\pN\s\x00-\x1f\x{200c}\x{200d}]"
# What stands alone among spaces, in order of preference. Words need no mention.
TOKENS = (
    r"[\pL\pM\pN]+(?:'[\pL\pM\pN]+)+",  # don't, rock'n'roll
    r"\b(?:[a-zA-Z]\.){2,}",  # u.s.
    r"\b\d+(?:[.,:]\d+)+\b",  # 1.49, where numbers are kept
    r"[a-zA-Z]+\*+[a-zA-Z]+",  # d**n
    r"_+|\*+",
)
EMOJI = (
    r"[\x{1f1e6}-\x{1f1ff}]{2}",  # flags
    rf"{_SYMBOL}(?:\x{{200d}}{_SYMBOL})+",  # families, professions
)
SYMBOL = _SYMBOL

RESTORE = (
    Rule("<", OPEN, "<", None),
    Rule("</", OPEN_END, "</", None),
    Rule(">", CLOSE, ">", None),
    Rule("'", APOSTROPHE, "'", "split_contractions"),
    Rule("3", HEART, "3", "emoticons"),
)
