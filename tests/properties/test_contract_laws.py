"""Laws that hold for every input: what the schemes guarantee, and round trips. The oracles share no code with the product."""

from datetime import date, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from contracts import dates, identifier
from contracts.checks import citizen_id, mod37_36, organisation_code, registration_number, uscc
from contracts.text import fold, normalise_licence_number, normalise_name

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

uscc_bodies = st.builds(
    lambda head, division, tail: head + division + tail,
    st.text(USCC_ALPHABET, min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(USCC_ALPHABET, min_size=9, max_size=9),
)
days = st.dates(date(1900, 1, 1), date(2098, 12, 31))
citizen_bodies = st.builds(
    lambda birth, order: f"110105{birth:%Y%m%d}{order:03d}",
    st.dates(date(1900, 1, 1), date(2020, 12, 31)),
    st.integers(0, 999),
)
picks = st.integers(0, 10**6)


def uscc_oracle(body: str) -> str:
    """GB 32100 word for word: add up weight times value, and take 31 minus the rest, 31 counting as 0."""
    total = sum(USCC_ALPHABET.index(character) * 3**place for place, character in enumerate(body))
    return USCC_ALPHABET[(31 - total % 31) % 31]


def citizen_oracle(body: str) -> str:
    """GB 11643: the weights are the powers of 2 modulo 11, from the right, and the whole sum is 1 modulo 11."""
    total = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(body))
    return next("0123456789X"[value] for value in range(11) if (total + value) % 11 == 1)


def hybrid_oracle(body: str) -> str:
    """ISO 7064 MOD 37,36 by trial: the character that brings the final sum to 1 modulo 36."""
    product = 36
    for character in body:
        total = (product + int(character, 36)) % 36
        product = (36 if total == 0 else total) * 2 % 37
    return next(BASE36[value] for value in range(36) if (product + value) % 36 == 1)


def substituted(text: str, alphabet: str, place: int, pick: int) -> str:
    """``text`` with the character at ``place`` changed to another of ``alphabet``."""
    place %= len(text)
    others = [character for character in alphabet if character != text[place]]
    return text[:place] + others[pick % len(others)] + text[place + 1 :]


@given(uscc_bodies, picks, picks)
def test_a_changed_character_of_a_uscc_is_always_caught(body: str, place: int, pick: int) -> None:
    code = body + uscc_oracle(body)
    assert uscc.is_valid(code)
    assert not uscc.is_valid(substituted(code, USCC_ALPHABET, place, pick))


@given(uscc_bodies, st.integers(0, 16))
def test_two_swapped_neighbours_of_a_uscc_are_always_caught(body: str, place: int) -> None:
    code = body + uscc_oracle(body)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert uscc.is_valid(swapped) == (swapped == code)


@given(citizen_bodies, picks, picks)
def test_a_changed_character_of_a_citizen_id_is_always_caught(body: str, place: int, pick: int) -> None:
    number = body + citizen_oracle(body)
    assert citizen_id.is_valid(number)
    assert not citizen_id.is_valid(substituted(number, "0123456789X", place, pick))


@given(citizen_bodies)
def test_an_old_number_is_upgraded_to_the_number_of_the_same_person(body: str) -> None:
    body = body[:6] + "19" + body[8:]
    if citizen_id.birth_date(body) is not None:
        assert citizen_id.upgrade(body[:6] + body[8:]) == body + citizen_oracle(body)


@given(st.text("0123456789", min_size=8, max_size=8), picks, picks)
def test_a_changed_digit_of_an_organisation_code_is_always_caught(body: str, place: int, pick: int) -> None:
    code = body + organisation_code.check_character(body)
    assert organisation_code.is_valid(code)
    alphabet = "0123456789X" if place % 9 == 8 else "0123456789"
    assert not organisation_code.is_valid(substituted(code, alphabet, place, pick))


@given(st.text("0123456789", min_size=14, max_size=14), picks, picks)
def test_a_changed_digit_of_a_registration_number_is_always_caught(body: str, place: int, pick: int) -> None:
    number = body + registration_number.check_character(body)
    assert registration_number.is_valid(number)
    assert not registration_number.is_valid(substituted(number, "0123456789", place, pick))


@given(st.text(BASE36, min_size=1, max_size=80), picks, picks)
def test_a_changed_character_under_mod37_36_is_always_caught(body: str, place: int, pick: int) -> None:
    text = body + hybrid_oracle(body)
    assert mod37_36.is_valid(text)
    assert not mod37_36.is_valid(substituted(text, BASE36, place, pick))


