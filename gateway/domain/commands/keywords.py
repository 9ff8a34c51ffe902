"""Opt-out keywords: words with which people stop or resume messages, in the languages of our audience.

Only a whole message counts as a keyword: "stop by tomorrow" is none. Case, ё, punctuation and spaces do not matter.
"""

import re
import unicodedata

STOP: dict[str, tuple[str, ...]] = {
    "en": ("stop", "stop all", "stopall", "unsubscribe", "cancel", "end", "quit", "opt out", "optout", "no more"),
    "ru": ("стоп", "отписаться", "отписка", "отпишите", "отпишите меня", "отменить подписку", "хватит", "не писать"),
    "uk": ("стоп", "відписатися", "відписка", "відпишіть", "досить"),
    "kk": ("тоқта", "тоқтату", "жазылымнан бас тарту"),
    "be": ("спыніць", "адпісацца"),
    "de": ("stopp", "abmelden", "abbestellen", "kündigen"),
    "es": ("parar", "alto", "baja", "cancelar", "cancelar suscripcion"),
    "fr": ("arret", "arrêt", "desabonner", "désabonner", "me désabonner"),
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


def normalise(text: str) -> str:
    """Return the text as keywords are compared: one form of each letter, no punctuation, single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(ALIKE)
    return " ".join(re.sub(r"[.,!?…;:\"'«»()–-]", " ", folded).split())


_STOP = {language: {normalise(word) for word in words} for language, words in STOP.items()}
_START = {normalise(word) for words in START.values() for word in words}


def keyword(text: str) -> str:
    """Return what the text asks for: "stop", "start", or "" where it is no keyword."""
    word = normalise(text)
    if any(word in words for words in _STOP.values()):
        return "stop"
    return "start" if word in _START else ""


def goodbye(text: str, language: str) -> str:
    """Return the confirmation of an opt-out, in the language of the keyword.

    Where several languages share the keyword, the person's own (`language`, such as "de-AT") comes first; English is
    the last resort.
    """
    word, own_language = normalise(text), language.partition("-")[0].lower()
    languages = [name for name, words in _STOP.items() if word in words and name in GOODBYE]
    return GOODBYE[own_language if own_language in languages else next(iter(languages), "en")]
