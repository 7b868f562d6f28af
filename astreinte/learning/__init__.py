"""What people teach the desk: `astreinte knowledge`."""

from astreinte.learning import command, keeping, showing, solved

__all__ = ["command", "keeping", "showing", "solved"]
