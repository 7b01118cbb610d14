from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from scrubber.claim import read_claim
from scrubber.claim.x12.recognize import foreign_set
from scrubber.errors import NotX12
from tests.support.x12 import CANARY, envelope, in_group, in_interchange, in_set, isa, refusal, written


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("claims.837", envelope())
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "word", "reason"),
    [
        (zipped(), "zip", "a zip archive"),
        (gzip.compress(envelope()), "gzip", "gzip"),
        (b"%PDF-1.7\n%\xe2\xe3", "pdf", "a PDF"),
        (b'{"claimInformation": {}}', "json", "JSON"),
        (b'\xef\xbb\xbf\n [{"a": 1}]', "json", "JSON"),
        (b"<?xml version='1.0'?><a/>", "xml", "XML"),
        (b"MSH|^~\\&|A|B", "hl7", "HL7 v2"),
        (b"UNA:+.? 'UNB+UNOA:1", "edifact", "EDIFACT"),
        (b"{\\rtf1 ISA", "rtf", "rich text"),
        (envelope().decode().encode("cp037"), "ebcdic", "EBCDIC"),
        (b"claim,code,charge\n1,99213,75\n", "csv", "columns"),
        (b"claim;code;charge\r\n1;99213;75\r\n", "csv", "columns"),
        (
            written(in_group(in_set())),
            "no-isa",
            "begins without ISA, which says what its delimiters are; the first set",
        ),
        (b"ST*835*1234~BPR*I*1~", "no-isa", "the first set in it is 835"),
        (b"st|999|1234~ak1|HC~", "no-isa", "the first set in it is 999"),
        (f"ST*{CANARY}*1~".encode(), "no-isa", "which says what its delimiters are"),
        (b"STATEMENT OF ACCOUNT\n", "no-isa", "does not begin with ISA"),
        (b"ISABELLA, 12 SAMPLE STREET" * 9, "no-isa", "does not begin with ISA"),
        (b"\x00\x01\x02\x03" * 99, "no-isa", "does not begin with ISA"),
        (bytes(range(128, 256)) * 99, "no-isa", "does not begin with ISA"),
        (envelope().decode().encode("utf-32"), "no-isa", "does not begin with ISA"),
        ("From: é SAMPLE\n\n".encode() + envelope(), "text-before-isa", "which begins 16 characters later"),
        (b"\xef\xbb\xbfA\n" + envelope(), "text-before-isa", "which begins 2 characters later"),
    ],
)
def test_a_file_that_is_no_x12_is_refused_by_name(data: bytes, word: str, reason: str) -> None:
    refused = refusal(data)
    assert refused.word == word
    assert reason in refused.reason
    assert refused.byte < 6
    assert CANARY not in str(refused)


@pytest.mark.parametrize("data", [b"ST*835*1234~BPR*I*1~", b"gs|HC|SENDER|RECEIVER~"])
def test_what_begins_behind_isa_is_refused_as_x12_and_not_as_json(data: bytes) -> None:
    with pytest.raises(NotX12, match="begins without ISA"):
        read_claim(data)


@pytest.mark.parametrize(
    ("code", "version", "what"),
    [
        ("837", "005010X222", ""),
        ("837", "005010X222A1", ""),
        ("837", "005010X222A2", ""),
        ("837", "004010X098A1", "837P of 4010"),
        ("837", "004010X098", "837P of 4010"),
        ("837", "006020X323", "837 of an unknown guide"),
        ("837", "008020X222", "837P of another version"),
        ("837", "005010X223A2", "837I"),
        ("837", "004010X096A1", "837I"),
        ("837", "005010X224A2", "837D"),
        ("837", "004010X097A1", "837D"),
        ("837", "005010X291", "a predetermination (837 X291), which asks for no payment"),
        ("837", "005010X298", "post-adjudicated claims data (837 X298)"),
        ("837", "", "837 of an unknown guide"),
        ("837", CANARY, "837 of an unknown guide"),
        ("835", "005010X221A1", "835"),
        ("999", "005010X231A1", "999"),
        ("997", "005010X231", "997"),
        ("277", "005010X214", "277CA"),
        ("277", "005010X212", "277 claim status"),
        ("277", "", "277"),
        ("276", "005010X212", "276"),
        ("270", "005010X279A1", "270"),
        ("271", "005010X279A1", "271"),
        (CANARY, CANARY, "a set of another kind"),
    ],
)
def test_a_set_is_named_by_its_codes(code: str, version: str, what: str) -> None:
    assert foreign_set(code, version) == what


def test_a_file_of_other_sets_is_refused_at_the_first_of_them() -> None:
    other = in_set("BPR*I*1", version="005010X221A1").replace("ST*837", "ST*835")
    data = written(in_interchange(in_group(other, version="005010X221A1")).replace("GS*HC", "GS*HP"))
    refused = refusal(data)
    assert (refused.word, refused.reason) == ("foreign-set", "the file holds 835")
    assert data[refused.byte :].startswith(b"ST*835")
    assert refused.segment == 3


def test_a_file_of_acknowledgments_is_refused() -> None:
    text = "\n".join((isa(), "TA1*000000019*250101*1200*A*000", "IEA*0*000000001"))
    assert refusal(written(text)).reason == "the file is TA1, an acknowledgment"
