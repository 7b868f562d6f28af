"""Run this stage alone: `python -m services.dispatch`."""

from services.serve import main

if __name__ == "__main__":
    main("dispatch")
