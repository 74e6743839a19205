"""The questionnaire by the asynchronous API: ``template.py HOST PORT ANSWERS``, these as JSON by title.

In the wire's form, since the client's simple form can neither read an answered choice (UnboundLocalError) nor write a
number as the text that the phone wants.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from typing import Any

from pupil_labs.realtime_api import Device
from pupil_labs.realtime_api.models import APIPath


async def main(host: str, port: int, answers: dict[str, list[str]]) -> dict[str, Any]:
    async with Device(host, port) as device:
        definition = await device.get_template()
        titles = {str(item.id): item.title for item in definition.items}
        ids = {title: question for question, title in titles.items()}
        before = await device.get_template_data("api")
        # Asks for the definition and the present answers, and checks them and the new ones together.
        await device.post_template_data({ids[title]: texts for title, texts in answers.items()}, "api")
        after = await device.get_template_data("api")
        url = device.api_url(APIPath.TEMPLATE_DATA)
        async with device.active_session.post(url, json={"nobody": ["x"]}) as response:
            unknown = response.status, (await response.json())["message"]
        return {
            "definition": asdict(definition),
            "before": {titles[question]: texts for question, texts in before.items()},
            "after": {titles[question]: texts for question, texts in after.items()},
            "unknown": unknown,
        }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))), default=str))
