"""Words by which people say that they want no more, or want to hear from us again, in the languages of our audience.

Only as the whole message: "stop by tomorrow" is no such word. Case, ё, punctuation and spaces do not matter.
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
"""Letters that people write one for the other, and the dot that is left of a Turkish capital."""


def plain(text: str) -> str:
    """As it is compared: one form of each letter, no punctuation, single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(ALIKE)
    return " ".join(re.sub(r"[.,!?…;:\"'«»()–-]", " ", folded).split())


_STOP = {language: {plain(word) for word in words} for language, words in STOP.items()}
_START = {plain(word) for words in START.values() for word in words}


def optout_keyword(text: str) -> str:
    """Return what the whole text asks for: "stop", "start", or "" for nothing of that kind."""
    said = plain(text)
    if any(said in words for words in _STOP.values()):
        return "stop"
    return "start" if said in _START else ""


def goodbye(text: str, language: str) -> str:
    """That we have understood, in the language of their word; in the person's own, where it has that word too."""
    said, own = plain(text), language.partition("-")[0].lower()
    spoken = [name for name, words in _STOP.items() if said in words and name in GOODBYE]
    return GOODBYE[own if own in spoken else next(iter(spoken), "en")]
