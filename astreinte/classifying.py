"""`astreinte train classify` and `astreinte evaluate classify`: categories of a company's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from astreinte import output
from astreinte.options import JsonOption, app, fail, settings_of
from knowledge import labelled

train = typer.Typer(help="Learn from tables of one's own.", no_args_is_help=True)
evaluate = typer.Typer(help="Try what was learned on texts not seen.", no_args_is_help=True)
app.add_typer(train, name="train")
app.add_typer(evaluate, name="evaluate")

Table = Annotated[Path, typer.Argument(help="CSV, UTF-8, with the columns text and label.")]


@train.callback()
@evaluate.callback()
def _groups() -> None:
    """Have groups of commands although each has one only."""


@train.command("classify")
def learn(
    data: Table,
    out: Annotated[Path, typer.Option(help="Folder for the model.")],
    outside: Annotated[
        str, typer.Option(help="Label of texts that belong to none of the others.")
    ] = "",
) -> None:
    """Learn to classify from texts with labels: any labels."""
    from astreinte import teaching  # noqa: PLC0415 - scikit-learn: for this command only

    try:
        rows = labelled.read(data)
        labelled.check_classes(data, [label for _, label in rows if label != outside])
        if outside and all(label != outside for _, label in rows):
            fail(f"{data}: no row has the label {outside!r}")
        output.err.print(f"{len(rows)} textes lus ; apprentissage en cours…")
        about = teaching.teach(rows, data, out, settings_of().embedding, outside)
    except labelled.BrokenTable as error:
        fail(str(error))
    except OSError as error:
        fail(f"{out}: cannot be written: {error.strerror}")
    _show(about["held_out"], f"Sur {about['texts']} textes, tenus à l'écart tour à tour :")
    output.out.print(f"Le modèle est dans {out} (card.md le décrit).", markup=False)


@evaluate.command("classify")
def judge(
    test: Table,
    model: Annotated[Path, typer.Option(help="Folder of the model.")],
    json_: JsonOption = False,
) -> None:
    """Measure a model on texts that it has not seen."""
    from ai.stored import UnusableModel  # noqa: PLC0415 - scikit-learn, as below
    from astreinte import teaching  # noqa: PLC0415

    try:
        found = teaching.judge(labelled.read(test), model, settings_of().embedding)
    except (labelled.BrokenTable, UnusableModel) as error:
        fail(str(error))
    if unknown := found["unknown_labels"]:
        some = ", ".join(f"{label} ({count})" for label, count in unknown.items())
        output.err.print(f"astreinte: labels that the model does not know: {some}", markup=False)
    if json_:
        output.as_json(found)
    else:
        _show(found, f"Sur {found['texts']} textes :")


def _show(found: dict[str, Any], title: str) -> None:
    figures = (
        f"  exactitude {found['accuracy']:.3f} · F1 macro {found['macro_f1']:.3f} · "
        f"erreur de calibration {found['ece']:.3f}"
    )
    lines = [title, figures]
    for precision, promise in found["promised"].items():
        if promise["threshold"] is None:
            lines.append(
                f"  à {precision} de précision promise : trop peu de textes pour promettre"
            )
            continue
        lines.append(
            f"  à {precision} de précision promise : {promise['coverage']:.1%} des textes "
            f"(confiance ≥ {promise['threshold']:.3f}), dont {promise['right']:.1%} justes"
        )
    if strange := found.get("outside"):
        lines.append(
            f"  hors sujet : {strange['recall']:.1%} de {strange['texts']} reconnus, "
            f"{strange['refused']:.1%} des autres refusés à tort"
        )
    output.out.print("\n".join(lines), markup=False)
