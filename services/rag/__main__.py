"""Run this stage alone: `python -m services.rag`."""

from services.serve import main

if __name__ == "__main__":
    main("rag")
