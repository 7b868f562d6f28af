"""The ledger of mailboxes: every mail that was seen there, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from storage.database import insert_new
from storage.tables import Fetched, Mailbox

WAITING, CLAIMED = "waiting", "claimed"
AT_ONCE = 20
LEASE = timedelta(minutes=10)
"""After which a claim counts as abandoned, where its owner cannot be seen."""


def met(session: Session, name: str) -> Mailbox | None:
    """Return a mailbox as it was when somebody last looked."""
    return session.get(Mailbox, name)


def note(
    session: Session,
    name: str,
    validity: int,
    first_uid: int,
    next_uid: int,
    uids: Sequence[int],
    now: datetime,
) -> None:
    """Note that these mails are there, and how far the mailbox is known.

    A mail that is known stays as it is. `first_uid` counts for numbers that are new to us.
    """
    row = session.get(Mailbox, name)
    if row is None or row.validity != validity:
        session.merge(
            Mailbox(
                name=name,
                validity=validity,
                first_uid=first_uid,
                next_uid=next_uid,
                looked_at=now,
            )
        )
    else:
        row.next_uid, row.looked_at = max(row.next_uid, next_uid), now
        session.add(row)
    seen = {"mailbox": name, "validity": validity, "state": WAITING, "owner": "", "tries": 0}
    rows = [seen | {"uid": uid, "detail": "", "at": now} for uid in uids]
    insert_new(session, Fetched, rows)


def claim(
    session: Session,
    name: str,
    validity: int,
    owner: str,
    is_gone: Callable[[str], bool],
    now: datetime,
) -> Sequence[Fetched]:
    """Take mails that wait, and those whose owner is gone; oldest first."""
    mine = (col(Fetched.mailbox) == name, col(Fetched.validity) == validity)
    held = session.exec(select(Fetched).where(*mine, col(Fetched.state) == CLAIMED)).all()
    left = [row.uid for row in held if row.at <= now - LEASE or is_gone(row.owner)]
    if left:
        session.execute(
            update(Fetched)
            .where(*mine, col(Fetched.uid).in_(left), col(Fetched.state) == CLAIMED)
            .values(state=WAITING, owner="")
        )
    free = select(Fetched.uid).where(*mine, col(Fetched.state) == WAITING)
    uids = session.exec(free.order_by(col(Fetched.uid)).limit(AT_ONCE)).all()
    if not uids:
        return ()
    session.execute(
        update(Fetched)
        .where(*mine, col(Fetched.uid).in_(uids), col(Fetched.state) == WAITING)
        .values(state=CLAIMED, owner=owner, tries=col(Fetched.tries) + 1, at=now)
    )
    taken = select(Fetched).where(
        *mine,
        col(Fetched.state) == CLAIMED,
        col(Fetched.uid).in_(uids),
        col(Fetched.owner) == owner,
    )
    return session.exec(taken.order_by(col(Fetched.uid))).all()


def end(
    session: Session,
    name: str,
    validity: int,
    uid: int,
    owner: str,
    state: str,
    detail: str,
    now: datetime,
) -> None:
    """Note what became of a mail, unless another took the claim over."""
    session.execute(
        update(Fetched)
        .where(
            col(Fetched.mailbox) == name,
            col(Fetched.validity) == validity,
            col(Fetched.uid) == uid,
            col(Fetched.state) == CLAIMED,
            col(Fetched.owner) == owner,
        )
        .values(state=state, detail=detail[:500], at=now)
    )
