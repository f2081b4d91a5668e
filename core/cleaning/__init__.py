"""Cleaning (数据清洗): the declared rules of a licence type over the mandatory checks, as pure functions."""

from core.cleaning.catalogue import CATALOGUE
from core.cleaning.cleaner import Cleaner, compile_rules
from core.cleaning.verdict import Verdict

__all__ = ["CATALOGUE", "Cleaner", "Verdict", "compile_rules"]
