"""Run this stage alone: `python -m services.classify`."""

from services.serve import main

if __name__ == "__main__":
    main("classify")
