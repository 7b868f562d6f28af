"""Run this stage alone: `python -m services.extract`."""

from services.serve import main

if __name__ == "__main__":
    main("extract")
