"""Cold rooms as physics: units drawn by seed, faults by severity, readings as bridges send them."""

from simulation.rooms.design import KINDS, Design, design
from simulation.rooms.faults import CAUSES, Injection
from simulation.rooms.past import NORMAL, History, history
from simulation.rooms.profiles import profile_of, unit_id_of
from simulation.rooms.room import Room

__all__ = [
    "CAUSES",
    "KINDS",
    "NORMAL",
    "Design",
    "History",
    "Injection",
    "Room",
    "design",
    "history",
    "profile_of",
    "unit_id_of",
]