@given(st.text(max_size=24))
def test_no_text_makes_a_check_fail_otherwise_than_by_its_verdict(text: str) -> None:
    for scheme in (uscc, citizen_id, organisation_code, registration_number, mod37_36):
        assert (scheme.fault(text) is None) == scheme.is_valid(text)


@given(
    st.text(BASE36, min_size=21, max_size=21),
    st.one_of(st.text(BASE36, min_size=18, max_size=18), st.text("0123456789", min_size=6, max_size=6)),
    st.text(BASE36, min_size=1, max_size=64),
    st.integers(1, 999),
)
def test_what_is_built_is_read_back(type_code: str, issuer: str, serial: str, version: int) -> None:
    built = identifier.build(type_code, issuer, serial, version)
    assert built.check == hybrid_oracle(f"{type_code}{issuer}{serial}{version:03d}")
    assert identifier.parse(str(built)) == identifier.Parsed(built)


@given(st.text(max_size=200))
def test_reading_any_text_as_an_identifier_ends_in_parts_or_faults(text: str) -> None:
    parsed = identifier.parse(text)
    assert parsed.identifier is not None or parsed.faults


@given(st.text(max_size=80), st.integers())
def test_a_serial_always_fits_an_identifier(number: str, seed: int) -> None:
    serial = identifier.serial_from(number, Random(seed))
    assert identifier.parse(str(identifier.build("1" * 21, "340100", serial))).faults == ()


printed = st.text(
    st.one_of(st.characters(), st.sampled_from("-—_/.·（）〔〕()[]　 ＡａＺｚ１９AZaz09京号①")), max_size=40
)


@given(printed)
def test_normal_forms_are_stable(text: str) -> None:
    for normalise in (normalise_licence_number, normalise_name, fold):
        assert normalise(normalise(text)) == normalise(text)


@given(
    st.text("0123456789AB京号", min_size=1, max_size=20),
    st.sampled_from([" ", "\u3000", "\t", "\u200b"]),
    picks,
)
def test_white_space_never_makes_another_licence_number(number: str, space: str, place: int) -> None:
    place %= len(number)
    assert normalise_licence_number(number[:place] + space + number[place:]) == normalise_licence_number(
        number
    )


@given(days)
def test_every_day_is_read_in_every_way_of_writing_it(day: date) -> None:
    for form in (
        dates.DateFormat.ISO,
        dates.DateFormat.SLASH,
        dates.DateFormat.COMPACT,
        dates.DateFormat.DOT,
        dates.DateFormat.US,
    ):
        assert dates.parse_date(day.strftime(form.value), (form,)) == day
    assert dates.parse_date(f"{day.year}年{day.month}月{day.day}日") == day
    assert dates.parse_date(f"{day.year}/{day.month}/{day.day}") == day


@given(st.dates(date(1970, 1, 3), date(2098, 12, 31)), st.integers(0, 86_399_999))
def test_a_moment_in_milliseconds_is_its_day_in_china(day: date, ms: int) -> None:
    start = (datetime(day.year, day.month, day.day) - datetime(1970, 1, 1)) // timedelta(milliseconds=1)  # noqa: DTZ001  # by hand
    assert dates.parse_date(start - 8 * 3_600_000 + ms, (dates.DateFormat.EPOCH_MS,)) == day


@given(st.integers(1, 9999), st.integers(0, 99), st.integers(0, 99))
def test_a_day_is_read_exactly_when_the_calendar_has_it(year: int, month: int, day: int) -> None:
    text = f"{year:04d}-{month:02d}-{day:02d}"
    try:
        exists = bool(datetime.strptime(text, "%Y-%m-%d")) and 1900 <= year <= 2199  # noqa: DTZ007  # only asked whether it exists
    except ValueError:
        exists = False
    for written in (text, text.replace("-", "/"), text.replace("-", "")):
        read = dates.parse_date(written)
        assert (read is not None) == (exists or text == "9999-12-31")
        assert (dates.date_fault(written) is None) == (read is not None)


@given(st.text(max_size=30))
def test_no_text_makes_date_reading_fail_otherwise_than_by_its_verdict(text: str) -> None:
    every = tuple(dates.DateFormat)
    assert (dates.parse_date(text, every) is None) == (dates.date_fault(text, every) is not None)
