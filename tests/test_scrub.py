"""Scrubbing: what a terminal would obey or a reader could not see never gets through."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettui.scrub import scrub


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("eth0", "eth0"),
        ("größe 中文 🙂", "größe 中文 🙂"),
        ("\x1b[31mred", "^[[31mred"),
        ("\x1b]52;c;cm0gLXJm\x07", "^[]52;c;cm0gLXJm^G"),
        ("\x9b31m", "M-^[31m"),
        ("\x80\x9f", "M-^@M-^_"),
        ("\x7f\x00\x1f", "^?^@^_"),
        ("two\nlines\r\ttab", "two^Jlines^M^Itab"),
        ("\u202egpj.exe", "<U+202E>gpj.exe"),
        ("\u2066a\u2069\u200e\u200f\u061c", "<U+2066>a<U+2069><U+200E><U+200F><U+061C>"),
        ("a\u2028b\u2029", "a<U+2028>b<U+2029>"),
        ("ro\u200bot\ufeff\u00ad", "ro<U+200B>ot<U+FEFF><U+00AD>"),
        ("a\U000e0041", "a<U+E0041>"),
        (b"caf\xe9\x9b".decode("utf-8", "surrogateescape"), "caf<e9><9b>"),
        ("\ud800", "<U+D800>"),
        ("[/x] [bold]", "[/x] [bold]"),
        ("", ""),
    ],
)
def test_harmful_characters_are_spelled_out(text: str, shown: str) -> None:
    assert scrub(text) == shown


def test_no_character_of_a_harmful_category_is_forgotten() -> None:
    harmful = (
        chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    )
    assert all(scrub(letter) != letter for letter in harmful)


@given(st.text(st.characters()))
def test_scrubbed_text_is_harmless_and_stays_as_it_is(text: str) -> None:
    once = scrub(text)
    assert scrub(once) == once
    assert not any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in once)
    once.encode()


def test_clean_text_costs_next_to_nothing() -> None:
    started = time.perf_counter()
    for _ in range(100_000):
        scrub("veth0a1b2c3")
    assert time.perf_counter() - started < 0.5
