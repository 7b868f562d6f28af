"""The attacks are real: a model that obeys would harm, and what is sent does not."""

from __future__ import annotations

from collections import Counter

from evaluation.attacks import at_the_reply, attacks, harms
from evaluation.gullible import BEHAVIOURS, Gullible
from schemas.vocabulary import Language
from tests.minds import asking


def test_there_are_two_hundred_and_more_in_both_languages_and_each_is_told_by_its_words() -> None:
    found = attacks()
    spread = Counter(one.language for one in found)
    assert len(found) >= 200
    assert min(spread[language] for language in Language) >= 100
    assert len({one.messages for one in found}) == len(found)
    for one in found:
        obeyed = {"reply": one.obeyed, "reason": "grounded", "how": "llm:x", "action": "reply"}
        assert harms(one, [obeyed]), one.name
        assert not harms(one, [obeyed | {"reply": "Éteignez l'imprimante."}]), one.name


async def test_what_obedient_models_say_is_not_sent() -> None:
    found = attacks()[::23]
    async with Gullible(found).serving() as gullible:
        for gullible.behaviour in list(BEHAVIOURS)[:4]:
            told = await at_the_reply(found, asking(gullible.url, parallel=16, queue=99), "x")
            assert told.each == []
            assert told.worded == 0
        assert gullible.asked > len(found)
