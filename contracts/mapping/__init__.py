"""The translator: mapping as data, from a department's fields to the canonical licence record."""

from contracts.mapping.check import interface_faults
from contracts.mapping.gather import Part, join
from contracts.mapping.places import Fields
from contracts.mapping.translator import Translated, Translator, compile_interface, source_pointers

__all__ = [
    "Fields",
    "Part",
    "Translated",
    "Translator",
    "compile_interface",
    "interface_faults",
    "join",
    "source_pointers",
]
