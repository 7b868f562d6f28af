"""Mailboxes that are fetched from, and each of their mails: none is skipped, none taken twice."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index
from sqlmodel import Field, SQLModel

from storage.tables.columns import Utc


class Mailbox(SQLModel, table=True):
    """A folder of a mailbox.

    Mails before `first_uid` were there before us; from `next_uid` on they are new. When `validity`
    changes, all numbers mean other mails.
    """

    name: str = Field(primary_key=True, max_length=255)
    validity: int = Field(sa_column=Column(BigInteger(), nullable=False))
    first_uid: int = Field(sa_column=Column(BigInteger(), nullable=False))
    next_uid: int = Field(sa_column=Column(BigInteger(), nullable=False))
    looked_at: datetime = Field(sa_type=Utc)


class Fetched(SQLModel, table=True):
    """One mail of a mailbox: waiting, claimed, done, kept (not understood), gone, failed."""

    __table_args__ = (Index("fetched_state", "mailbox", "validity", "state", "uid"),)

    mailbox: str = Field(primary_key=True, max_length=255)
    validity: int = Field(
        sa_column=Column(BigInteger(), primary_key=True, autoincrement=False, nullable=False)
    )
    uid: int = Field(
        sa_column=Column(BigInteger(), primary_key=True, autoincrement=False, nullable=False)
    )
    state: str = Field(max_length=16)
    owner: str = Field(default="", max_length=64)
    tries: int = 0
    detail: str = Field(default="", max_length=500)
    at: datetime = Field(sa_type=Utc)
