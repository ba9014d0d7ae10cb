"""The tables of who may see what: written by `commit` from resources, read by `visible`."""

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Column, DateTime, Index, SmallInteger, Text
from sqlmodel import Field, SQLModel

INSTANT = DateTime(timezone=True)
C_TEXT = Text(collation="C")


class Relationship(SQLModel, table=True):
    """That an actor supports a patient, by the resource `rid`, within [starts, ends).

    `basis`: own (the patient), guardian, custodian (managing organization), care-team.
    """

    __tablename__ = "relationship"
    __table_args__ = (
        Index("relationship_rid", "rid"),
        Index("relationship_patient", "patient", "actor"),
        Index("relationship_actor", "actor", "patient"),
    )
    row: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    rid: int = Field(sa_column=Column(BigInteger, nullable=False))
    patient: str = Field(sa_column=Column(C_TEXT, nullable=False))
    actor: str = Field(sa_column=Column(C_TEXT, nullable=False))
    basis: str = Field(sa_column=Column(Text, nullable=False))
    starts: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    ends: datetime = Field(sa_column=Column(INSTANT, nullable=False))


class Affiliation(SQLModel, table=True):
    """That an actor stands for a principal, by the resource `rid`, within [starts, ends).

    A Practitioner or PractitionerRole stands for its Organization, a PractitionerRole for its
    Practitioner, an Organization for the one it is part of, a member for the CareTeam or Group.
    """

    __tablename__ = "affiliation"
    __table_args__ = (
        Index("affiliation_rid", "rid"),
        Index("affiliation_principal", "principal", "actor"),
        Index("affiliation_actor", "actor", "principal"),
    )
    row: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    rid: int = Field(sa_column=Column(BigInteger, nullable=False))
    actor: str = Field(sa_column=Column(C_TEXT, nullable=False))
    principal: str = Field(sa_column=Column(C_TEXT, nullable=False))
    starts: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    ends: datetime = Field(sa_column=Column(INSTANT, nullable=False))


class ConsentRule(SQLModel, table=True):
    """One provision of a patient's Consent for one actor ("*": anyone), within [starts, ends).

    `consent` is the logical id of the Consent, whose row is `rid`.

    `path` is "" for the base policy, then "0.", "0.1.", …: a path begins those nested in it. NULL
    is no limit. The extent is levels from `least` to `most` or one of `labels`; if `is_narrow` also
    `classes`, `codes`, [lo, hi), and if `is_named` resources by instance, dependents, authors,
    related. `opens` are the laws it satisfies. Of a `lineage` the last `signed` counts.
    """

    __tablename__ = "consent_rule"
    __table_args__ = (
        Index("consent_rule_rid", "rid"),
        Index("consent_rule_patient", "patient", "actor"),
        Index("consent_rule_actor", "actor", "patient"),
    )
    row: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    rid: int = Field(sa_column=Column(BigInteger, nullable=False))
    patient: str = Field(sa_column=Column(C_TEXT, nullable=False))
    actor: str = Field(sa_column=Column(C_TEXT, nullable=False))
    consent: str = Field(sa_column=Column(C_TEXT, nullable=False))
    path: str = Field(sa_column=Column(C_TEXT, nullable=False))
    permits: bool | None = Field(default=None)
    closes: bool = Field(nullable=False)
    purposes: list[str] | None = Field(default=None, sa_column=Column(ARRAY(C_TEXT)))
    actions: list[str] | None = Field(default=None, sa_column=Column(ARRAY(C_TEXT)))
    least: int = Field(sa_column=Column(SmallInteger, nullable=False))
    most: int = Field(sa_column=Column(SmallInteger, nullable=False))
    labels: list[str] = Field(sa_column=Column(ARRAY(C_TEXT), nullable=False))
    opens: list[str] = Field(sa_column=Column(ARRAY(C_TEXT), nullable=False))
    is_narrow: bool = Field(nullable=False)
    classes: list[int] | None = Field(default=None, sa_column=Column(ARRAY(BigInteger)))
    codes: list[int] | None = Field(default=None, sa_column=Column(ARRAY(BigInteger)))
    lo: datetime | None = Field(default=None, sa_column=Column(INSTANT))
    hi: datetime | None = Field(default=None, sa_column=Column(INSTANT))
    is_named: bool = Field(nullable=False)
    instances: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    dependents: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    authors: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    related: list[str] = Field(sa_column=Column(ARRAY(C_TEXT), nullable=False))
    starts: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    ends: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    lineage: int = Field(sa_column=Column(BigInteger, nullable=False))
    signed: datetime = Field(sa_column=Column(INSTANT, nullable=False))
