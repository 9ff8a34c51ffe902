"""The figures that a process reports to Prometheus.

Label values are our own names and those of channels, never of people or messages.
"""

from prometheus_client import Counter, Gauge, Histogram

QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 8)
SLOW = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 75)
LATE = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800, 7200)

ACK = Histogram(
    "gateway_webhook_ack_seconds",
    "From a provider's webhook to our 2xx, its events on disk.",
    ["channel"],
    buckets=QUICK,
)
REFUSED_WEBHOOKS = Counter(
    "gateway_webhooks_refused_total",
    "Webhooks that were not acknowledged, by the HTTP status of the answer.",
    ["channel", "status"],
)
EVENTS = Counter("gateway_events_total", "Events that were worked on, by kind.", ["channel", "kind"])
QUEUE_AGE = Histogram(
    "gateway_queue_age_seconds",
    "How long what may be worked on at once had waited when a worker took it.",
    ["queue"],
    buckets=LATE,
)
UNDER_WAY = Gauge("gateway_under_way", "What this process is working on.", ["queue"])
MAILING_ROOM = Gauge("gateway_mailing_room", "Messages of mailings that this process may have under way.")
MESSAGES = Counter("gateway_messages_total", "Items of send requests: accepted, or refused for a mistake.", ["result"])
STATUS = Counter("gateway_messages_status_total", "Messages that came to this status; bots' answers, too.", ["status"])
ATTEMPTS = Counter(
    "gateway_attempts_total",
    "Progress that attempts have made; sending counts the calls. The cause is that of a failure.",
    ["channel", "progress", "cause"],
)
WINDOW_CLOSED = Counter(
    "gateway_window_closed_total",
    "Sends that met a closed window, by what was done instead: template, intent, or the next step.",
    ["channel", "instead"],
)
SEND = Histogram("gateway_send_seconds", "How long a provider took to answer a send.", ["channel"], buckets=SLOW)
LIMITER_WAITS = Counter(
    "gateway_limiter_waits_total",
    "Messages that were put off by a limit: of the account, a person, a group, a template, or of room here.",
    ["account", "limit"],
)
ANSWERS_WITHHELD = Counter(
    "gateway_answers_withheld_total",
    "Bots' answers that were not sent: too many in 30 s (`often`), an `hour` or a `day`, or the `same` twice in a row.",
    ["channel", "reason"],
)
CALLBACKS = Counter(
    "gateway_callbacks_total",
    "Webhook callbacks to API clients, by result: `delivered` (2xx), `failed` (will be retried), "
    "`abandoned` (became a dead letter).",
    ["result"],
)
DEAD_LETTERS = Counter(
    "gateway_dead_letters_total",
    "Messages, events and callbacks that have become dead letters: look at them.",
    ["kind"],
)
HELD_ACCOUNTS = Gauge(
    "gateway_account_held", "1 while an account waits (misconfigured, throttled, provider down), else 0.", ["account"]
)
