"""What a send teaches is said in the message's story, in the provider's words."""

from msgspec.structs import replace

from gateway.domain.cascade.evidence import Outcome, after_send
from gateway.domain.cascade.moves import Context
from gateway.domain.channel.errors import Refused
from gateway.domain.model.nouns import Progress
from tests.gateway.domain.cascade.cases import IDLE, NOW, SMS, make_attempt, make_notification

CONTEXT = Context(NOW, [IDLE])
SENDING = replace(make_notification(SMS, attempts=(make_attempt(Progress.SENDING),)), lease="ours")


def test_a_refusal_is_a_line_of_the_story_and_an_acceptance_is_none() -> None:
    refused = after_send(SENDING, 0, Outcome(error=Refused("21211: there is no such number")), "another's", CONTEXT)
    assert [decision.text for decision in refused.decisions] == ["sms: 21211: there is no such number"]
    taken = after_send(SENDING, 0, Outcome(taken=[(0, "SM1")]), "another's", CONTEXT)
    assert (taken.attempts[0].progress, taken.decisions) == (Progress.SENT, ())


def test_the_rule_goes_on_only_for_who_still_holds_the_lease() -> None:
    refused = Outcome(error=Refused("21211: there is no such number"))
    assert after_send(SENDING, 0, refused, "another's", CONTEXT).done_at is None
    assert after_send(SENDING, 0, refused, "ours", CONTEXT).done_at == NOW
