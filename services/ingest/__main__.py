"""Run this stage alone: `python -m services.ingest`."""

from services.serve import main

if __name__ == "__main__":
    main("ingest")
