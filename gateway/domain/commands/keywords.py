"""Keywords: words with which people stop or resume messages or ask for help, in the languages of our audience.

Only a whole message counts as a keyword: "stop by tomorrow" is none. Case, ё and all that is neither letter nor digit
(quotes, brackets, emoji, spaces) do not matter.

The English words are those that US carriers and Twilio obey. YES is missing, though Twilio takes it for START: it is
what people answer to every other question. Twilio docs: opt-out keywords; CTIA Messaging Principles, 5.1.3.
"""

import re
import unicodedata
from functools import lru_cache

STOP: dict[str, tuple[str, ...]] = {
    "en": (
        *("stop", "stop all", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "opt out", "optout"),
        "no more",
    ),
    "ru": ("стоп", "отписаться", "отписка", "отпишите", "отпишите меня", "отменить подписку", "хватит", "не писать"),
    "uk": ("стоп", "відписатися", "відписка", "відпишіть", "досить"),
    "kk": ("тоқта", "тоқтату", "жазылымнан бас тарту"),
    "be": ("спыніць", "адпісацца"),
    "de": ("stopp", "abmelden", "abbestellen", "kündigen"),
    "es": ("parar", "alto", "baja", "cancelar", "cancelar suscripcion"),
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
    "es": ("iniciar", "suscribirse", "alta"),
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
    return _ALL.get(normalise(text), "") if len(text) <= MOST else ""


def goodbye(text: str, language: str) -> str:
    """Return the confirmation of an opt-out, in the language of the keyword.

    Where several languages share the keyword, the person's own (`language`, such as "de-AT") comes first; English is
    the last resort.
    """
    word, own_language = normalise(text[:MOST]), language.partition("-")[0].lower()
    languages = [name for name, words in _STOP.items() if word in words and name in GOODBYE]
    return GOODBYE[own_language if own_language in languages else next(iter(languages), "en")]
