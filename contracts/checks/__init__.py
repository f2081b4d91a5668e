"""Check digits of the codes a licence carries.

Every module speaks the same three words: ``is_valid(text)``, ``check_character(body)`` and ``fault(text, pointer)``, which is
None for a valid text and otherwise says what is wrong. All expect normalised text: upper case, half width, no spaces.
"""
