"""`astreinte knowledge list, show, search, export`: what search knows, and why it finds it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from astreinte import output
from astreinte.learning.command import LanguageOption, knowledge
from astreinte.learning.record import hands
from astreinte.options import DatabaseOption, JsonOption, fail
from knowledge.articles import SHIPPED, load_articles
from knowledge.chunks import HEADING
from knowledge.pieces import Piece
from schemas.vocabulary import Language
from services.rag.printer import NEAR_ENOUGH, Hit
from storage import documents

SHOWN = 160
"""Characters of a passage that a list shows."""

NameArgument = Annotated[str, typer.Argument(help="Id of an article or document.", metavar="NAME")]


@knowledge.command(name="list")
def list_(database: DatabaseOption = "", json_: JsonOption = False) -> None:
    """List what the record knows; the articles that ship are counted."""
    rows = asyncio.run(_listed(database))
    if json_:
        output.as_json(rows)
        return
    for row in rows:
        kind = row["kind"] if row["approved"] else f"{row['kind']} à approuver"
        size = f"{row['passages']} passage(s)" if row["passages"] else ""
        told = (kind, row["language"], row["brand"], ", ".join(row["models"]), size)
        about = ", ".join(filter(None, (*told, row["changed_at"][:10])))
        output.out.print(f"{row['id']}  {row['title']}  ({about})", markup=False)
    output.out.print(f"{len(rows)} de la maison, {len(load_articles(SHIPPED))} articles livrés")


async def _listed(database: str) -> list[dict[str, Any]]:
    async with hands(database=database) as (near, _):
        articles, found = await near.database.read(documents.everything)
    blank = {"language": "", "brand": "", "models": [], "passages": 0, "pages": 0, "approved": True}
    rows = [
        blank
        | {"id": row.article_id, "kind": "article", "title": row.title, "source": row.source}
        | {"version": row.version, "changed_at": row.updated_at.isoformat(" ")}
        for row in articles
    ]
    rows += [
        {"id": row.document_id, "changed_at": row.changed_at.isoformat(" ")}
        | row.model_dump(include={*blank, "kind", "title", "source", "version"})
        for row in found
    ]
    return sorted(rows, key=lambda row: row["changed_at"], reverse=True)


@knowledge.command()
def show(name: NameArgument, database: DatabaseOption = "", json_: JsonOption = False) -> None:
    """Show an article, or a document with its passages."""
    from astreinte.learning.searching import known_as  # noqa: PLC0415 - loads the index

    found = asyncio.run(known_as(name, database))
    if not found:
        fail(f"nothing is known under {name}")
    told = [p.model_dump(mode="json") for piece in found for p in piece.passages.values()]
    if json_:
        output.as_json(told)
        return
    for passage in told:
        head = " · ".join(
            filter(None, (passage["article"], passage["language"], passage["source"]))
        )
        output.out.print(f"[bold]{passage['heading'] or passage['title']}[/]  [dim]{head}[/]")
        lines = [passage["text"] or passage["cause"], *passage["steps"], passage["call_technician"]]
        output.out.print("\n".join(filter(None, lines)) + "\n", markup=False)


@knowledge.command()
def search(
    question: Annotated[str, typer.Argument(help="As a customer puts it.", metavar="QUESTION")],
    brand: Annotated[str, typer.Option(help="Only what is for this make, or for any.")] = "",
    model: Annotated[str, typer.Option(help="Only what is for this model, or for any.")] = "",
    language: LanguageOption = None,
    limit: Annotated[int, typer.Option(min=1, max=50, help="How many.")] = 5,
    database: DatabaseOption = "",
    json_: JsonOption = False,
) -> None:
    """Search as the desk does, and say why each passage was found."""
    from astreinte.learning.searching import find  # noqa: PLC0415 - loads the index

    asked = (brand, model, language.value if language else "")
    found = asyncio.run(find(question, asked, limit, database))
    if json_:
        output.as_json([_told(hit, piece, language) for hit, piece in found])
        return
    for hit, piece in found:
        told = _told(hit, piece, language)
        verdict = "assez proche" if told["near_enough"] else f"trop loin (seuil {NEAR_ENOUGH})"
        output.out.print(f"{hit.score:.2f}  {told['title']}  {hit.name}  {verdict}", markup=False)
        why = ", ".join(f"{name} {value:.2f}" for name, value in hit.evidence.items())
        output.out.print(f"      {why}", markup=False)
        output.out.print(f"      {told['text'][:SHOWN]}", markup=False)


def _told(hit: Hit, piece: Piece, language: Language | None) -> dict[str, Any]:
    passage = piece.passage(language or next(iter(piece.passages)))
    return {
        "id": hit.name,
        "kind": piece.kind,
        "title": HEADING.join(filter(None, (passage.title, passage.heading))),
        "source": passage.source,
        "language": passage.language.value,
        "score": hit.score,
        "near_enough": hit.score >= NEAR_ENOUGH,
        "approved": piece.approved,
        "evidence": hit.evidence,
        "text": " ".join((passage.text or passage.cause).split()),
    }
