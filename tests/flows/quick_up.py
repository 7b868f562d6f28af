"""`astreinte up`, ready sooner: `quick_up.py TRAINED` takes classifiers over and joins at once."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import astreinte.desk
import services.classify.app
from astreinte.cli import main
from tests.conftest import QuickKafka

trained = pickle.loads(Path(sys.argv.pop(1)).read_bytes())
services.classify.app.train = lambda _near: trained
astreinte.desk.EmbeddedKafka = QuickKafka  # type: ignore[misc]
main()
