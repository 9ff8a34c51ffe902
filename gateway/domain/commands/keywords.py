"""Keywords: words with which people stop or resume messages or ask for help, in the languages of our audience.

Only a whole message counts as a keyword: "stop by tomorrow" is none. Case, ё and all that is neither letter nor digit
(quotes, brackets, emoji, spaces) do not matter, nor does it how often the same is said: "STOP STOP".

The English words are those that US carriers, Twilio and AWS obey, and the ways to ask for it that nothing else is
said by. Words that people answer to other questions are missing: YES, though Twilio takes it for START, and "enough" or
"halt" in any language. Spanish BAJA stays, although it also means "low": no provider prescribes a Spanish word, and it
is the one that senders in Spain and Latin America tell people to answer with (baja: the leaving of a list). ALTA, its
opposite, starts nothing, as nobody is told to answer it. Twilio docs: opt-out keywords; AWS End User Messaging:
required opt-out keywords; CTIA Messaging Principles, 5.1.3.
"""

import re
import unicodedata
from functools import lru_cache

STOP: dict[str, tuple[str, ...]] = {
    "en": (
        *("stop", "stop all", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "opt out", "optout"),
        *("no more", "remove", "remove me", "unsubscribe me", "stop messaging me", "stop texting me"),
        *("please stop", "stop please", "please unsubscribe", "please unsubscribe me", "unsubscribe me please"),
    ),
    "ru": (
        *("стоп", "отписаться", "отписка", "отписать", "отписать меня", "отпиши", "отпиши меня", "отпишись"),
        *("отпишите", "отпишите меня", "отпишите пожалуйста", "пожалуйста отпишите", "отменить подписку"),
        *("не писать", "не пиши", "не пиши мне", "не пишите", "не пишите мне", "больше не пишите"),
        "больше не пишите мне",
    ),
    "uk": ("стоп", "відписатися", "відписка", "відписати", "відпишіть", "не пишіть", "не пишіть мені"),
    "kk": ("тоқта", "тоқтату", "жазылымнан бас тарту"),
    "be": ("спыніць", "адпісацца"),
    "de": ("stopp", "abmelden", "abbestellen", "kündigen"),
    "es": ("parar", "baja", "cancelar", "cancelar suscripcion"),
    "fr": ("arret", "arrêt", "arrete", "arrête", "arrett", "desabonner", "désabonner", "me désabonner"),
    "pl": ("rezygnuję", "wypisz", "zatrzymaj"),
    "tr": ("dur", "iptal", "abonelikten çık"),
}
START: dict[str, tuple[str, ...]] = {
    "en": ("start", "unstop", "resume", "subscribe", "opt in"),
    "ru": ("старт", "начать", "подписаться", "возобновить"),
    "uk": ("почати", "підписатися"),
    "kk": ("бастау", "жазылу"),
    "de": ("anmelden", "abonnieren"),
    "es": ("iniciar", "suscribirse"),
    "fr": ("commencer", "abonner"),
}
HELP: dict[str, tuple[str, ...]] = {
    "en": ("help", "info"),
    "ru": ("помощь", "справка"),
    "uk": ("допомога",),
    "kk": ("көмек",),
    "be": ("дапамога",),
    "de": ("hilfe",),
    "es": ("ayuda",),
    "fr": ("aide",),
    "pl": ("pomoc",),
    "tr": ("yardım",),
}
GOODBYE = {
    "en": "You will get no more notifications here. Write /start to have them again.",
    "ru": "Больше не будем присылать вам уведомления. Чтобы вернуть их, напишите /start.",
    "uk": "Більше не надсилатимемо вам сповіщень. Щоб повернути їх, напишіть /start.",
    "kk": "Сізге енді хабарлама жібермейміз. Қайта алу үшін /start деп жазыңыз.",
    "de": "Sie bekommen hier keine Nachrichten mehr. Mit /start bekommen Sie sie wieder.",
    "es": "Ya no recibirá notificaciones aquí. Escriba /start para volver a recibirlas.",
    "fr": "Vous ne recevrez plus de notifications ici. Écrivez /start pour les recevoir à nouveau.",
}


ALIKE = str.maketrans({"ё": "е", "ı": "i", "\u0307": None})
"""Letters that people use for each other, and the combining dot that casefolding leaves of a Turkish capital İ."""


MOST = 500
"""Characters of the longest text that may be a keyword with its decorations; to look at more would only cost time."""

KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")
"""An emoji of a key, which is a sign and not its digit. Unicode: emoji keycap sequences."""


def normalise(text: str) -> str:
    """Return the letters and digits of a text as keywords are compared: one form of each letter, single spaces.

    Invisible signs (Unicode Cf) may stand within a word; everything else that is neither letter nor digit parts words.
    """
    letters = "".join(map(_plain, KEYCAP.sub(" ", text)))
    return " ".join(unicodedata.normalize("NFKC", letters).casefold().translate(ALIKE).split())


@lru_cache(4096)
def _plain(character: str) -> str:
    """Return a letter or a digit as it is, nothing for an invisible sign, and a space for anything else."""
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    is_variation = "\ufe00" <= character <= "\ufe0f" or character >= "\U000e0100"
    return character if category[0] == "L" or (category in {"Nd", "Mn", "Mc"} and not is_variation) else " "


def _normalised(words: dict[str, tuple[str, ...]]) -> dict[str, frozenset[str]]:
    return {language: frozenset(map(normalise, group)) for language, group in words.items()}


_STOP = _normalised(STOP)
_ALL = {
    word: command
    for command, languages in (("start", _normalised(START)), ("help", _normalised(HELP)), ("stop", _STOP))
    for words in languages.values()
    for word in words
}


def keyword(text: str) -> str:
    """Return what the text asks for: "stop", "start", "help", or "" where it is no keyword."""
    return _ALL.get(_said_once(text), "") if len(text) <= MOST else ""


def _said_once(text: str) -> str:
    """Return a text as keywords are compared, once where it is the same several times over: "STOP STOP"."""
    words = normalise(text).split()
    lengths = (length for length in range(1, len(words) + 1) if len(words) % length == 0)
    once = (words[:length] for length in lengths if words[:length] * (len(words) // length) == words)
    return " ".join(next(once, ()))


def goodbye(text: str, language: str) -> str:
    """Return the confirmation of an opt-out, in the language of the keyword.

    Where several languages share the keyword, the person's own (`language`, such as "de-AT") comes first; English is
    the last resort.
    """
    word, own_language = _said_once(text[:MOST]), language.partition("-")[0].lower()
    languages = [name for name, words in _STOP.items() if word in words and name in GOODBYE]
    return GOODBYE[own_language if own_language in languages else next(iter(languages), "en")]
