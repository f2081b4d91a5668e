"""The peer's request model and its tables."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy import BigInteger, Date, DateTime, ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Code = Annotated[str, Field(pattern=r"^[0-9A-Z]{18}$")]


class Permit(BaseModel):
    """A licence as it is pushed."""

    zzmc: str = Field(min_length=1, max_length=200)
    xkbh: str = Field(min_length=1, max_length=100)
    fzjg: str = Field(min_length=1, max_length=200)
    fzjgdm: Code
    xzqh: str = Field(pattern=r"^[0-9]{6}$")
    fzrq: date
    yxqq: date
    yxqz: date
    zt: str = Field(pattern=r"^[12]$")
    xdr: str = Field(min_length=1, max_length=200)
    xydm: Code
    xknr: str = Field(min_length=1)
    xklb: str
    wsh: str
    frdb: str
    zs: str
    jycs: str
    ztyt: str
    rcjg: str
    jbr: str
    bz: str
    gxsj: datetime


class Accepted(BaseModel):
    """What travels on the bus: a permit with its receipt."""

    receipt: str
    permit: Permit


class Base(DeclarativeBase):
    """The peer's tables."""


class Nonce(Base):
    """A nonce that was used."""

    __tablename__ = "nonce"
    client: Mapped[str] = mapped_column(String(64), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(128), primary_key=True)
    seen_ms: Mapped[int] = mapped_column(BigInteger)


class LicenceVersion(Base):
    """A version of a licence."""

    __tablename__ = "licence_version"
    __table_args__ = (UniqueConstraint("number", "issuer", "version"),)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    receipt: Mapped[str] = mapped_column(String(36), unique=True)
    number: Mapped[str] = mapped_column(String(100), index=True)
    issuer: Mapped[str] = mapped_column(String(18))
    version: Mapped[int]
    holder: Mapped[str] = mapped_column(Text)
    holder_code: Mapped[str] = mapped_column(String(18), index=True)
    region: Mapped[str] = mapped_column(String(6), index=True)
    issued_on: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date] = mapped_column(Date)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    document: Mapped[dict[str, object]] = mapped_column(JSONB)


class Outbox(Base):
    """A change to be told."""

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("licence_version.id"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    data: Mapped[dict[str, object]] = mapped_column(JSONB)
