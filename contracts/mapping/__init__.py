"""The translator: mapping as data, from a department's fields to the canonical licence record."""

from contracts.mapping.places import Fields
from contracts.mapping.translator import Translated, Translator, compile_interface

__all__ = ["Fields", "Translated", "Translator", "compile_interface"]
