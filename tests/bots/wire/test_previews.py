"""Who only looks at a link, by the User-Agents that messengers, crawlers and phones have."""

import pytest

from bots.wire.previews import LONGEST, is_preview

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
ANDROID = (
    "Mozilla/5.0 (Linux; Android 13; {}) AppleWebKit/537.36 (KHTML, like Gecko) {}Chrome/120.0.0.0 Mobile Safari/537.36"
)
MACHINES = [
    "WhatsApp/2.23.20.0 A",
    "TelegramBot (like TwitterBot)",
    "Viber/13.3.0 CFNetwork/1220.1 Darwin/20.3.0",
    "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) Safari/601.2.4 facebookexternalhit/1.1 Facebot",
    "Mozilla/5.0 (Linux; Android 8.0) AppleWebKit/537.36 Google-PageRenderer Google (+https://developers.google.com/)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
    "Iframely/1.3.1 (+https://iframely.com/docs/about)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "curl/8.4.0",
    "python-requests/2.31.0",
    "",
    " ",
]
PEOPLE = [
    f"{IPHONE} Version/17.0 Mobile/15E148 Safari/604.1",
    f"{IPHONE} Mobile/15E148 Instagram 300.0",
    f"{IPHONE} Mobile/20A362 [FBAN/FBIOS;FBAV/400.0]",
    ANDROID.format("SAMSUNG SM-A536B", "SamsungBrowser/23.0 "),
    ANDROID.format("CUBOT P40", ""),
    ANDROID.format("Pixel 8", "YaBrowser/24.1 "),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0",
]


@pytest.mark.parametrize("agent", MACHINES)
def test_machines(agent: str) -> None:
    assert is_preview({"user-agent": agent})


@pytest.mark.parametrize("agent", PEOPLE)
def test_people(agent: str) -> None:
    assert not is_preview({"user-agent": agent})


@pytest.mark.parametrize(
    ("name", "value"),
    [("sec-purpose", "prefetch"), ("sec-purpose", "prefetch;prerender"), ("purpose", "preview"), ("x-moz", "Prefetch")],
)
def test_a_browser_that_loads_ahead_has_not_been_asked_for_the_page(name: str, value: str) -> None:
    assert is_preview({"user-agent": PEOPLE[0], name: value})


def test_no_more_of_an_agent_is_read_than_browsers_have() -> None:
    assert not is_preview({"user-agent": PEOPLE[0].ljust(LONGEST) + "Googlebot"})
