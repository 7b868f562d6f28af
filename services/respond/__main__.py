"""Run this stage alone: `python -m services.respond`."""

from services.serve import main

if __name__ == "__main__":
    main("respond")
