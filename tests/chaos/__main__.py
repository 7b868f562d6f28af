"""The proof by ledger: `python -m tests.chaos [--long] [--report FILE]`.

Every process of the desk on Apache Kafka and MariaDB, under a steady load, while processes,
broker and database are killed and the provider misbehaves. At the end the ledgers are compared.
Exit status: 0 nothing lost, nothing twice; 1 a promise was broken: everything is kept, and
`violations.txt` says what is known of each message; 2 the trial itself could not be held.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import signal
import sys
import tempfile
import time
import traceback
from dataclasses import replace
from pathlib import Path

from tests.chaos import report
from tests.chaos.explain import explain
from tests.chaos.judge import judge
from tests.chaos.plan import FORMS, Plan
from tests.chaos.trial import Result, Trial


def main() -> int:
    """Hold a trial as asked; return the exit status."""
    given = _options()
    plan = replace(
        FORMS[given.form],
        **{
            name: value
            for name, value in vars(given).items()
            if value is not None and name in Plan.__dataclass_fields__
        },
    )
    folder = given.folder or Path(tempfile.mkdtemp(prefix="astreinte-chaos-"))
    began = time.monotonic()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the broker is down on purpose
    trial = Trial(plan, folder, lambda what: _say(f"{time.monotonic() - began:7.1f} s  {what}"))
    try:
        result = asyncio.run(_until_ended(trial))
    except (KeyboardInterrupt, asyncio.CancelledError) as why:
        _say(f"interrupted ({why or 'Ctrl-C'}); everything is stopped; logs are in {folder}")
        return 2
    except Exception as error:  # noqa: BLE001 - whatever it is, nothing was proved
        traceback.print_exc()
        _say(f"the trial could not be held: {error}; logs are in {folder}")
        return 2
    return _conclude(plan, result, trial, given)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a program that people watch


async def _until_ended(trial: Trial) -> Result:
    task = asyncio.current_task()
    if task:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel, "SIGTERM")
    return await trial.run()


def _conclude(plan: Plan, result: Result, trial: Trial, given: argparse.Namespace) -> int:
    verdict = judge(result.case)
    report.add_processes(result, verdict)
    text = report.markdown(plan, result, verdict)
    (trial.folder / "report.md").write_text(text)
    if given.report:
        given.report.parent.mkdir(parents=True, exist_ok=True)
        given.report.write_text(text)
    _say(text)
    if verdict.violations:
        file = trial.folder / "violations.txt"
        file.write_text(explain(result, verdict, trial.desk.work))
        _say(f"{len(verdict.violations)} promises broken; see {file}")
        return 1
    if given.keep or given.folder:
        _say(f"kept in {trial.folder}")
    else:
        shutil.rmtree(trial.folder)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("form", nargs="?", choices=FORMS, default="short")
    parser.add_argument("--report", type=Path, help="where the report is written, as Markdown")
    parser.add_argument("--folder", type=Path, help="new folder for logs and data, kept")
    parser.add_argument("--keep", action="store_true", help="keep logs and data of a good run too")
    for name, kind, what in (
        ("kills", int, "processes to be killed"),
        ("kill-every-s", float, "mean seconds between kills"),
        ("trouble-every-s", float, "seconds between the other faults"),
        ("rate", float, "messages a second"),
        ("calm-s", float, "seconds of calm before"),
        ("last-calm-s", float, "seconds of calm after"),
        ("settle-s", float, "seconds in which all has to settle"),
        ("customers", int, "conversations"),
        ("rooms", int, "cold rooms"),
        ("rooms-s", float, "seconds until the last excursion begins"),
        ("seed", int, "of the dice"),
    ):
        parser.add_argument(f"--{name}", type=kind, help=what)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
