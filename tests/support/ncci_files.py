"""Small NCCI files in the layouts that CMS publishes, their rows made up."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

NOTICE = "A notice of copyright."
PTP_HEADER = (
    f"{NOTICE}\t\t\t\t\t\t\r\n"
    "Column1/Column2 Edits\t\t\t\t\t\t\r\n"
    "Column 1\tColumn 2\t*=in existence\tEffective\tDeletion\tModifier\tPTP Edit Rationale\r\n"
    "\t\tprior to 1996\tDate\tDate\t0=not allowed\t\r\n"
    "\t\t\t\t*=no data\t1=allowed\t\r\n"
    "\t\t\t\t\t9=not applicable\t\r\n"
)
EXCLUSIVE = "Mutually exclusive procedures"
MUE_HEADER = (
    '"A notice.\n\nIt fills several lines.",,,\n'
    '"HCPCS/\nCPT Code",Practitioner Services MUE Values,MUE Adjudication Indicator,MUE Rationale\n'
)
ADD_ON_HEADER = (
    "Add-on code edits\r\nAOC_Edit_Type\tAdd-On_Code\tAOC_DelDT\tPrimary_Code\tPrimary_Code_DelDT\t"
    "AOC_Edit_EffDT\tAOC_Edit_DelDT\tSpecial_Instruction_Notes\r\n"
)


def ptp_line(column1: str, column2: str, since: str, deleted: str = "*", indicator: str = "0") -> str:
    return "\t".join((column1, column2, "", since, deleted, indicator, EXCLUSIVE)) + "\r\n"


# A pair that is deleted and added again, one that never was, and one that stays.
PTP_LINES = (
    ptp_line("A0001", "A0002", "20200101", "20221231"),
    ptp_line("A0001", "A0002", "20240101", indicator="1"),
    ptp_line("A0001", "A0003", "20210505", "20210505", "9"),
    ptp_line("A0004", "A0001", "20200101"),
)


def ptp_text(lines: Iterable[str] = PTP_LINES) -> str:
    return PTP_HEADER + "".join(lines)


def mue_text(*lines: str) -> str:
    return MUE_HEADER + "".join(lines or ("A0001,2,3 Date of Service Edit: Clinical,Made Up\n",))


def add_on_text(*lines: str) -> str:
    return ADD_ON_HEADER + "".join(lines or ("1\tA0001\t\tA0002\t\t2024032\t\t\r\n",))


def ptp_file(folder: Path, version: str = "v302r0", lines: Iterable[str] = PTP_LINES) -> Path:
    """v302 is 2024Q3."""
    path = folder / f"ccipra-{version}.txt"
    path.write_text(ptp_text(lines), newline="")
    return path


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    path.write_bytes(zip_bytes(members))
    return path


def zip_bytes(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


def workbook(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    book.save(path)
    return path
