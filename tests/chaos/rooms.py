"""Cold rooms under test: what each is, what happens in it and when, and what its sensors say.

Each has one excursion at most, so that whatever is told of a room belongs to that. Before it comes
one that is shorter than its delay, a single reading, and must wake nobody.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from refrigeration.profile import FoodRule, Kind, Masks, Profile, SensorProfile
from schemas.vocabulary import Fault

INTERVAL_S = 10.0
QUIET = "quiet"
LASTS_S = {"door": (35.0, 55.0), "power": (90.0, 120.0), "warm": (45.0, 90.0)}
"""How long excursions last: each longer than its delay, and the time between two readings."""
ENDS_S = {"door": 60.0, "power": 120.0, "warm": 300.0}
"""So long it has to be over before the alarm ends."""
FAULT = {"door": Fault.DOOR, "power": Fault.POWER, "warm": Fault.HIGH_TEMPERATURE}
CHATS = {"Léa": 101, "Paul": 102, "Inès": 103, "Karim": 104}


@dataclass(frozen=True)
class Room:
    """A room, and its excursion in seconds since the first reading. `kind`: of the excursion."""

    unit_id: str
    kind: str
    chat: int
    begins_s: float = 0.0
    ends_s: float = 0.0
    blip_s: float = 0.0

    @property
    def over_s(self) -> float:
        """When its alarm has ended at the latest, if every reading comes."""
        return self.ends_s + ENDS_S.get(self.kind, 0.0) + 3 * INTERVAL_S

    def capteurs(self, at_s: float, dice: random.Random) -> dict[str, Any]:
        """Return what its sensors say, as bridges call them."""
        blip = self.blip_s <= at_s < self.blip_s + INTERVAL_S
        kind = self.kind if self.begins_s <= at_s < self.ends_s else "door" if blip else ""
        return {
            "Température": round((4.6 if kind == "warm" else 3.2) + dice.uniform(-0.05, 0.05), 3),
            "Tension": round((300 if kind == "power" else 400) + dice.uniform(-2, 2), 2),
            "Porte": int(kind == "door"),
        }

    def profile(self) -> Profile:
        """Return it as its owner would declare it, with short delays."""
        return Profile(
            unit_id=self.unit_id,
            name=f"Chambre {self.unit_id}",
            kind=Kind.POSITIVE_ROOM,
            set_point_c=3.0,
            high_c=4.0,
            interval_s=INTERVAL_S,
            voltage_v=400,
            sensors={name: SensorProfile() for name in ("temperature_c", "voltage_v", "door")},
            masks=Masks(tAO=0.2, AFd=0.5, dAO=0, PAO=0, tdO=0.1, OAO=0),
            food=FoodRule.model_validate(
                {"high_c": 8.0, "source": "essai de fiabilité", "effective_from": "2020-01-01"}
            ),
            on_call=(next(name for name, chat in CHATS.items() if chat == self.chat),),
        )


def rooms(run: str, kinds: tuple[str, ...], number: int, last_s: float, seed: int) -> list[Room]:
    """Make rooms, whose excursions begin from three readings to `last_s` seconds after the first."""
    dice = random.Random(f"rooms {seed}")
    found = []
    for place in range(number):
        kind = kinds[place % len(kinds)]
        begins = dice.uniform(3 * INTERVAL_S, max(last_s, 4 * INTERVAL_S))
        lasts = dice.uniform(*LASTS_S[kind]) if kind != QUIET else 0.0
        name, chat = f"{run}-{place + 1:02d}", tuple(CHATS.values())[place % len(CHATS)]
        found.append(Room(name, kind, chat, begins, begins + lasts, begins - 2.5 * INTERVAL_S))
    return found


def roster() -> dict[str, Any]:
    """Return who is on call, a chat each."""
    people = [{"name": name, "channels": {"telegram": chat}} for name, chat in CHATS.items()]
    return {"escalation_min": [600], "people": people}
