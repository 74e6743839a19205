"""One questionnaire, our client and the official one: each reads what the other has filled in."""

from __future__ import annotations

import json
from typing import Any

from psychopy_neon.device.neon import Neon

OURS = {"Participant code": "P07", "Dominant eye": "left", "Visual acuity": 0.8, "Correction": ["glasses", "none"]}
OURS_AS_TEXTS = {
    "Participant code": ["P07"],
    "Dominant eye": ["left"],
    "Visual acuity": ["0.8"],
    "Correction": ["glasses", "none"],
}
# All that is left: with today's pydantic the official client calls a question that is not required missing, too.
THEIRS = {
    "Dominant eye": ["right"],
    "Age": ["42"],
    "Consent": ["The form is signed"],
    "Session number": ["2"],
    "Mood": ["good"],
    "Notes": ["Grüße"],
}
ITEM_FIELDS = ("id", "title", "widget_type", "input_type", "required", "help_text")


def test_both_clients_fill_one_template(make_sim: Any, peer: Any, host_port: Any) -> None:
    sim = make_sim()
    with Neon(sim.address) as neon:
        neon.template.fill(OURS)
        result = peer("template", *host_port(sim), json.dumps(THEIRS)).result()
        definition = neon.template.read().definition
        assert definition is not None
        titles = {item.id: item.title for item in definition.items}
        ours_after = {titles[question]: list(texts) for question, texts in neon.template.answers.items()}

    assert result["before"] == OURS_AS_TEXTS
    assert result["after"] == ours_after == OURS_AS_TEXTS | THEIRS
    assert result["unknown"][0] == 404
    assert result["unknown"][1]

    theirs = result["definition"]
    assert (theirs["id"], theirs["name"]) == (definition.id, definition.name)
    assert theirs["is_default_template"] == definition.is_default
    assert tuple(theirs["recording_name_format"]) == definition.recording_name_format
    read = [tuple(getattr(item, name) for name in ITEM_FIELDS) for item in definition.items]
    assert [tuple(item[name] for name in ITEM_FIELDS) for item in theirs["items"]] == read
    assert [tuple(item["choices"] or ()) for item in theirs["items"]] == [item.choices for item in definition.items]
