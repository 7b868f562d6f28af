"""`astreinte diagnose`: detection and diagnosis over a history file, without broker or record."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from astreinte import output
from astreinte.histories import Export, UnfitFileError, read, with_features
from astreinte.options import app, fail
from refrigeration.labelled import Results
from refrigeration.profile import Profile
from refrigeration.replay import by_rooms, by_training, by_wandering, is_room


@app.command()
def diagnose(
    file: Annotated[Path, typer.Argument(help="CSV: a row per reading; a logger's export.")],
    profile: Annotated[Path, typer.Option(help="YAML of the unit: its sensors, refrigerant …")],
    train: Annotated[
        Path | None,
        typer.Option(
            help="CSV with the same columns and `label` (normal, or the cause); with `condition`, "
            "none is used to calibrate another."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Results by row: .csv or .jsonl.")] = None,
    false_alarms: Annotated[
        float, typer.Option(min=0.0001, max=0.5, help="Share of normal rows that may alarm.")
    ] = 0.01,
    drivers: Annotated[
        str, typer.Option(help="With --train: columns that say what is asked of the plant, a,b,c.")
    ] = "",
    window: Annotated[float, typer.Option(min=0, help="Minutes of a window.")] = 15,
    normal: Annotated[
        int, typer.Option(min=0, help="Without --train: so many first rows are normal; 0: 30 %.")
    ] = 0,
) -> None:
    """Say of each row of a history whether something is wrong, and what."""
    try:
        unit = Profile.read(profile)
        given = read(file, unit)
        if train:
            found = _trained(unit, given, read(train, unit), false_alarms, drivers, window * 60)
        elif is_room(unit, given.history):
            found = by_rooms(unit, given.history, normal or len(given.history) * 3 // 10)
        else:
            whole = with_features(unit, given.history)
            found = by_wandering(whole, normal or len(whole) * 3 // 10)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        fail(f"{profile}: {wrong}")
    except (OSError, ValueError) as error:
        fail(str(error))
    if out:
        write(out, given, found)
    _tell(given, found, out)


def _trained(
    unit: Profile, given: Export, taught: Export, false_alarms: float, drivers: str, window_s: float
) -> Results:
    if not taught.history.labels:
        msg = "the file to train on has no column `label`"
        raise UnfitFileError(msg)
    wanted = tuple(name.strip() for name in drivers.split(",") if name.strip())
    found, trained = by_training(
        with_features(unit, taught.history),
        with_features(unit, given.history),
        false_alarms,
        wanted,
        window_s,
    )
    if trained:
        names = [trained.names[place] for place in trained.model.recipe.drivers]
        seen = " · ".join(f"{name} {value:.3f}" for name, value in trained.trial.items())
        output.out.print(
            f"pilotes : {', '.join(names) or 'aucun'} · {seen}, conditions laissées de côté, "
            f"à {false_alarms:.1%} de fausses alarmes",
            markup=False,
        )
    return found


def write(path: Path, given: Export, found: Results) -> None:
    """Write a result per row, in the order of the file: CSV, or JSON Lines by the name's end."""
    rows = (
        {
            "row": place,
            "time": given.times[place],
            "score": round(float(found.score[place]), 6),
            "is_fault": bool(found.is_fault[place]),
            "cause": found.cause[place],
            "probabilities": {
                name: round(float(share), 5)
                for name, share in zip(found.classes, found.probabilities[place], strict=True)
            },
        }
        for place in range(len(given.history))
    )
    with path.open("w", encoding="utf-8", newline="") as target:
        if path.suffix in {".jsonl", ".ndjson", ".json"}:
            target.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            return
        columns = ["row", "time", "score", "is_fault", "cause", "probabilities"]
        table = csv.DictWriter(target, columns)
        table.writeheader()
        for row in rows:
            shares = json.dumps(row["probabilities"])
            table.writerow(row | {"is_fault": int(bool(row["is_fault"])), "probabilities": shares})


def _tell(given: Export, found: Results, out: Path | None) -> None:
    total = len(given.history)
    if given.missing:
        output.out.print(f"capteurs absents du fichier : {', '.join(given.missing)}", markup=False)
    output.out.print(f"{total} lignes · {int(found.is_fault.sum())} en défaut", markup=False)
    causes = Counter(c for c, f in zip(found.cause, found.is_fault, strict=True) if f)
    for cause, count in causes.most_common():
        output.out.print(f"  {cause} : {count}", markup=False)
    if out:
        output.out.print(f"→ {out}", markup=False)
