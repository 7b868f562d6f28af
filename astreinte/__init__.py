"""The command line of the desk that never sleeps."""
