"""The translator: mapping as data, from a department's fields to the canonical licence record."""

from contracts.mapping.check import interface_faults
from contracts.mapping.files import NO_FILES, Files, attach, detach
from contracts.mapping.gather import Part, join
from contracts.mapping.places import Fields
from contracts.mapping.translator import Translated, Translator, compile_interface, source_pointers

__all__ = [
    "NO_FILES",
    "Fields",
    "Files",
    "Part",
    "Translated",
    "Translator",
    "attach",
    "compile_interface",
    "detach",
    "interface_faults",
    "join",
    "source_pointers",
]
