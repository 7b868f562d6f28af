"""Cold rooms as physics and alarm practice: pure functions, no door, no clock, no broker."""
